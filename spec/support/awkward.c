/* Loaded ahead of a child's libraries, it stands between the module and
 * libcurl, and calls the module back in sizes and at moments of its own choice:
 * each is allowed, and no version of libcurl chooses all of them. AWKWARD is
 * the seed of the choices. With AWKWARD_PIPEWAIT, a transfer that may wait for
 * another's connection waits for its end, as libcurl 8 does over HTTP/1.1. What
 * the module misunderstands ends the child with a word. Not part of the module.
 */
#include <curl/curl.h>
#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#undef curl_easy_setopt
#undef curl_multi_setopt

enum { DESCRIPTORS = 65536, LARGE = 4096 };

/* What the module said of one of its handles. */
struct record {
  struct record *next;
  CURL *easy;
  curl_read_callback read;
  curl_write_callback write;
  curl_opensocket_callback open;
  void *reader, *writer, *opener;
  curl_off_t announced, given; /* bytes of the request's body */
  size_t taken;                /* bytes of a write that was then paused */
  int read_paused;
  int pipewait, attached, deferred;
  CURLM *multi;
};

static struct record *records;
static unsigned char is_ours[DESCRIPTORS];
static curl_socket_callback socket_callback;
static curl_multi_timer_callback timer_callback;
static void *timer_user;

#define CALL_TRUE(type, name, ...)                                             \
  ((__typeof__(type))true_one(name))(__VA_ARGS__)

static void *true_one(const char *name) {
  void *libcurl = dlopen("libcurl.so.4", RTLD_LAZY | RTLD_NOLOAD);
  void *result = libcurl ? dlsym(libcurl, name) : NULL;
  if (!result) {
    fprintf(stderr, "awkward: there is no %s\n", name);
    abort();
  }
  return result;
}

static void misunderstood(const char *what, long long got, long long wanted) {
  fprintf(stderr, "awkward: %s: %lld of %lld\n", what, got, wanted);
  abort();
}

/* A number below `most`. */
static size_t pick(size_t most) {
  static unsigned long long state;
  const char *seed = getenv("AWKWARD");
  if (state == 0)
    state = 0x9e3779b97f4a7c15u * ((seed ? strtoull(seed, NULL, 10) : 0) + 1);
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return (size_t)(state >> 16) % most;
}

/* Of so many bytes, a few or many, but one at least. */
static size_t some(size_t length) {
  size_t count = 1 + pick(pick(2) ? 7 : LARGE);
  return count < length ? count : length;
}

static struct record *record_of(CURL *easy) {
  struct record *record = records;
  while (record && record->easy != easy)
    record = record->next;
  if (record)
    return record;
  record = calloc(1, sizeof *record);
  record->easy = easy;
  record->next = records;
  return records = record;
}

/* ---- the callbacks of a transfer ---- */

static size_t read_some(struct record *record, char *out, size_t room) {
  size_t left = (size_t)(record->announced - record->given);
  size_t offered = pick(4) ? 1 + pick(7) : left;
  size_t count;
  if (offered > room)
    offered = room;
  count = record->read(out, 1, offered, record->reader);
  if (count == CURL_READFUNC_ABORT)
    return count;
  if (count > offered || (count < offered && count < left))
    misunderstood("a read ended", record->given + (curl_off_t)count,
                  record->announced);
  record->given += (curl_off_t)count;
  return count;
}

static size_t on_read(char *out, size_t size, size_t count, void *user) {
  struct record *record = user;
  size_t wanted = some(size * count), stored = 0;
  if (pick(8) == 0 && record->read(out, 1, 0, record->reader) != 0)
    misunderstood("a read without room", -1, 0);
  if (record->given < record->announced && pick(8) == 0) {
    record->read_paused = 1;
    return CURL_READFUNC_PAUSE;
  }
  while (stored < wanted && record->given < record->announced) {
    size_t got = read_some(record, out + stored, wanted - stored);
    if (got == CURL_READFUNC_ABORT)
      return got;
    stored += got;
  }
  if (stored == 0 && record->read(out, 1, 1, record->reader) != 0)
    misunderstood("a read after the end", 1, 0);
  return stored;
}

