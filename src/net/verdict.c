/* What a transfer amounts to: libcurl's word for its end, weighed against what
 * arrived of the answer. */
#include "net/verdict.h"

#include <curl/curl.h>

#include "base/jsontext.h"

static enum transfer_outcome outcome_of(CURLcode code) {
  switch (code) {
  case CURLE_OK:
    return TRANSFER_ANSWERED;
  case CURLE_COULDNT_RESOLVE_HOST:
  case CURLE_COULDNT_RESOLVE_PROXY:
    return TRANSFER_NO_HOST;
  case CURLE_COULDNT_CONNECT:
    return TRANSFER_NO_CONNECTION;
  case CURLE_SSL_CONNECT_ERROR:
    return TRANSFER_NO_TLS;
  case CURLE_PEER_FAILED_VERIFICATION:
  case CURLE_SSL_CERTPROBLEM:
  case CURLE_SSL_CIPHER:
  case CURLE_SSL_CACERT_BADFILE:
  case CURLE_SSL_CRL_BADFILE:
  case CURLE_SSL_ISSUER_ERROR:
    return TRANSFER_BAD_CERTIFICATE;
  case CURLE_OPERATION_TIMEDOUT:
    return TRANSFER_TIMED_OUT;
  case CURLE_PARTIAL_FILE:
    return TRANSFER_CUT;
  case CURLE_BAD_CONTENT_ENCODING:
    return TRANSFER_PACKED;
  case CURLE_URL_MALFORMAT:
  case CURLE_UNSUPPORTED_PROTOCOL:
    return TRANSFER_BAD_URL;
  case CURLE_OUT_OF_MEMORY:
    return TRANSFER_NO_MEMORY;
  default:
    return TRANSFER_LOST;
  }
}

/* libcurl says 18 for a body that was cut; it says 56 or 92 as well. And it
 * calls an answer that is no HTTP an unsupported protocol. */
static enum transfer_outcome refined(const struct transfer *transfer,
                                     enum transfer_outcome outcome) {
  if (outcome == TRANSFER_LOST && transfer->begun)
    return TRANSFER_CUT;
  if (outcome == TRANSFER_BAD_URL && transfer->departures > 0)
    return TRANSFER_LOST;
  /* A header line beyond libcurl's limit is called this as well. */
  if (outcome == TRANSFER_NO_MEMORY && transfer->departures > 0)
    return TRANSFER_LOST;
  return outcome;
}

/* Why there was no way through the proxy. */
static enum transfer_outcome judged_proxy(const struct transfer *transfer,
                                          CURLcode code,
                                          enum transfer_outcome outcome) {
  long connect_status = 0, error = CURLPX_OK;
  if (transfer->departures > 0 || code == CURLE_OK)
    return outcome;
  curl_easy_getinfo(transfer->easy, CURLINFO_HTTP_CONNECTCODE, &connect_status);
  curl_easy_getinfo(transfer->easy, CURLINFO_PROXY_ERROR, &error);
  if (connect_status == 407)
    return TRANSFER_NO_CREDENTIALS;
  switch (error) {
  case CURLPX_NO_AUTH:
  case CURLPX_USER_REJECTED:
  case CURLPX_IDENTD:
  case CURLPX_IDENTD_DIFFER:
  case CURLPX_LONG_USER:
  case CURLPX_LONG_PASSWD:
    return TRANSFER_NO_CREDENTIALS;
  default:
    return code == CURLE_PROXY ? TRANSFER_NO_CONNECTION : outcome;
  }
}

/* Whether libcurl still has some of the request's body to send. */
static int is_uploading(const struct transfer *transfer) {
  curl_off_t sent = 0;
  curl_easy_getinfo(transfer->easy, CURLINFO_SIZE_UPLOAD_T, &sent);
  return !body_is_done(&transfer->body) ||
         (uint64_t)sent < transfer->body.length;
}

/* Where no length is announced, and libcurl thinks of the other direction, the
 * JSON text's own end tells. */
int verdict_is_answered(const struct transfer *transfer) {
  const struct buffer *reply = &transfer->reply;
  if (!transfer->headed)
    return 0;
  if (transfer->announced >= 0 &&
      (uint64_t)transfer->announced == reply->length)
    return 1;
  if (!is_uploading(transfer))
    return 0;
  return transfer->status >= 300 ||
         (transfer->announced < 0 &&
          jsontext_is_closed(reply->bytes, reply->length));
}

enum transfer_outcome verdict_weigh(struct transfer *transfer,
                                    enum transfer_outcome outcome) {
  if (outcome == TRANSFER_ANSWERED || transfer->purpose != TRANSFER_PAID ||
      transfer->departures == 0)
    return outcome;
  transfer->cut = transfer->status >= 300 || verdict_is_answered(transfer);
  return transfer->cut ? TRANSFER_ANSWERED : outcome;
}

enum transfer_outcome verdict_of(const struct transfer *transfer, int code) {
  enum transfer_outcome outcome = refined(transfer, outcome_of((CURLcode)code));
  return judged_proxy(transfer, (CURLcode)code, outcome);
}
