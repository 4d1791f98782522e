/* The easy handle of a transfer: every libcurl option and every callback. */
#include "handle.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "address.h"
#include "engine.h"
#include "header.h"
#include "lookup.h"
#include "profile.h"
#include "sink.h"
#include "url.h"

enum {
  FETCH_BUFFER = 524288, /* five reads for 10 MB instead of 28 */
  ERROR_BODY = 65536     /* at most, of a download that was refused */
};

#define AGENT "minimax-lua/0.1.0"

/* Ends the transfer from inside a callback; libcurl's code for it says less
 * than this does. */
static void decide(struct transfer *transfer, enum transfer_outcome outcome) {
  if (transfer->stopped == TRANSFER_UNDER_WAY)
    transfer->stopped = outcome;
}

/* Through a proxy only the URL's own address can be checked. */
static int is_refused(const struct transfer *transfer, int is_private) {
  if (transfer->purpose != TRANSFER_FETCH || transfer->allow_private)
    return 0;
  return transfer->names_private || (is_private && !transfer->proxied);
}

static curl_socket_t on_open(void *user, curlsocktype type,
                             struct curl_sockaddr *address) {
  struct transfer *transfer = user;
  int fd;
  (void)type;
  lookup_over(transfer);
  if (transfer->abandoned)
    return CURL_SOCKET_BAD;
  if (is_refused(transfer, address_is_private(&address->addr))) {
    decide(transfer, TRANSFER_FORBIDDEN);
    return CURL_SOCKET_BAD;
  }
#ifdef SOCK_CLOEXEC
  /* A child of io.popen must not hold the connection open. */
  fd = socket(address->family, address->socktype | SOCK_CLOEXEC,
              address->protocol);
#else
  fd = socket(address->family, address->socktype, address->protocol);
  if (fd >= 0)
    fcntl(fd, F_SETFD, FD_CLOEXEC);
#endif
  if (fd < 0)
    return CURL_SOCKET_BAD;
  poller_opened(&transfer->engine->poller, fd);
  return fd;
}

/* Called with the engine: the connection outlives the transfer. */
static int on_close(void *user, curl_socket_t fd) {
  struct engine *engine = user;
  poller_closing(&engine->poller, fd);
  return close(fd);
}

/* The connection stands and the request is about to leave. libcurl would send
 * a paid request again by itself when a reused connection dies or HTTP/2
 * refuses the stream: here that ends. */
static int on_departure(void *user, char *peer, char *local, int peer_port,
                        int local_port) {
  struct transfer *transfer = user;
  (void)local, (void)peer_port, (void)local_port;
  if (is_refused(transfer, address_name_is_private(peer))) {
    decide(transfer, TRANSFER_FORBIDDEN);
    return CURL_PREREQFUNC_ABORT;
  }
  lookup_over(transfer);
  if (transfer->abandoned)
    return CURL_PREREQFUNC_ABORT;
  transfer->departures++;
  if (transfer->purpose == TRANSFER_PAID && transfer->departures > 1) {
    decide(transfer, TRANSFER_LOST);
    return CURL_PREREQFUNC_ABORT;
  }
  return CURL_PREREQFUNC_OK;
}

static size_t on_read(char *out, size_t size, size_t count, void *user) {
  struct transfer *transfer = user;
  ptrdiff_t read = body_read(&transfer->body, out, size * count);
  if (read < 0) {
    decide(transfer, TRANSFER_BODY_FAILED);
    return CURL_READFUNC_ABORT;
  }
  if (transfer->moved == 0) /* from here on another clock counts */
    engine_wake(transfer->engine, transfer->waiter);
  transfer->moved += (uint64_t)read;
  if (body_is_done(&transfer->body))
    transfer->waiting_since = transfer->engine->now;
  return (size_t)read;
}