/* A write that is paused comes again, whole. */
static size_t on_write(char *bytes, size_t size, size_t count, void *user) {
  struct record *record = user;
  size_t length = size * count, taken = record->taken;
  record->taken = 0;
  if ((length == 0 || pick(8) == 0) &&
      record->write(bytes, 1, 0, record->writer) != 0)
    misunderstood("a write of nothing", -1, 0);
  while (taken < length) {
    size_t piece = some(length - taken);
    size_t got = record->write(bytes + taken, 1, piece, record->writer);
    if (got == CURL_WRITEFUNC_PAUSE)
      record->taken = taken;
    if (got != piece)
      return got;
    taken += piece;
  }
  return length;
}

static curl_socket_t on_open(void *user, curlsocktype purpose,
                             struct curl_sockaddr *address) {
  struct record *record = user;
  curl_socket_t fd = record->open(record->opener, purpose, address);
  if (fd >= 0 && fd < DESCRIPTORS)
    is_ours[fd] = 1;
  return fd;
}

/* ---- what the module calls ---- */

static CURLcode pass_on(CURL *easy, CURLoption option, va_list rest) {
  switch (option / 10000 * 10000) {
  case CURLOPTTYPE_LONG:
    return CALL_TRUE(&curl_easy_setopt, "curl_easy_setopt", easy, option,
                     va_arg(rest, long));
  case CURLOPTTYPE_OFF_T:
    return CALL_TRUE(&curl_easy_setopt, "curl_easy_setopt", easy, option,
                     va_arg(rest, curl_off_t));
  default:
    return CALL_TRUE(&curl_easy_setopt, "curl_easy_setopt", easy, option,
                     va_arg(rest, void *));
  }
}

static CURLcode set_true(CURL *easy, CURLoption option, void *value) {
  return CALL_TRUE(&curl_easy_setopt, "curl_easy_setopt", easy, option, value);
}

CURLcode curl_easy_setopt(CURL *easy, CURLoption option, ...) {
  struct record *record = record_of(easy);
  CURLcode result = CURLE_OK;
  va_list rest, look;
  va_start(rest, option);
  va_copy(look, rest);
  switch (option) {
  case CURLOPT_READFUNCTION:
    record->read = va_arg(look, curl_read_callback);
    result = set_true(easy, option, (void *)on_read);
    break;
  case CURLOPT_READDATA:
    record->reader = va_arg(look, void *);
    result = set_true(easy, option, record);
    break;
  case CURLOPT_WRITEFUNCTION:
    record->write = va_arg(look, curl_write_callback);
    result = set_true(easy, option, (void *)on_write);
    break;
  case CURLOPT_WRITEDATA:
    record->writer = va_arg(look, void *);
    result = set_true(easy, option, record);
    break;
  case CURLOPT_OPENSOCKETFUNCTION:
    record->open = va_arg(look, curl_opensocket_callback);
    result = set_true(easy, option, (void *)on_open);
    break;
  case CURLOPT_OPENSOCKETDATA:
    record->opener = va_arg(look, void *);
    result = set_true(easy, option, record);
    break;
  case CURLOPT_POSTFIELDSIZE_LARGE:
    record->announced = va_arg(look, curl_off_t);
    record->given = 0;
    result = pass_on(easy, option, rest);
    break;
  case CURLOPT_PIPEWAIT:
    record->pipewait = va_arg(look, long) != 0;
    result = pass_on(easy, option, rest);
    break;
  default:
    result = pass_on(easy, option, rest);
    break;
  }
  va_end(look);
  va_end(rest);
  return result;
}

void curl_easy_cleanup(CURL *easy) {
  struct record **at = &records;
  CALL_TRUE(&curl_easy_cleanup, "curl_easy_cleanup", easy);
  while (*at && (*at)->easy != easy)
    at = &(*at)->next;
  if (*at) {
    struct record *record = *at;
    *at = record->next;
    free(record);
  }
}

/* ---- waiting for another's connection ---- */

static CURLMcode attach(struct record *record) {
  record->deferred = 0;
  record->attached = 1;
  return CALL_TRUE(&curl_multi_add_handle, "curl_multi_add_handle",
                   record->multi, record->easy);
}

static int must_wait(const struct record *record) {
  const struct record *each = getenv("AWKWARD_PIPEWAIT") ? records : NULL;
  while (each && !(each->attached && each->pipewait))
    each = each->next;
  return each && record->pipewait;
}

