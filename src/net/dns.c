/* The addresses that an engine knows of host names. */
#include "net/dns.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net/poller.h"

enum {
  FRESH = 60000,  /* ms: as long as libcurl trusts an answer */
  USABLE = 600000 /* ms: so long it serves while a new one is on its way: a name
                     server that is down must not stop what goes on */
};

struct name *dns_find(const struct dns *names, const char *host) {
  struct name *name = names->first;
  while (name && strcmp(name->host, host) != 0)
    name = name->next;
  return name;
}

static void free_name(struct name *name) {
  free(name->host);
  free(name->addresses);
  free(name);
}

static struct name *find_or_add(struct dns *names, const char *host) {
  struct name *name = dns_find(names, host);
  if (name)
    return name;
  name = calloc(1, sizeof *name);
  if (!name)
    return NULL;
  name->host = strdup(host);
  if (!name->host) {
    free_name(name);
    return NULL;
  }
  name->next = names->first;
  names->first = name;
  return name;
}

void dns_forget(struct name *name) {
  free(name->addresses);
  name->addresses = NULL;
}

/* ---- questions ---- */

static int open_pipe(int ends[2]) {
#ifdef __APPLE__
  if (pipe(ends) < 0)
    return -1;
  for (int i = 0; i < 2; i++) {
    fcntl(ends[i], F_SETFD, FD_CLOEXEC);
    fcntl(ends[i], F_SETFL, O_NONBLOCK);
  }
  return 0;
#else
  return pipe2(ends, O_CLOEXEC | O_NONBLOCK);
#endif
}

static void close_bell(struct dns *names) {
  close(names->bell[0]);
  close(names->bell[1]);
  names->rang = 0;
}

static int open_bell(struct dns *names, struct poller *poller) {
  if (open_pipe(names->bell) < 0)
    return -1;
  poller_opened(poller, names->bell[0]);
  if (poller_want(poller, names->bell[0], POLLER_READ) == 0)
    return 0;
  close_bell(names);
  return -1;
}

static void question_over(struct dns *names, struct poller *poller) {
  if (--names->asked > 0)
    return;
  poller_closing(poller, names->bell[0]);
  close_bell(names);
}

static void ask(struct dns *names, struct poller *poller, struct name *name) {
  if (name->question.search ||
      (names->asked == 0 && open_bell(names, poller) < 0))
    return;
  names->asked++;
  if (resolver_ask(&name->question, name->host, names->bell[1]) < 0)
    question_over(names, poller);
}

struct name *dns_ask(struct dns *names, struct poller *poller,
                     const char *host) {
  struct name *name = find_or_add(names, host);
  uint64_t age;
  if (!name)
    return NULL;
  age = poller_clock() - name->at;
  if (age >= USABLE)
    dns_forget(name);
  if (age >= FRESH || !name->addresses)
    ask(names, poller, name);
  return name;
}

void dns_leave(struct dns *names, struct poller *poller, struct name *name) {
  if (!name->question.search)
    return;
  resolver_leave(&name->question);
  question_over(names, poller);
}

/* ---- answers ---- */

int dns_heard(struct dns *names, int fd) {
  char rings[64];
  if (names->asked == 0 || fd != names->bell[0])
    return 0;
  while (read(fd, rings, sizeof rings) > 0)
    names->rang = 1;
  return 1;
}

static void take(struct dns *names, struct poller *poller, struct name *name) {
  char *addresses;
  if (resolver_look(&name->question, &addresses) == RESOLVER_PENDING)
    return;
  if (addresses) {
    dns_forget(name);
    name->addresses = addresses;
    name->at = poller_clock();
  }
  question_over(names, poller);
}

int dns_take(struct dns *names, struct poller *poller) {
  if (!names->rang)
    return 0;
  names->rang = 0;
  for (struct name *name = names->first; name; name = name->next)
    if (name->question.search)
      take(names, poller, name);
  return 1;
}

static int is_kept(const struct name *name, uint64_t now) {
  return name->waiting > 0 || name->question.search ||
         (name->addresses && now - name->at < USABLE);
}

void dns_drop_old(struct dns *names) {
  struct name **each = &names->first;
  uint64_t now = poller_clock();
  while (*each) {
    struct name *name = *each;
    if (is_kept(name, now)) {
      each = &name->next;
      continue;
    }
    *each = name->next;
    free_name(name);
  }
}

void dns_close(struct dns *names, struct poller *poller) {
  while (names->first) {
    struct name *name = names->first;
    names->first = name->next;
    dns_leave(names, poller, name);
    free_name(name);
  }
}
