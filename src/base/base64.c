/* Base64 (RFC 4648, padded) by pieces. */
#include "base/base64.h"

static const char alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

uint64_t base64_length(uint64_t length) {
  return length / 3 * 4 + (length % 3 == 0 ? 0 : 4);
}

/* The last one or two bytes, padded. */
static void encode_rest(const unsigned char *bytes, size_t length, char *out) {
  unsigned bits = (unsigned)bytes[0] << 16;
  if (length == 2)
    bits |= (unsigned)bytes[1] << 8;
  out[0] = alphabet[bits >> 18];
  out[1] = alphabet[bits >> 12 & 63];
  out[2] = length == 2 ? alphabet[bits >> 6 & 63] : '=';
  out[3] = '=';
}

size_t base64_encode(const unsigned char *bytes, size_t length, char *out) {
  const char *begin = out;
  for (; length >= 3; length -= 3, bytes += 3, out += 4) {
    unsigned bits =
        (unsigned)bytes[0] << 16 | (unsigned)bytes[1] << 8 | (unsigned)bytes[2];
    out[0] = alphabet[bits >> 18];
    out[1] = alphabet[bits >> 12 & 63];
    out[2] = alphabet[bits >> 6 & 63];
    out[3] = alphabet[bits & 63];
  }
  if (length > 0) {
    encode_rest(bytes, length, out);
    out += 4;
  }
  return (size_t)(out - begin);
}