static enum transfer_outcome verdict_of(enum sink_result result) {
  static const enum transfer_outcome verdicts[] = {
      [SINK_TAKEN] = TRANSFER_UNDER_WAY,
      [SINK_FULL] = TRANSFER_UNDER_WAY,
      [SINK_NOT_VIDEO] = TRANSFER_SINK_NOT_VIDEO,
      [SINK_TOO_LARGE] = TRANSFER_SINK_TOO_LARGE,
      [SINK_NO_MEMORY] = TRANSFER_NO_MEMORY,
      [SINK_ERRNO] = TRANSFER_SINK_FAILED,
  };
  return verdicts[result];
}

/* What a 206 says must be what was asked for: the rest of the very file whose
 * beginning is in the sink. Some servers know Range and not If-Range. */
static enum transfer_outcome judge_range(const struct transfer *transfer) {
  struct sink *sink = transfer->sink;
  struct content_range range;
  const char *value = transfer_header(transfer, "Content-Range");
  const char *etag = transfer_header(transfer, "ETag");
  if (!value || header_content_range(value, &range) < 0 ||
      range.first != transfer->resume_from || range.total == HEADER_UNKNOWN ||
      range.last + 1 != range.total)
    return TRANSFER_BAD_RANGE;
  if (!etag || !sink->etag || strcmp(etag, sink->etag) != 0)
    return TRANSFER_BAD_RANGE;
  if (sink->total != UINT64_MAX && sink->total != range.total)
    return TRANSFER_BAD_RANGE;
  sink->total = range.total;
  return range.total > sink->limit ? TRANSFER_SINK_TOO_LARGE
                                   : TRANSFER_UNDER_WAY;
}

/* A 200 is the whole file, whether a range was asked for or not. */
static enum transfer_outcome judge_whole(struct transfer *transfer) {
  struct sink *sink = transfer->sink;
  const char *etag = transfer_header(transfer, "ETag");
  curl_off_t length = -1;
  if (sink->received > 0 && sink_restart(sink) < 0)
    return TRANSFER_CHANGED;
  transfer->resume_from = 0;
  curl_easy_getinfo(transfer->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T,
                    &length);
  return verdict_of(
      sink_begin(sink, etag && header_etag_is_strong(etag) ? etag : NULL,
                 length < 0 ? UINT64_MAX : (uint64_t)length));
}

/* The first byte of the response body: where do the bytes go? */
static enum transfer_outcome begin_body(struct transfer *transfer) {
  long status = 0;
  transfer->begun = 1;
  transfer->marked_at = transfer->engine->now;
  transfer->marked_bytes = transfer->moved;
  /* From here on another clock counts. */
  engine_wake(transfer->engine, transfer->waiter);
  if (!transfer->sink)
    return TRANSFER_UNDER_WAY;
  curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
  transfer->to_sink = status == 200 || status == 206;
  if (status == 206)
    return judge_range(transfer);
  return status == 200 ? judge_whole(transfer) : TRANSFER_UNDER_WAY;
}

/* What a storage host says instead of the file: nobody reads it. */
static size_t drop_body(struct transfer *transfer, size_t length) {
  if (transfer->moved + length <= ERROR_BODY)
    return length;
  decide(transfer, TRANSFER_TOO_LARGE);
  return CURL_WRITEFUNC_ERROR;
}

static size_t keep_reply(struct transfer *transfer, const char *bytes,
                         size_t length) {
  if (transfer->sink)
    return drop_body(transfer, length);
  if (transfer->reply.length + length > transfer->profile->max_response) {
    decide(transfer, TRANSFER_TOO_LARGE);
    return CURL_WRITEFUNC_ERROR;
  }
  if (buffer_add(&transfer->reply, bytes, length) < 0) {
    decide(transfer, TRANSFER_NO_MEMORY);
    return CURL_WRITEFUNC_ERROR;
  }
  return length;
}

