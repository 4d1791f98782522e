/* Base64 (RFC 4648, padded) by pieces. */
#ifndef MINIMAX_BASE64_H
#define MINIMAX_BASE64_H

#include <stddef.h>
#include <stdint.h>

/* Characters that `length` bytes become. */
uint64_t base64_length(uint64_t length);

/*
 * Writes base64_length(length) characters to `out`, without a NUL, and returns
 * their number. Pieces of a longer text must be multiples of 3 bytes, but for
 * the last.
 */
size_t base64_encode(const unsigned char *bytes, size_t length, char *out);

#endif
