/* Loaded ahead of a child's own libraries (LD_PRELOAD): the host names under
 * `.invalid` can't be resolved until the file named by RESOLVES exists; then
 * they are the loopback. */
#include <dlfcn.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef int resolver(const char *node, const char *service,
                     const struct addrinfo *hints, struct addrinfo **found);

static int is_ours(const char *node) {
  size_t length = node ? strlen(node) : 0;
  return length > 8 && strcmp(node + length - 8, ".invalid") == 0;
}

int getaddrinfo(const char *node, const char *service,
                const struct addrinfo *hints, struct addrinfo **found) {
  resolver *next;
  *(void **)&next = dlsym(RTLD_NEXT, "getaddrinfo");
  if (!is_ours(node))
    return next(node, service, hints, found);
  if (access(getenv("RESOLVES"), F_OK) != 0)
    return EAI_NONAME;
  return next("127.0.0.1", service, hints, found);
}
