/* The easy handle of a transfer: every libcurl option and every callback. */
#include "net/easy.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/address.h"
#include "base/ascii.h"
#include "net/engine.h"
#include "net/lookup.h"
#include "net/profile.h"
#include "net/response.h"
#include "net/send_once.h"
#include "net/sink.h"
#include "net/url.h"

/* libcurl reads up to a hundred times in one turn: so much goes to a file, and
 * other work has its turn. The ring is full long before, and a stream that a
 * program opened is for speed: there larger reads save time, up to what the
 * processor's caches hold. */
enum { FILE_BUFFER = 16384, STREAM_BUFFER = 65536 };

#define AGENT "minimax-lua/0.1.0"

static curl_socket_t on_open(void *user, curlsocktype type,
                             struct curl_sockaddr *address) {
  struct transfer *transfer = user;
  int fd;
  (void)type;
  if (send_once_is_forbidden(transfer, address_is_private(&address->addr))) {
    transfer_decide(transfer, TRANSFER_FORBIDDEN);
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
  if (fd >= 0)
    fd = engine_avoid_broken(transfer->engine, fd);
  if (fd < 0)
    return CURL_SOCKET_BAD;
  transfer->opened = fd;
  poller_opened(&transfer->engine->poller, fd);
  transfer->connected = 1;
  return fd;
}

/* Called with the engine: the connection outlives the transfer. */
static int on_close(void *user, curl_socket_t fd) {
  struct engine *engine = user;
  poller_closing(&engine->poller, fd);
  return close(fd);
}

static size_t on_read(char *out, size_t size, size_t count, void *user) {
  struct transfer *transfer = user;
  ptrdiff_t read = body_read(&transfer->body, out, size * count);
  if (read < 0) {
    transfer_decide(transfer, TRANSFER_BODY_FAILED);
    return CURL_READFUNC_ABORT;
  }
  if (transfer->moved == 0) /* from here on another clock counts */
    engine_wake(transfer->engine, transfer->waiter);
  transfer->moved += (uint64_t)read;
  transfer->moved_at = transfer->engine->now;
  if (read > 0 && body_is_done(&transfer->body))
    transfer->waiting_since = transfer->engine->now;
  return (size_t)read;
}

static void set_callbacks(struct transfer *transfer) {
  CURL *easy = transfer->easy;
  curl_easy_setopt(easy, CURLOPT_PRIVATE, (void *)transfer);
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->problem);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, response_write);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open);
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, transfer);
  curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, on_close);
  curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, transfer->engine);
  curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, send_once_allow);
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

static int set_proxy(struct transfer *transfer, const struct url_parts *parts) {
  const struct profile *profile = transfer->profile;
  const char *proxy = profile_proxy(profile, parts->scheme, parts->host);
  CURLcode result;
  transfer->proxied = proxy != NULL;
  transfer->is_relayed = proxy && strcmp(parts->scheme, "http") == 0 &&
                         !ascii_equal_up_to(proxy, "socks", 5);
  if (lookup_plan(transfer, parts, proxy) < 0)
    return -1;
  /* Said explicitly, or libcurl would look into the environment. */
  result = curl_easy_setopt(transfer->easy, CURLOPT_PROXY, proxy ? proxy : "");
  curl_easy_setopt(transfer->easy, CURLOPT_NOPROXY, "");
  return result == CURLE_OK ? 0 : -1;
}

/* Of API calls, which all go to one host. */
static int set_api_proxy(struct transfer *transfer) {
  struct profile *profile = transfer->profile;
  if (!profile->parts.host &&
      url_take_apart(profile->base, &profile->parts) < 0)
    return 0; /* libcurl will say so */
  return set_proxy(transfer, &profile->parts);
}

