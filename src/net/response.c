/* A response as it arrives: its body is kept as a reply, or passed on to a
 * download's sink once it is seen to be what was asked for. */
#include "net/response.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

#include "base/ascii.h"
#include "net/engine.h"
#include "net/header.h"
#include "net/profile.h"
#include "net/sink.h"
#include "net/transfer_data.h"

/* A write that is refused comes again whole, so it must fit one day. */
_Static_assert(CURL_MAX_WRITE_SIZE <= RING_BYTES, "a write fits the ring");

enum {
  ERROR_BODY = 65536, /* bytes at most, of a download that was refused */
  HEADS = 1 << 20     /* and of all header lines: libcurl keeps each of them,
                       * and as many trailers as come */
};

static enum transfer_outcome verdict_of(enum sink_result result) {
  switch (result) {
  case SINK_TAKEN:
  case SINK_FULL:
    return TRANSFER_UNDER_WAY;
  case SINK_NOT_VIDEO:
    return TRANSFER_SINK_NOT_VIDEO;
  case SINK_TOO_LARGE:
    return TRANSFER_SINK_TOO_LARGE;
  case SINK_NO_MEMORY:
    return TRANSFER_NO_MEMORY;
  case SINK_ERRNO:
    break;
  }
  return TRANSFER_SINK_FAILED;
}

/* Whether the bytes are not those of the file itself: no coding was asked
 * for. */
static int is_packed(const struct transfer *transfer) {
  const char *coding = transfer_header(transfer, "Content-Encoding");
  return coding && *coding && !ascii_equal(coding, "identity");
}

/* What a 206 says must be what was asked for: the rest of the very file whose
 * beginning is in the sink. Some servers know Range and not If-Range. */
static enum transfer_outcome judge_range(const struct transfer *transfer) {
  struct sink *sink = transfer->sink;
  struct content_range range;
  const char *value = transfer_header(transfer, "Content-Range");
  const char *etag = transfer_header(transfer, "ETag");
  if (transfer->resume_from == 0 || is_packed(transfer))
    return TRANSFER_BAD_RANGE;
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
  if (sink->verify && is_packed(transfer))
    return TRANSFER_PACKED;
  if (sink->received > 0 && sink_restart(sink) < 0)
    return sink->handed > 0 ? TRANSFER_CHANGED : TRANSFER_SINK_FAILED;
  transfer->resume_from = 0;
  curl_easy_getinfo(transfer->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T,
                    &length);
  if (etag && (is_packed(transfer) || !header_etag_is_strong(etag)))
    etag = NULL;
  return verdict_of(
      sink_begin(sink, etag, length < 0 ? UINT64_MAX : (uint64_t)length));
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
  transfer_decide(transfer, TRANSFER_TOO_LARGE);
  return CURL_WRITEFUNC_ERROR;
}

static size_t keep_reply(struct transfer *transfer, const char *bytes,
                         size_t length) {
  if (transfer->sink)
    return drop_body(transfer, length);
  if (transfer->reply.length + length > transfer->profile->max_response) {
    transfer_decide(transfer, TRANSFER_TOO_LARGE);
    return CURL_WRITEFUNC_ERROR;
  }
  if (buffer_add(&transfer->reply, bytes, length) < 0) {
    transfer_decide(transfer, TRANSFER_NO_MEMORY);
    return CURL_WRITEFUNC_ERROR;
  }
  return length;
}

static size_t pass_to_sink(struct transfer *transfer, const char *bytes,
                           size_t length) {
  enum sink_result result = sink_write(transfer->sink, bytes, length);
  if (result != SINK_TAKEN && result != SINK_FULL) {
    transfer_decide(transfer, verdict_of(result));
    return CURL_WRITEFUNC_ERROR;
  }
  if (transfer->wants_bytes)
    engine_wake(transfer->engine, transfer->waiter);
  transfer->paused = result == SINK_FULL;
  return transfer->paused ? CURL_WRITEFUNC_PAUSE : length;
}

/* Before 8.1.0 libcurl keeps a pointer to the last header of a handle's last
 * response, which is gone when the next one begins: were its first header line
 * folded, it would be appended there, to freed memory.
 * https://github.com/curl/curl/pull/11103
 * So that line comes here first, and one that is folded ends the transfer, as
 * it does where there was no response before. All behind it find it alive. */
void response_watch_head(struct transfer *transfer) {
  if (!transfer->profile->is_head_watched)
    return;
  transfer->head = HEAD_STATUS;
  transfer_show_head(transfer, 1);
}

