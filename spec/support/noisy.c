/* Loaded ahead of a child's libraries, it makes each write to a connection that
 * is gone raise SIGPIPE, as it does on systems without MSG_NOSIGNAL; and
 * libcurl ignores the signal for a while when it closes shared connections, as
 * versions from 8.10 on do: NOISY_MS milliseconds. Not part of the module. */
#include <dlfcn.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

int curl_share_cleanup(void *share);

ssize_t send(int fd, const void *bytes, size_t length, int flags) {
  static ssize_t (*next)(int, const void *, size_t, int);
  if (!next)
    *(void **)&next = dlsym(RTLD_NEXT, "send");
  return next(fd, bytes, length, flags & ~MSG_NOSIGNAL);
}

int curl_share_cleanup(void *share) {
  static int (*next)(void *);
  const char *ms = getenv("NOISY_MS");
  const struct timespec time = {0, ms ? atol(ms) * 1000000 : 0};
  struct sigaction before, ignore = {.sa_handler = SIG_IGN};
  int result;
  if (!next) /* libcurl came with the module, and is nowhere behind us */
    *(void **)&next =
        dlsym(dlopen("libcurl.so.4", RTLD_LAZY), "curl_share_cleanup");
  sigaction(SIGPIPE, &ignore, &before);
  nanosleep(&time, NULL);
  result = next(share);
  sigaction(SIGPIPE, &before, NULL);
  return result;
}