CURLMcode curl_multi_add_handle(CURLM *multi, CURL *easy) {
  struct record *record = record_of(easy);
  record->multi = multi;
  record->taken = 0;
  record->read_paused = 0;
  if (!must_wait(record))
    return attach(record);
  record->deferred = 1;
  return CURLM_OK;
}

CURLMcode curl_multi_remove_handle(CURLM *multi, CURL *easy) {
  struct record *record = record_of(easy);
  CURLMcode result = CURLM_OK;
  if (record->attached)
    result = CALL_TRUE(&curl_multi_remove_handle, "curl_multi_remove_handle",
                       multi, easy);
  record->attached = record->deferred = 0;
  for (record = records; record; record = record->next)
    if (record->deferred && !must_wait(record))
      attach(record);
  return result;
}

/* ---- the callbacks of the multi handle ---- */

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *user,
                     void *own) {
  if (what != CURL_POLL_REMOVE && pick(4) == 0)
    socket_callback(easy, fd, CURL_POLL_REMOVE, user, own);
  if (pick(4) == 0)
    socket_callback(easy, fd, what, user, own);
  return socket_callback(easy, fd, what, user, own);
}

static int is_paused(const CURLM *multi) {
  const struct record *each = records;
  while (each && !(each->read_paused && each->attached && each->multi == multi))
    each = each->next;
  return each != NULL;
}

static int on_timer(CURLM *multi, long timeout, void *user) {
  timer_user = user;
  if (is_paused(multi)) /* or nothing would resume it */
    return timer_callback(multi, 1, user);
  if (pick(4) == 0)
    timer_callback(multi, -1, user);
  if (pick(4) == 0 && timeout > 0) /* too early, and then again */
    timeout /= 2;
  return timer_callback(multi, timeout, user);
}

CURLMcode curl_multi_setopt(CURLM *multi, CURLMoption option, ...) {
  va_list rest;
  void *value;
  va_start(rest, option);
  value = va_arg(rest, void *); /* a long or a pointer: both fill a register */
  va_end(rest);
  if (option == CURLMOPT_SOCKETFUNCTION) {
    socket_callback = (curl_socket_callback)value;
    value = (void *)on_socket;
  } else if (option == CURLMOPT_TIMERFUNCTION) {
    timer_callback = (curl_multi_timer_callback)value;
    value = (void *)on_timer;
  }
  return CALL_TRUE(&curl_multi_setopt, "curl_multi_setopt", multi, option,
                   value);
}

static void resume_reads(CURLM *multi) {
  for (struct record *each = records; each; each = each->next)
    if (each->read_paused && each->attached && each->multi == multi) {
      each->read_paused = 0;
      CALL_TRUE(&curl_easy_pause, "curl_easy_pause", each->easy,
                CURLPAUSE_CONT);
    }
}

CURLMcode curl_multi_socket_action(CURLM *multi, curl_socket_t fd, int ready,
                                   int *running) {
  CURLMcode result;
  if (pick(4) == 0)
    CALL_TRUE(&curl_multi_socket_action, "curl_multi_socket_action", multi,
              CURL_SOCKET_TIMEOUT, 0, running);
  result = CALL_TRUE(&curl_multi_socket_action, "curl_multi_socket_action",
                     multi, fd, ready, running);
  if (pick(2))
    resume_reads(multi);
  else if (is_paused(multi))
    timer_callback(multi, 1, timer_user);
  return result;
}

/* ---- the wire ---- */

ssize_t recv(int fd, void *bytes, size_t length, int flags) {
  static ssize_t (*next)(int, void *, size_t, int);
  if (!next)
    *(void **)&next = dlsym(RTLD_NEXT, "recv");
  if (fd >= 0 && fd < DESCRIPTORS && is_ours[fd] && length > 0)
    length = some(length);
  return next(fd, bytes, length, flags);
}

ssize_t send(int fd, const void *bytes, size_t length, int flags) {
  static ssize_t (*next)(int, const void *, size_t, int);
  if (!next)
    *(void **)&next = dlsym(RTLD_NEXT, "send");
  if (fd >= 0 && fd < DESCRIPTORS && is_ours[fd] && length > 0)
    length = some(length);
  return next(fd, bytes, length, flags);
}
