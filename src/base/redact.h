/* Cuts secrets out of texts that people see. */
#ifndef MINIMAX_REDACT_H
#define MINIMAX_REDACT_H

#include <stddef.h>

#include "base/buffer.h"

/*
 * Appends `text` to `out` with each occurrence of `secret` (the API key; may
 * be NULL or empty; one shorter than 4 characters is not looked for) replaced
 * by `[key]`, the query string of each http(s) URL by `?[cut]` and its user
 * information by `[cut]@`, and each control character by a space. Bytes that
 * are not valid UTF-8 become `?`. 0, or -1 when memory ends.
 */
int redact_text(const char *text, size_t length, const char *secret,
                struct buffer *out);

/* Replaces each occurrence of `secret` by `[key]` in place; returns the length
 * of what is left. One so short that it may be part of an id is left alone. */
size_t redact_in_place(char *text, size_t length, const char *secret);

#endif
