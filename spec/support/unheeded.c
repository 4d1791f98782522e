/* A kernel that accepts all advice about memory and heeds none, as qemu's user
 * mode does. For LD_PRELOAD. */
#include <stddef.h>
#include <sys/mman.h>

int madvise(void *address, size_t length, int advice) {
  (void)address, (void)length, (void)advice;
  return 0;
}
