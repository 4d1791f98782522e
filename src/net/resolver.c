/* Looks up the addresses of host names, in threads of its own. */
#include "net/resolver.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/process_lock.h"
#include "net/poller.h"

enum {
  THREADS = 8,
  YOUNG = 1000,  /* ms: an older search may hang where a new one would not */
  ADDRESSES = 32 /* of one name; more than anybody tries */
};

/* Everything here is touched under the process's lock alone; but a thread reads
 * the name of its own search, which never changes. */
struct search {
  struct search *next;
  struct question *questions; /* none: it was abandoned */
  uint64_t began;
  int running; /* a thread has it, and frees it if nobody else will */
  enum resolver_answer answer;
  char *addresses;
  char host[];
};

static struct search *searches; /* those under way and those that wait */
static unsigned threads;
static pid_t owner; /* the process whose threads they are */

/* A forked child has none of its parent's threads. What they were to find is
 * left alone: the parent's questions point to it. */
static void notice_fork(void) {
  if (owner == getpid())
    return;
  owner = getpid();
  searches = NULL;
  threads = 0;
}

static void discard(struct search *search) {
  free(search->addresses);
  free(search);
}

static void unlist(const struct search *search) {
  struct search **each = &searches;
  while (*each && *each != search)
    each = &(*each)->next;
  if (*each)
    *each = search->next;
}

/* ---- in a thread ---- */

static int add_address(struct buffer *out, const struct sockaddr *address) {
  char text[INET6_ADDRSTRLEN];
  const void *bytes = &((const struct sockaddr_in *)address)->sin_addr;
  int is_long = address->sa_family == AF_INET6;
  if (is_long)
    bytes = &((const struct sockaddr_in6 *)address)->sin6_addr;
  else if (address->sa_family != AF_INET)
    return 0;
  if (!inet_ntop(address->sa_family, bytes, text, sizeof text))
    return 0;
  if ((out->length > 0 && buffer_add(out, ",", 1) < 0) ||
      (is_long && buffer_add(out, "[", 1) < 0) ||
      buffer_add_text(out, text) < 0)
    return -1;
  return is_long ? buffer_add(out, "]", 1) : 0;
}

/* malloc'd, or NULL. */
static char *find(const char *host) {
  const struct addrinfo hints = {.ai_family = AF_UNSPEC,
                                 .ai_socktype = SOCK_STREAM};
  struct addrinfo *found;
  struct buffer text = {0};
  int left = ADDRESSES;
  int result = 0;
  if (getaddrinfo(host, NULL, &hints, &found) != 0)
    return NULL;
  for (const struct addrinfo *each = found; each && left > 0 && result == 0;
       each = each->ai_next, left--)
    result = add_address(&text, each->ai_addr);
  freeaddrinfo(found);
  if (result == 0 && text.length > 0)
    return text.bytes;
  buffer_free(&text);
  return NULL;
}

static void ring(const struct search *search) {
  for (const struct question *each = search->questions; each; each = each->next)
    if (write(each->bell, "!", 1) < 0)
      continue; /* full: it rings already */
}

static void publish(struct search *search, char *addresses) {
  search->running = 0;
  search->addresses = addresses;
  search->answer = addresses ? RESOLVER_FOUND : RESOLVER_FAILED;
  unlist(search);
  if (search->questions)
    ring(search);
  else
    discard(search);
}

static struct search *next_to_run(void) {
  struct search *search = searches;
  while (search && search->running)
    search = search->next;
  if (search) {
    search->running = 1;
    search->began = poller_clock();
  }
  return search;
}

static void *run(void *search_given) {
  struct search *search = search_given;
  while (search) {
    char *addresses = find(search->host);
    process_lock_enter();
    publish(search, addresses);
    search = next_to_run();
    if (!search)
      threads--;
    process_lock_leave();
  }
  return NULL;
}

/* ---- in the threads of the host ---- */

/* The host's signals are handled in its own threads. */
static int start_thread(struct search *search) {
  pthread_t thread;
  pthread_attr_t attributes;
  sigset_t all, before;
  int result;
  sigfillset(&all);
  if (pthread_attr_init(&attributes) != 0)
    return -1;
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  result = pthread_create(&thread, &attributes, run, search);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  pthread_attr_destroy(&attributes);
  return result == 0 ? 0 : -1;
}

/* 0, or -1 where no thread could be had and none is there to take it later. */
static int start_next(void) {
  struct search *search;
  if (threads == THREADS)
    return 0;
  search = next_to_run();
  if (!search)
    return 0;
  if (start_thread(search) == 0) {
    threads++;
    return 0;
  }
  search->running = 0;
  return threads > 0 ? 0 : -1;
}

static struct search *find_young(const char *host) {
  struct search *search = searches;
  uint64_t now = poller_clock();
  while (search && (strcmp(search->host, host) != 0 ||
                    (search->running && now - search->began > YOUNG)))
    search = search->next;
  return search;
}

static struct search *add_search(const char *host) {
  struct search **end = &searches;
  size_t size = strlen(host) + 1;
  struct search *search = calloc(1, sizeof *search + size);
  if (!search)
    return NULL;
  memcpy(search->host, host, size);
  while (*end)
    end = &(*end)->next;
  *end = search;
  return search;
}

/* Takes the question from its search, which goes too if nobody needs it. */
static void part(struct question *question) {
  struct search *search = question->search;
  struct question **each = &search->questions;
  while (*each != question)
    each = &(*each)->next;
  *each = question->next;
  question->search = NULL;
  if (search->questions || search->running)
    return;
  unlist(search);
  discard(search);
}

int resolver_ask(struct question *question, const char *host, int bell) {
  struct search *search;
  int result = -1;
  process_lock_enter();
  notice_fork();
  search = find_young(host);
  if (!search)
    search = add_search(host);
  if (!search)
    goto done;
  question->search = search;
  question->bell = bell;
  question->next = search->questions;
  search->questions = question;
  result = start_next();
  if (result < 0)
    part(question);
done:
  process_lock_leave();
  return result;
}

enum resolver_answer resolver_look(struct question *question,
                                   char **addresses) {
  enum resolver_answer answer;
  process_lock_enter();
  answer = question->search->answer;
  *addresses = NULL;
  if (answer == RESOLVER_FOUND) {
    *addresses = strdup(question->search->addresses);
    if (!*addresses)
      answer = RESOLVER_FAILED;
  }
  if (answer != RESOLVER_PENDING)
    part(question);
  process_lock_leave();
  return answer;
}

void resolver_leave(struct question *question) {
  if (!question->search)
    return;
  process_lock_enter();
  part(question);
  process_lock_leave();
}
