/* Loaded ahead of a child's libraries, it answers for names that exist nowhere:
 * RESOLVER is a list such as "two.test=127.0.0.9,127.0.0.1 other.test=::1", and
 * RESOLVER_DELAY how many milliseconds each of their lookups takes; with
 * RESOLVER_SINCE, none of them is known until a file of that name exists. Each
 * lookup adds a line with the name to the file RESOLVER_LOG. Not part of the
 * module. */
#include <dlfcn.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

typedef int lookup(const char *, const char *, const struct addrinfo *,
                   struct addrinfo **);

static lookup *true_lookup(void) {
  lookup *next;
  *(void **)&next = dlsym(RTLD_NEXT, "getaddrinfo");
  return next;
}

/* Copies the addresses of `name` in the list; 0 if it is not there. */
static int find(const char *name, char *addresses, size_t room) {
  const char *at = getenv("RESOLVER");
  size_t length = strlen(name);
  while (at && *at) {
    size_t entry = strcspn(at, " ");
    if (entry > length && at[length] == '=' && !strncmp(at, name, length)) {
      size_t count = entry - length - 1;
      if (count >= room)
        return 0;
      memcpy(addresses, at + length + 1, count);
      addresses[count] = '\0';
      return 1;
    }
    at += entry;
    at += strspn(at, " ");
  }
  return 0;
}

static void be_slow(void) {
  const char *text = getenv("RESOLVER_DELAY");
  long delay = text ? atol(text) : 0;
  struct timespec time = {delay / 1000, delay % 1000 * 1000000};
  nanosleep(&time, NULL);
}

static int is_down(void) {
  const char *since = getenv("RESOLVER_SINCE");
  return since && access(since, F_OK) != 0;
}

static void note(const char *name) {
  const char *log = getenv("RESOLVER_LOG");
  int fd = log ? open(log, O_WRONLY | O_CREAT | O_APPEND, 0600) : -1;
  if (fd >= 0) {
    dprintf(fd, "%s\n", name);
    close(fd);
  }
}

int getaddrinfo(const char *name, const char *service,
                const struct addrinfo *hints, struct addrinfo **result) {
  char addresses[256];
  char *rest, *address;
  struct addrinfo **end = result;
  if (!name || !find(name, addresses, sizeof addresses))
    return true_lookup()(name, service, hints, result);
  note(name);
  be_slow();
  if (is_down())
    return EAI_NONAME;
  *result = NULL;
  for (address = strtok_r(addresses, ",", &rest); address;
       address = strtok_r(NULL, ",", &rest)) {
    if (true_lookup()(address, service, hints, end) != 0)
      continue;
    while (*end)
      end = &(*end)->ai_next;
  }
  return *result ? 0 : EAI_NONAME;
}
