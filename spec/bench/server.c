/* The benchmark's server: one thread that answers HTTP/1.1 on loopback as
 * cheaply as it can. It prints its port and ends with its standard input.
 *
 *   GET  .../video.mp4  1 GiB of MP4, with an ETag and ranges
 *   GET  /fleet<N>/...  a task that has succeeded at its N-th query
 *   GET  ...            a task that still runs
 *   GET  /late/...      the same, told after 100 to 300 ms
 *   POST ...            swallows the body and answers with a task id */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
  FDS = 65536,
  TASKS = 1 << 20,
  HEAD = 4096,     /* the longest request head */
  SLOTS = 512,     /* of the wheel, a millisecond each */
  PIECE = 1 << 20, /* of a body, read or written at once */
  VIDEO = 1 << 30, /* bytes of the video */
  VIDEO_HEAD = 40, /* of which these are not zero */
};

struct connection {
  struct connection *next, **back; /* in the wheel, while the answer waits */
  int fd;
  int wants_out;      /* epoll watches for writing */
  size_t head_length; /* bytes of the request so far */
  uint64_t body_left; /* of the request */
  uint64_t sent, end; /* of the video */
  char head[HEAD + 1];
};

static struct connection *connections[FDS];
static struct connection *wheel[SLOTS];
static unsigned waiting; /* in the wheel */
static uint64_t turned;  /* the millisecond that the wheel stands at */
static uint8_t asked[TASKS];
static char video_head[VIDEO_HEAD];
static char piece[PIECE]; /* zeros to write */
static char waste[PIECE];
static int epoll;

static uint64_t clock_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* ---- connections ---- */

static void watch(struct connection *connection, int operation, int out) {
  struct epoll_event event = {.events = out ? EPOLLOUT : EPOLLIN};
  event.data.fd = connection->fd;
  connection->wants_out = out;
  epoll_ctl(epoll, operation, connection->fd, &event);
}

static void accept_all(int listener) {
  int fd, on = 1;
  while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
    struct connection *connection = calloc(1, sizeof *connection);
    if (!connection || fd >= FDS)
      abort();
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    connection->fd = fd;
    connections[fd] = connection;
    watch(connection, EPOLL_CTL_ADD, 0);
  }
}

static void leave_wheel(struct connection *connection) {
  if (!connection->back)
    return;
  *connection->back = connection->next;
  if (connection->next)
    connection->next->back = connection->back;
  connection->back = NULL;
  waiting--;
}

static void enter_wheel(struct connection *connection, unsigned delay) {
  struct connection **slot;
  if (waiting++ == 0)
    turned = clock_ms();
  slot = &wheel[(turned + delay) % SLOTS];
  connection->next = *slot;
  connection->back = slot;
  if (connection->next)
    connection->next->back = &connection->next;
  *slot = connection;
}

static void hang_up(struct connection *connection) {
  leave_wheel(connection);
  close(connection->fd);
  connections[connection->fd] = NULL;
  free(connection);
}

/* ---- answers ---- */

static void answer(struct connection *connection, const char *body) {
  char text[HEAD];
  int length = snprintf(text, sizeof text,
                        "HTTP/1.1 200 OK\r\n"
                        "Content-Type: application/json\r\n"
                        "Content-Length: %zu\r\n\r\n%s",
                        strlen(body), body);
  /* So short an answer fits, unless the client does not read at all. */
  if (write(connection->fd, text, (size_t)length) != length)
    shutdown(connection->fd, SHUT_RDWR);
}

static void answer_status(struct connection *connection, int succeeded) {
  const char *path = strstr(connection->head, "task_id=");
  char body[512];
  int length = path ? (int)strcspn(path + 8, " &") : 0;
  snprintf(body, sizeof body,
           "{\"task_id\":\"%.*s\",\"status\":\"%s\",\"video_url\":\"%s\","
           "\"base_resp\":{\"status_code\":0,\"status_msg\":\"success\"}}",
           length < 64 ? length : 64, path ? path + 8 : "",
           succeeded ? "Success" : "Processing",
           succeeded ? "https://cdn.example/v/output.mp4?Expires=2000000000"
                       "&Signature=GcLOtwTvSAqQ%2F2GhTgnLHGzzSc8%3D"
                     : "");
  answer(connection, body);
}

static void answer_fleet(struct connection *connection, unsigned polls) {
  const char *id = strstr(connection->head, "task_id=");
  uint8_t *count = &asked[id ? strtoul(id + 8, NULL, 10) % TASKS : 0];
  int succeeded = ++*count >= polls;
  if (succeeded)
    *count = 0;
  answer_status(connection, succeeded);
}

static void send_video(struct connection *connection) {
  while (connection->sent < connection->end) {
    const char *from = piece;
    uint64_t length = connection->end - connection->sent;
    ssize_t written;
    if (connection->sent < VIDEO_HEAD) {
      from = video_head + connection->sent;
      length = VIDEO_HEAD - connection->sent;
    } else if (length > PIECE) {
      length = PIECE;
    }
    written = write(connection->fd, from, (size_t)length);
    if (written < 0) {
      if (errno == EAGAIN && !connection->wants_out)
        watch(connection, EPOLL_CTL_MOD, 1);
      else if (errno != EAGAIN)
        shutdown(connection->fd, SHUT_RDWR);
      return;
    }
    connection->sent += (uint64_t)written;
  }
  if (connection->wants_out)
    watch(connection, EPOLL_CTL_MOD, 0);
}

