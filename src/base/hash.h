/* A hash of bytes: FNV-1a, 64 bits. Against chance, not against malice. */
#ifndef MINIMAX_HASH_H
#define MINIMAX_HASH_H

#include <stddef.h>
#include <stdint.h>

#define HASH_EMPTY UINT64_C(14695981039346656037)

/* The hash of what `hash` stands for, followed by these bytes. */
uint64_t hash_add(uint64_t hash, const char *bytes, size_t length);

#endif
