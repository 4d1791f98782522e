/* What a transfer amounts to: libcurl's word for its end, weighed against what
 * arrived of the answer. */
#ifndef MINIMAX_VERDICT_H
#define MINIMAX_VERDICT_H

#include "net/transfer_data.h"

/* What libcurl says with this CURLcode. */
enum transfer_outcome verdict_of(const struct transfer *transfer, int code);

/* What arrived decides, however a paid request ends: a whole answer, or a
 * status line that refuses, whatever became of its body. One that reads is sent
 * again rather. */
enum transfer_outcome verdict_weigh(struct transfer *transfer,
                                    enum transfer_outcome outcome);

/* Whether the answer is there although libcurl does not say so: it may be in
 * the midst of the request's body, and an answer need not wait for its end (RFC
 * 9113, section 8.1). */
int verdict_is_answered(const struct transfer *transfer);

#endif