static size_t pass_to_sink(struct transfer *transfer, const char *bytes,
                           size_t length) {
  enum sink_result result = sink_write(transfer->sink, bytes, length);
  if (result != SINK_TAKEN && result != SINK_FULL) {
    decide(transfer, verdict_of(result));
    return CURL_WRITEFUNC_ERROR;
  }
  if (transfer->wants_bytes)
    engine_wake(transfer->engine, transfer->waiter);
  transfer->paused = result == SINK_FULL;
  return transfer->paused ? CURL_WRITEFUNC_PAUSE : length;
}

static size_t on_write(char *bytes, size_t size, size_t count, void *user) {
  struct transfer *transfer = user;
  size_t length = size * count;
  size_t taken;
  if (!transfer->begun) {
    enum transfer_outcome verdict = begin_body(transfer);
    if (verdict != TRANSFER_UNDER_WAY) {
      decide(transfer, verdict);
      return CURL_WRITEFUNC_ERROR;
    }
  }
  taken = transfer->to_sink ? pass_to_sink(transfer, bytes, length)
                            : keep_reply(transfer, bytes, length);
  if (taken == length)
    transfer->moved += length;
  return taken;
}

static void set_callbacks(struct transfer *transfer) {
  CURL *easy = transfer->easy;
  curl_easy_setopt(easy, CURLOPT_PRIVATE, (void *)transfer);
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->problem);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_write);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open);
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, transfer);
  curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, on_close);
  curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, transfer->engine);
  curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_departure);
  curl_easy_setopt(easy, CURLOPT_PREREQDATA, transfer);
}

static void set_trust(struct transfer *transfer) {
  const struct profile *profile = transfer->profile;
  CURL *easy = transfer->easy;
  if (profile->ca_file) {
    curl_easy_setopt(easy, CURLOPT_CAINFO, profile->ca_file);
    curl_easy_setopt(easy, CURLOPT_PROXY_CAINFO, profile->ca_file);
  }
  if (profile->ca_path) {
    curl_easy_setopt(easy, CURLOPT_CAPATH, profile->ca_path);
    curl_easy_setopt(easy, CURLOPT_PROXY_CAPATH, profile->ca_path);
  }
  if (profile->insecure) {
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
    curl_easy_setopt(easy, CURLOPT_PROXY_SSL_VERIFYPEER, 0L);
    curl_easy_setopt(easy, CURLOPT_PROXY_SSL_VERIFYHOST, 0L);
  }
}

static int set_proxy(struct transfer *transfer, const char *url) {
  struct url_parts parts;
  const char *proxy;
  CURLcode result;
  if (url_take_apart(url, &parts) < 0)
    return 0; /* libcurl will say so */
  proxy = profile_proxy(transfer->profile, parts.scheme, parts.host);
  transfer->proxied = proxy != NULL;
  transfer->names_private = address_name_is_private(parts.host);
  transfer->needs_lookup = proxy || lookup_is_needed(parts.host);
  url_free(&parts);
  /* Said explicitly, or libcurl would look into the environment. */
  result = curl_easy_setopt(transfer->easy, CURLOPT_PROXY, proxy ? proxy : "");
  curl_easy_setopt(transfer->easy, CURLOPT_NOPROXY, "");
  return result == CURLE_OK ? 0 : -1;
}

int handle_dress(struct transfer *transfer) {
  CURL *easy = transfer->easy;
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  /* Cancelling in the middle of a name lookup must not wait for it. */
  curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
  curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                   (long)transfer->profile->connect_timeout);
  /* Over TLS the handshake tells whether the server speaks HTTP/2, and waiting
   * for it saves connections. Without, only its first answer would tell. */
  curl_easy_setopt(easy, CURLOPT_PIPEWAIT,
                   (long)!profile_is_plain(transfer->profile));
  curl_easy_setopt(easy, CURLOPT_SHARE, transfer->profile->share);
  set_callbacks(transfer);
  set_trust(transfer);
  if (curl_easy_setopt(easy, CURLOPT_USERAGENT, AGENT) != CURLE_OK)
    return -1;
  if (transfer->purpose == TRANSFER_FETCH)
    return 0; /* each download has a host of its own */
  return set_proxy(transfer, transfer->profile->base);
}

