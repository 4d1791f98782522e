/* Tells a process from the child that it forked. */
#include "net/fork.h"

#include <stddef.h>
#include <sys/mman.h>
#include <unistd.h>

/* One is the least that can be asked for: the kernel rounds it up. */
enum { BYTES = 1 };

/* No kernel knows it. An emulator may accept this, too, and heed none: qemu's
 * user mode does. */
enum { NO_ADVICE = 9999 };

static unsigned char *open_page(void) {
#ifdef MADV_WIPEONFORK
  void *page = mmap(NULL, BYTES, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED)
    return NULL;
  if (madvise(page, BYTES, NO_ADVICE) < 0 &&
      madvise(page, BYTES, MADV_WIPEONFORK) == 0)
    return page;
  munmap(page, BYTES);
#endif
  return NULL;
}

void fork_open(struct fork_check *check) {
  check->process = getpid();
  check->page = open_page();
  if (check->page)
    *check->page = 1;
}

void fork_close(struct fork_check *check) {
  if (check->page)
    munmap(check->page, BYTES);
  check->page = NULL;
  check->process = 0;
}

int fork_is_here(const struct fork_check *check) {
  if (check->page)
    return *check->page == 1;
  return check->process == getpid();
}
