/* One HTTP exchange as data. */
#include "net/transfer_data.h"

#include <curl/curl.h>
#include <limits.h>

#include "net/url.h"

void transfer_decide(struct transfer *transfer, enum transfer_outcome outcome) {
  if (transfer->stopped == TRANSFER_UNDER_WAY)
    transfer->stopped = outcome;
}

const char *transfer_header(const struct transfer *transfer, const char *name) {
  struct curl_header *header;
  if (curl_easy_header(transfer->easy, name, 0, CURLH_HEADER, -1, &header) !=
      CURLHE_OK)
    return NULL;
  return header->value;
}

/* Not CURLINFO_REDIRECT_URL: that is known only at the end of the body. */
char *transfer_redirect(const struct transfer *transfer, const char *url) {
  const char *location = transfer_header(transfer, "Location");
  return location ? url_joined(url, location) : NULL;
}

int transfer_http_version(const struct transfer *transfer) {
  long version = 0;
  curl_easy_getinfo(transfer->easy, CURLINFO_HTTP_VERSION, &version);
  switch (version) {
  case CURL_HTTP_VERSION_1_0:
  case CURL_HTTP_VERSION_1_1:
    return 1;
  case CURL_HTTP_VERSION_2_0:
    return 2;
  default:
    return 0;
  }
}

int transfer_may_have_arrived(const struct transfer *transfer) {
  if (transfer->outcome == TRANSFER_BODY_FAILED && transfer->status == 0)
    return 0; /* we broke it off, and nobody had accepted it */
  return transfer->departures > 0;
}

/* libcurl counts in an int of milliseconds. */
void transfer_limit_connect(const struct transfer *transfer, uint64_t ms) {
  curl_easy_setopt(transfer->easy, CURLOPT_CONNECTTIMEOUT_MS,
                   ms < INT_MAX ? (long)ms : (long)INT_MAX);
}

void transfer_show_head(const struct transfer *transfer, int is_shown) {
  curl_easy_setopt(transfer->easy, CURLOPT_HEADER, (long)is_shown);
}
