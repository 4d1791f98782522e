/* A hash of bytes: FNV-1a, 64 bits. */
#include "base/hash.h"

uint64_t hash_add(uint64_t hash, const char *bytes, size_t length) {
  for (size_t i = 0; i < length; i++)
    hash = (hash ^ (unsigned char)bytes[i]) * UINT64_C(1099511628211);
  return hash;
}
