/* What a transfer that ended without an answer amounts to. */
#include <lauxlib.h>
#include <string.h>

#include "api/reply.h"
#include "net/profile.h"
#include "net/sink.h"

/* What another attempt may come to: who knows; an answer; the same again. */
enum outlook { OPEN, PASSING, DEFINITE };

struct loss {
  enum outlook outlook;
  enum fault_kind kind;
  const char *text; /* "%s" stands for libcurl's words */
};

/* Each outcome, whether another attempt may mend it, its kind and its text. */
#define LOSSES(LOSS)                                                           \
  LOSS(TRANSFER_UNDER_WAY, OPEN, FAULT_NETWORK,                                \
       "the request was given up before its answer came")                      \
  LOSS(TRANSFER_ANSWERED, OPEN, FAULT_PROTOCOL, "the answer can't be used")    \
  LOSS(TRANSFER_NO_HOST, PASSING, FAULT_NETWORK,                               \
       "the host name can't be resolved (%s); check base_url and "             \
       "the network")                                                          \
  LOSS(TRANSFER_NO_CONNECTION, PASSING, FAULT_NETWORK, "no connection (%s)")   \
  LOSS(TRANSFER_NO_CREDENTIALS, DEFINITE, FAULT_NETWORK,                       \
       "the proxy wants credentials, or others than it got (%s); "             \
       "proxy = \"http://user:password@host:port\" names them")                \
  LOSS(TRANSFER_NO_TLS, PASSING, FAULT_TLS, "the TLS handshake failed (%s)")   \
  LOSS(TRANSFER_BAD_CERTIFICATE, DEFINITE, FAULT_TLS,                          \
       "the certificate is not trusted (%s); the option ca_file "              \
       "names a CA of your own")                                               \
  LOSS(TRANSFER_TIMED_OUT, PASSING, FAULT_TIMEOUT,                             \
       "no answer in time; connect_timeout, request_timeout and "              \
       "stall_timeout bound an attempt")                                       \
  LOSS(TRANSFER_LOST, PASSING, FAULT_NETWORK,                                  \
       "the connection broke before the answer came (%s)")                     \
  LOSS(TRANSFER_CUT, PASSING, FAULT_NETWORK,                                   \
       "the connection broke in the middle of the answer (%s)")                \
  LOSS(TRANSFER_TOO_LARGE, OPEN, FAULT_PROTOCOL,                               \
       "the reply is larger than max_response_bytes, or has more than 1 MB "   \
       "of header lines")                                                      \
  LOSS(TRANSFER_BODY_FAILED, OPEN, FAULT_IO,                                   \
       "the file '%s' changed or vanished while it was sent; "                 \
       "nothing was submitted")                                                \
  LOSS(TRANSFER_FORBIDDEN, OPEN, FAULT_INVALID,                                \
       "the link leads to a private network address; allow_private "           \
       "= true lets it")                                                       \
  LOSS(TRANSFER_BAD_URL, DEFINITE, FAULT_INVALID,                              \
       "the URL can't be used (%s)")                                           \
  LOSS(TRANSFER_PACKED, OPEN, FAULT_PROTOCOL,                                  \
       "the server sent it packed (Content-Encoding: %s), which it was not "   \
       "asked for")                                                            \
  LOSS(TRANSFER_BAD_RANGE, OPEN, FAULT_PROTOCOL,                               \
       "the server sent another range than was asked for")                     \
  LOSS(TRANSFER_CHANGED, OPEN, FAULT_PROTOCOL,                                 \
       "the remote file must be read from its start again, and what "          \
       "was handed over can't be taken back")                                  \
  LOSS(TRANSFER_SINK_NOT_VIDEO, OPEN, FAULT_PROTOCOL,                          \
       "what arrives is no MP4 video; verify = false lets other "              \
       "content through")                                                      \
  LOSS(TRANSFER_SINK_TOO_LARGE, OPEN, FAULT_PROTOCOL,                          \
       "the file is larger than max_bytes")                                    \
  LOSS(TRANSFER_SINK_FAILED, OPEN, FAULT_IO, "writing failed: %s")             \
  LOSS(TRANSFER_NO_MEMORY, PASSING, FAULT_IO, "not enough memory")

#define CASE(outcome, outlook, kind, text)                                     \
  case outcome:                                                                \
    return (struct loss){outlook, kind, text};

/* Without a default: the compiler names the outcome that has no text. */
static struct loss loss_of(enum transfer_outcome outcome) {
  switch (outcome) { LOSSES(CASE) }
  return (struct loss){OPEN, FAULT_PROTOCOL,
                       "the transfer ended in no known way"};
}

int reply_loss_is_passing(const struct transfer *transfer) {
  return loss_of(transfer->outcome).outlook == PASSING;
}

int reply_loss_is_definite(const struct transfer *transfer) {
  return loss_of(transfer->outcome).outlook == DEFINITE;
}

static const char *detail(const struct transfer *transfer) {
  const char *coding;
  switch (transfer->outcome) {
  case TRANSFER_PACKED:
    coding = transfer_header(transfer, "Content-Encoding");
    return coding ? coding : "?";
  case TRANSFER_BODY_FAILED:
    return transfer->body.failed ? transfer->body.failed : "?";
  case TRANSFER_SINK_FAILED:
    return transfer->sink->error ? strerror(transfer->sink->error)
                                 : "the file was closed";
  case TRANSFER_TIMED_OUT:
    return "";
  default:
    return *transfer->problem ? transfer->problem : "no reason given";
  }
}

/* The same connection would be refused again; a handshake that broke, or a
 * proxy in between that was asked to end it, says nothing about the next. */
static void mend_retryable(lua_State *L, const struct loss *loss,
                           enum transfer_outcome outcome) {
  if (loss->outlook == DEFINITE)
    fault_set_retryable(L, -1, 0);
  else if (outcome == TRANSFER_NO_TLS)
    fault_set_retryable(L, -1, 1);
}

void reply_push_loss(lua_State *L, const struct transfer *transfer) {
  struct loss loss = loss_of(transfer->outcome);
  luaL_gsub(L, loss.text, "%s", detail(transfer));
  fault_push(L, transfer->profile->key, loss.kind, "%s", lua_tostring(L, -1));
  lua_remove(L, -2);
  mend_retryable(L, &loss, transfer->outcome);
  if (transfer->status > 0) {
    lua_pushinteger(L, transfer->status);
    lua_setfield(L, -2, "http_status");
  }
}