static void answer_video(struct connection *connection) {
  const char *range = strcasestr(connection->head, "\r\nRange: bytes=");
  char text[512];
  int length;
  connection->sent = range ? strtoull(range + 15, NULL, 10) : 0;
  connection->end = VIDEO;
  length = snprintf(text, sizeof text,
                    "HTTP/1.1 %s\r\nContent-Type: video/mp4\r\n"
                    "ETag: \"bench-1\"\r\nAccept-Ranges: bytes\r\n"
                    "Content-Length: %llu\r\n",
                    range ? "206 Partial Content" : "200 OK",
                    (unsigned long long)(VIDEO - connection->sent));
  if (range)
    length += snprintf(text + length, sizeof text - (size_t)length,
                       "Content-Range: bytes %llu-%d/%d\r\n",
                       (unsigned long long)connection->sent, VIDEO - 1, VIDEO);
  length += snprintf(text + length, sizeof text - (size_t)length, "\r\n");
  if (send(connection->fd, text, (size_t)length, MSG_MORE) == length)
    send_video(connection);
  else
    shutdown(connection->fd, SHUT_RDWR);
}

static void answer_late(struct connection *connection) {
  static uint32_t random = 2463534242u; /* xorshift: the same in each run */
  random ^= random << 13;
  random ^= random >> 17;
  random ^= random << 5;
  enter_wheel(connection, 100 + random % 201);
}

static void answer_query(struct connection *connection) {
  const char *fleet = strstr(connection->head, "/fleet");
  if (fleet)
    answer_fleet(connection, (unsigned)strtoul(fleet + 6, NULL, 10));
  else
    answer_status(connection, 0);
}

static void answer_request(struct connection *connection) {
  const char *head = connection->head;
  if (strncmp(head, "POST", 4) == 0)
    answer(connection, "{\"task_id\":\"401047179385389059\",\"base_resp\":"
                       "{\"status_code\":0,\"status_msg\":\"success\"}}");
  else if (strncmp(head, "GET /late/", 10) == 0)
    answer_late(connection);
  else if (strstr(head, "/video.mp4 "))
    answer_video(connection);
  else
    answer_query(connection);
}

static void turn_wheel(uint64_t now) {
  for (; turned < now && waiting > 0; turned++) {
    struct connection *connection;
    while ((connection = wheel[turned % SLOTS]) != NULL) {
      leave_wheel(connection);
      answer_query(connection);
    }
  }
}

/* ---- requests ---- */

static void swallow_body(struct connection *connection) {
  while (connection->body_left > 0) {
    size_t wanted =
        connection->body_left < PIECE ? connection->body_left : (size_t)PIECE;
    ssize_t got = read(connection->fd, waste, wanted);
    if (got < 0 && errno == EAGAIN)
      return;
    if (got <= 0) {
      hang_up(connection);
      return;
    }
    connection->body_left -= (uint64_t)got;
  }
  answer_request(connection);
}

/* A client that keeps to one request at a time sends nothing after it. */
static void heed_head(struct connection *connection, const char *end) {
  const char *length = strcasestr(connection->head, "\r\nContent-Length:");
  size_t extra = (size_t)(connection->head + connection->head_length - end - 4);
  connection->head_length = 0;
  connection->body_left =
      length && length < end ? strtoull(length + 17, NULL, 10) : 0;
  if (connection->body_left > 0) {
    connection->body_left -= extra;
    swallow_body(connection);
  } else {
    answer_request(connection);
  }
}

static void read_head(struct connection *connection) {
  ssize_t got = read(connection->fd, connection->head + connection->head_length,
                     HEAD - connection->head_length);
  const char *end;
  if (got < 0 && errno == EAGAIN)
    return;
  if (got <= 0) {
    hang_up(connection);
    return;
  }
  connection->head_length += (size_t)got;
  connection->head[connection->head_length] = '\0';
  end = strstr(connection->head, "\r\n\r\n");
  if (end)
    heed_head(connection, end);
}

static void serve(int fd, uint32_t events) {
  struct connection *connection = connections[fd];
  if (!connection)
    return;
  if (events & EPOLLOUT)
    send_video(connection);
  else if (connection->wants_out)
    hang_up(connection);
  else if (connection->body_left > 0)
    swallow_body(connection);
  else
    read_head(connection);
}

/* ---- start ---- */

static int listen_anywhere(void) {
  struct sockaddr_in address = {.sin_family = AF_INET};
  socklen_t size = sizeof address;
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(fd, (struct sockaddr *)&address, size) < 0 || listen(fd, 4096) < 0)
    return -1;
  getsockname(fd, (struct sockaddr *)&address, &size);
  printf("%d\n", ntohs(address.sin_port));
  fflush(stdout);
  return fd;
}

/* Boxes whose lengths add up to the file's. */
static void make_video_head(void) {
  uint32_t left = htonl(VIDEO - 32);
  memcpy(video_head, "\0\0\0\30ftypisom\0\0\2\0isommp42", 24);
  memcpy(video_head + 24, "\0\0\0\10moov", 8);
  memcpy(video_head + 32, &left, 4);
  memcpy(video_head + 36, "mdat", 4);
}

int main(void) {
  struct epoll_event events[256] = {{.events = EPOLLIN, .data.fd = 0}};
  int listener = listen_anywhere();
  make_video_head();
  epoll = epoll_create1(0);
  epoll_ctl(epoll, EPOLL_CTL_ADD, 0, events);
  events[0].data.fd = listener;
  if (listener < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, listener, events) < 0)
    return EXIT_FAILURE;
  for (;;) {
    int count = epoll_wait(epoll, events, 256, waiting > 0 ? 1 : -1);
    for (int i = 0; i < count; i++) {
      int fd = events[i].data.fd;
      if (fd == 0 && read(0, waste, PIECE) <= 0)
        return EXIT_SUCCESS;
      if (fd == listener)
        accept_all(listener);
      else if (fd > 0)
        serve(fd, events[i].events);
    }
    if (waiting > 0)
      turn_wheel(clock_ms());
  }
}
