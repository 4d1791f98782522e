/* Whether a connection that is to be used again has been spoken on meanwhile:
 * over HTTP/1.1 what waits there would be taken for the next answer. Some
 * versions of libcurl look at that themselves, and others do not. Nor do all
 * of them tell a callback which socket it is, so it is found by its ends. */
#include "net/stale.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "net/poller.h"

union end {
  struct sockaddr any;
  struct sockaddr_in v4;
  struct sockaddr_in6 v6;
};

static int port_of(const union end *end) {
  if (end->any.sa_family == AF_INET)
    return ntohs(end->v4.sin_port);
  return end->any.sa_family == AF_INET6 ? ntohs(end->v6.sin6_port) : 0;
}

/* A socket's own port does not change once it has one: it is asked for once. */
static int local_port_of(struct watch *watch, int fd) {
  union end end = {.any = {.sa_family = AF_UNSPEC}};
  socklen_t size = sizeof end;
  if (watch->port == 0 && getsockname(fd, &end.any, &size) == 0)
    watch->port = (unsigned short)port_of(&end);
  return watch->port;
}

static int has_peer(int fd, const char *peer, int peer_port) {
  union end end = {.any = {.sa_family = AF_UNSPEC}};
  socklen_t size = sizeof end;
  struct in6_addr address; /* has room for one of either family */
  if (getpeername(fd, &end.any, &size) < 0 || port_of(&end) != peer_port ||
      inet_pton(end.any.sa_family, peer, &address) != 1)
    return 0;
  return end.any.sa_family == AF_INET
             ? memcmp(&address, &end.v4.sin_addr, sizeof end.v4.sin_addr) == 0
             : memcmp(&address, &end.v6.sin6_addr, sizeof address) == 0;
}

/* One connection after the other is used again, mostly in one order: each look
 * begins where the last one ended. */
static int find(struct poller *poller, int local_port, const char *peer,
                int peer_port) {
  int fd = poller->found;
  for (int i = 0; i < poller->watch_count; i++, fd++) {
    struct watch *watch;
    if (fd >= poller->watch_count)
      fd = 0;
    watch = &poller->watches[fd];
    if (watch->opened && local_port_of(watch, fd) == local_port &&
        has_peer(fd, peer, peer_port)) {
      poller->found = fd;
      return fd;
    }
  }
  return -1;
}

int stale_is(struct poller *poller, int local_port, const char *peer,
             int peer_port) {
  int fd = find(poller, local_port, peer, peer_port);
  char byte;
  if (fd < 0)
    return 0;
  if (recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0)
    return 1;
  return errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR;
}