/* libcurl takes each line that begins so for the end of the head. */
static int is_blank(const char *line) {
  return *line == '\r' || *line == '\n';
}

/* A folded line; or a blank one so long that it comes in pieces. */
static int is_bad_start(const char *line, int is_end) {
  return *line == ' ' || *line == '\t' || (is_blank(line) && !is_end);
}

/* Whether another head follows; a proxy's about its tunnel has no status. */
static int is_interim(const struct transfer *transfer) {
  long status = 0;
  curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
  return status < 200;
}

/* The head line by line; a long one comes in pieces. */
static size_t pass_head(struct transfer *transfer, const char *line,
                        size_t length) {
  int is_end = line[length - 1] == '\n';
  int is_first = transfer->head == HEAD_FIRST;
  if (is_first && is_bad_start(line, is_end)) {
    transfer_decide(transfer, TRANSFER_LOST);
    return CURL_WRITEFUNC_ERROR;
  }
  if (is_first && is_blank(line) && is_interim(transfer)) {
    transfer->head = HEAD_STATUS;
  } else if (transfer->head == HEAD_STATUS) {
    transfer->head = is_end ? HEAD_FIRST : HEAD_STATUS;
  } else if (is_end) {
    transfer->head = HEAD_PASSED;
    transfer_show_head(transfer, 0);
  } else {
    transfer->head = HEAD_REST;
  }
  return length;
}

size_t response_write(char *bytes, size_t size, size_t count, void *user) {
  struct transfer *transfer = user;
  size_t length = size * count;
  size_t taken;
  if (length == 0) /* some versions say so that a body is empty, some don't */
    return 0;
  if (transfer->head != HEAD_PASSED)
    return pass_head(transfer, bytes, length);
  if (!transfer->begun) {
    enum transfer_outcome verdict = begin_body(transfer);
    if (verdict != TRANSFER_UNDER_WAY) {
      transfer_decide(transfer, verdict);
      return CURL_WRITEFUNC_ERROR;
    }
  }
  taken = transfer->to_sink ? pass_to_sink(transfer, bytes, length)
                            : keep_reply(transfer, bytes, length);
  if (taken == length) {
    transfer->moved += length;
    transfer->moved_at = transfer->engine->now;
  }
  if (transfer->headed) /* the answer may be whole by now */
    engine_wake(transfer->engine, transfer->waiter);
  return taken;
}

/* The status of a line that begins a head, or 0. */
static long status_of(const char *line, size_t length) {
  const char *blank = memchr(line, ' ', length);
  if (length < 12 || memcmp(line, "HTTP/", 5) != 0 || !blank)
    return 0;
  return strtol(blank, NULL, 10); /* a line break ends it */
}

/* What was packed has another length when it is kept. */
static void note_length(struct transfer *transfer, const char *line) {
  static const char length[] = "Content-Length:";
  static const char coding[] = "Content-Encoding:";
  if (ascii_equal_up_to(line, length, sizeof length - 1) && !transfer->packed)
    transfer->announced = strtoll(line + sizeof length - 1, NULL, 10);
  if (!ascii_equal_up_to(line, coding, sizeof coding - 1))
    return;
  transfer->packed = 1;
  transfer->announced = -1;
}

/* A head's first line alone has the status, and behind the last head come
 * trailers: other lines may look as they like. */
static void note_line(struct transfer *transfer, const char *line,
                      size_t length) {
  long status = transfer->in_head ? 0 : status_of(line, length);
  if (transfer->headed)
    return;
  transfer->in_head = !is_blank(line);
  if (status >= 200) /* below, another head follows */
    transfer->status = status;
  if (transfer->status == 0)
    return;
  if (is_blank(line))
    transfer->headed = 1;
  else
    note_length(transfer, line);
  transfer->moved_at = transfer->engine->now;
  engine_wake(transfer->engine, transfer->waiter);
}

size_t response_take_head(char *line, size_t size, size_t count, void *user) {
  struct transfer *transfer = user;
  size_t length = size * count;
  transfer->heads += length;
  if (transfer->heads > HEADS) {
    transfer_decide(transfer, TRANSFER_TOO_LARGE);
    return 0;
  }
  /* Before it has left, it is a proxy's word about its tunnel. */
  if (transfer->purpose == TRANSFER_PAID && transfer->departures > 0)
    note_line(transfer, line, length);
  return length;
}
