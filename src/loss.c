/* What a transfer that ended without an answer amounts to. */
#include <lauxlib.h>
#include <string.h>

#include "profile.h"
#include "reply.h"
#include "sink.h"

/* "%s" stands for libcurl's words. */
static const struct {
  enum fault_kind kind;
  const char *text;
} losses[] = {
    [TRANSFER_NO_HOST] = {FAULT_NETWORK,
                          "the host name can't be resolved (%s); check "
                          "base_url and the network"},
    [TRANSFER_NO_CONNECTION] = {FAULT_NETWORK, "no connection (%s)"},
    [TRANSFER_NO_TLS] = {FAULT_TLS, "the TLS handshake failed (%s)"},
    [TRANSFER_BAD_CERTIFICATE] = {FAULT_TLS,
                                  "the certificate is not trusted (%s); the "
                                  "option ca_file names a CA of your own"},
    [TRANSFER_TIMED_OUT] =
        {FAULT_TIMEOUT,
         "no answer in time; connect_timeout, request_timeout and "
         "stall_timeout bound an attempt"},
    [TRANSFER_LOST] = {FAULT_NETWORK,
                       "the connection broke before the answer came (%s)"},
    [TRANSFER_CUT] = {FAULT_NETWORK,
                      "the connection broke in the middle of the answer (%s)"},
    [TRANSFER_TOO_LARGE] = {FAULT_PROTOCOL,
                            "the reply is larger than max_response_bytes"},
    [TRANSFER_BODY_FAILED] = {FAULT_IO,
                              "the file '%s' changed or vanished while it was "
                              "sent; nothing was submitted"},
    [TRANSFER_FORBIDDEN] = {FAULT_INVALID,
                            "the link leads to a private network address; "
                            "allow_private = true lets it"},
    [TRANSFER_BAD_URL] = {FAULT_INVALID, "the URL can't be used (%s)"},
    [TRANSFER_BAD_RANGE] = {FAULT_PROTOCOL,
                            "the server sent another range than was asked "
                            "for"},
    [TRANSFER_CHANGED] = {FAULT_PROTOCOL,
                          "the remote file must be read from its start again, "
                          "and what was handed over can't be taken back"},
    [TRANSFER_SINK_NOT_VIDEO] = {FAULT_PROTOCOL,
                                 "what arrives is no MP4 video; verify = false "
                                 "lets other content through"},
    [TRANSFER_SINK_TOO_LARGE] = {FAULT_PROTOCOL,
                                 "the file is larger than max_bytes"},
    [TRANSFER_SINK_FAILED] = {FAULT_IO, "writing failed: %s"},
    [TRANSFER_NO_MEMORY] = {FAULT_IO, "not enough memory"},
};

enum fault_kind reply_loss_kind(const struct transfer *transfer) {
  return losses[transfer->outcome].kind;
}

static const char *detail(const struct transfer *transfer) {
  switch (transfer->outcome) {
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

void reply_push_loss(lua_State *L, const struct transfer *transfer) {
  const char *text = losses[transfer->outcome].text;
  luaL_gsub(L, text, "%s", detail(transfer));
  fault_push(L, transfer->profile->key, losses[transfer->outcome].kind, "%s",
             lua_tostring(L, -1));
  lua_remove(L, -2);
  if (transfer->status > 0) {
    lua_pushinteger(L, transfer->status);
    lua_setfield(L, -2, "http_status");
  }
}