static int set_link_proxy(struct transfer *transfer, const char *url) {
  struct url_parts parts;
  int result;
  if (url_take_apart(url, &parts) < 0)
    return 0;
  transfer->names_private = address_name_is_private(parts.host);
  result = set_proxy(transfer, &parts);
  url_free(&parts);
  return result;
}

/* Nothing but the bytes as they are is asked for. With this option set, libcurl
 * undoes what an answer says it was packed with all the same; not for a
 * download, whose bytes must be the file's own. */
static int set_coding(struct transfer *transfer) {
  if (transfer->purpose == TRANSFER_FETCH)
    curl_easy_setopt(transfer->easy, CURLOPT_HTTP_CONTENT_DECODING, 0L);
  return curl_easy_setopt(transfer->easy, CURLOPT_ACCEPT_ENCODING,
                          "identity") == CURLE_OK
             ? 0
             : -1;
}

/* What is too long ends as what is no URL at all. */
#define UNUSABLE "http://"

static int set_url(const struct transfer *transfer, const char *url) {
  CURLcode result = curl_easy_setopt(transfer->easy, CURLOPT_URL, url);
  if (result == CURLE_BAD_FUNCTION_ARGUMENT)
    result = curl_easy_setopt(transfer->easy, CURLOPT_URL, UNUSABLE);
  return result == CURLE_OK ? 0 : -1;
}

int easy_dress(struct transfer *transfer) {
  CURL *easy = transfer->easy;
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  /* Should it look up a name after all, its end must not wait for that. */
  curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
  curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
  transfer_limit_connect(transfer, transfer->profile->connect_timeout);
  curl_easy_setopt(easy, CURLOPT_SHARE, transfer->profile->share);
  set_callbacks(transfer);
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, response_take_head);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
  set_trust(transfer);
  if (curl_easy_setopt(easy, CURLOPT_USERAGENT, AGENT) != CURLE_OK ||
      set_coding(transfer) < 0)
    return -1;
  if (transfer->purpose == TRANSFER_FETCH)
    return 0; /* each download has a host of its own */
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  if (set_url(transfer, transfer->profile->base) < 0)
    return -1;
  return set_api_proxy(transfer);
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
  curl_easy_setopt(easy, CURLOPT_BUFFERSIZE,
                   transfer->sink->to_file ? (long)FILE_BUFFER
                                           : (long)STREAM_BUFFER);
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
  /* A connection that is being made will carry this request, too. Over HTTP/1.1
   * libcurl 8 would wait here for an answer. */
  curl_easy_setopt(easy, CURLOPT_PIPEWAIT,
                   (long)(transfer->profile->alpn == ALPN_HTTP2));
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

void easy_connect_afresh(struct transfer *transfer) {
  transfer->reusable = 0; /* or it would do so for every later request */
  curl_easy_setopt(transfer->easy, CURLOPT_FRESH_CONNECT, 1L);
}

/* In its URL libcurl finds the host alone, so that API calls have one for all;
 * what the request asks for there it is told to the byte. */
static int set_target(const struct transfer *transfer, const char *url) {
  struct buffer target = {0};
  CURLcode result = CURLE_OUT_OF_MEMORY;
  if (url_add_target(&target, url, transfer->is_relayed) == 0)
    result =
        curl_easy_setopt(transfer->easy, CURLOPT_REQUEST_TARGET, target.bytes);
  buffer_free(&target);
  if (result == CURLE_BAD_FUNCTION_ARGUMENT)
    return set_url(transfer, UNUSABLE);
  return result == CURLE_OK ? 0 : -1;
}

int easy_address(struct transfer *transfer,
                 const struct transfer_order *order) {
  int is_fetch = transfer->purpose == TRANSFER_FETCH;
  if (is_fetch && (set_link_proxy(transfer, order->url) < 0 ||
                   set_url(transfer, order->url) < 0))
    return -1;
  if (set_target(transfer, order->url) < 0)
    return -1;
  return is_fetch ? address_fetch(transfer, order)
                  : address_call(transfer, order);
}