static int add_header(struct transfer *transfer, const char *name,
                      const char *value) {
  struct buffer line = {0};
  struct curl_slist *grown = NULL;
  if (buffer_add_text(&line, name) == 0 && buffer_add_text(&line, ": ") == 0 &&
      buffer_add_text(&line, value) == 0)
    grown = curl_slist_append(transfer->headers, line.bytes);
  buffer_free(&line);
  if (!grown)
    return -1;
  transfer->headers = grown;
  return 0;
}

/* The client's own headers, for requests that need others besides. */
static int copy_headers(struct transfer *transfer) {
  const struct curl_slist *each = transfer->profile->headers;
  for (; each; each = each->next) {
    struct curl_slist *grown = curl_slist_append(transfer->headers, each->data);
    if (!grown)
      return -1;
    transfer->headers = grown;
  }
  return 0;
}

/* They, with another content type than JSON. */
static int set_type(struct transfer *transfer, const char *type) {
  if (copy_headers(transfer) < 0 ||
      add_header(transfer, "Content-Type", type) < 0)
    return -1;
  /* "Expect:" without a value takes libcurl's own away. */
  return curl_slist_append(transfer->headers, "Expect:") ? 0 : -1;
}

static int address_fetch(struct transfer *transfer,
                         const struct transfer_order *order) {
  CURL *easy = transfer->easy;
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR,
                   profile_is_plain(transfer->profile) ? "http,https"
                                                       : "https");
  /* A paused HTTP/2 stream would hold up its neighbours. */
  curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
  curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, (long)FETCH_BUFFER);
  if (order->with_key && copy_headers(transfer) < 0)
    return -1;
  if (transfer->resume_from > 0) {
    char range[32];
    snprintf(range, sizeof range, "bytes=%llu-",
             (unsigned long long)transfer->resume_from);
    if (add_header(transfer, "Range", range) < 0 ||
        add_header(transfer, "If-Range", transfer->sink->etag) < 0)
      return -1;
  }
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, transfer->headers);
  return 0;
}

static void send_body(struct transfer *transfer) {
  CURL *easy = transfer->easy;
  curl_easy_setopt(easy, CURLOPT_POST, 1L);
  curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                   (curl_off_t)transfer->body.length);
  /* No SEEKFUNCTION: libcurl can't rewind, so it can't send it twice. */
  curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_read);
  curl_easy_setopt(easy, CURLOPT_READDATA, transfer);
}

/* Of these a server expects a length, be it 0. */
static int announces_body(const char *method) {
  return strcmp(method, "POST") == 0 || strcmp(method, "PUT") == 0 ||
         strcmp(method, "PATCH") == 0;
}

static int address_call(struct transfer *transfer,
                        const struct transfer_order *order) {
  CURL *easy = transfer->easy;
  const struct curl_slist *headers = transfer->profile->headers;
  int has_body = transfer->body.length > 0 || announces_body(order->method);
  int is_get = !has_body && strcmp(order->method, "GET") == 0;
  transfer->reusable = is_get && transfer->purpose == TRANSFER_READ;
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  if (has_body)
    send_body(transfer);
  if (!is_get)
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, order->method);
  if (transfer->purpose == TRANSFER_PAID) /* a pooled one may be dead */
    curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
  if (has_body && order->content_type) {
    if (set_type(transfer, order->content_type) < 0)
      return -1;
    headers = transfer->headers;
  } else if (has_body) {
    headers = transfer->profile->json_headers;
  }
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
  return 0;
}

int handle_address(struct transfer *transfer,
                   const struct transfer_order *order) {
  if (curl_easy_setopt(transfer->easy, CURLOPT_URL, order->url) != CURLE_OK)
    return -1;
  if (transfer->purpose != TRANSFER_FETCH)
    return address_call(transfer, order);
  if (set_proxy(transfer, order->url) < 0)
    return -1;
  return address_fetch(transfer, order);
}
