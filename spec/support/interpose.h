/* For libraries that are loaded ahead of others and have functions of the same
 * names. They are compiled with 64 bits for file offsets, as the module is:
 * then glibc calls some functions by another name, "pwrite64". */
#ifndef MINIMAX_INTERPOSE_H
#define MINIMAX_INTERPOSE_H

#include <dlfcn.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#ifdef __GLIBC__
#define LARGE(name) name "64"
/* What has been compiled otherwise calls it by its plain name: the same, unless
 * it takes offsets or sizes that are narrower then. */
#define PLAIN(name)                                                            \
  extern __typeof__(name) plain_##name __asm__(#name)                          \
      __attribute__((alias(#name "64")));
#else
#define LARGE(name) name
#define PLAIN(name)
#endif
#if __SIZEOF_LONG__ >= 8
#define PLAIN_OFFSETS(name) PLAIN(name)
#else
#define PLAIN_OFFSETS(name)
#endif

/* The function that would have been called. */
static void *true_one(const char *name) {
  static const char *const large[][2] = {
      {"fcntl", LARGE("fcntl")},   {"fopen", LARGE("fopen")},
      {"fstat", LARGE("fstat")},   {"ftruncate", LARGE("ftruncate")},
      {"lstat", LARGE("lstat")},   {"mmap", LARGE("mmap")},
      {"open", LARGE("open")},     {"pread", LARGE("pread")},
      {"pwrite", LARGE("pwrite")}, {"stat", LARGE("stat")},
  };
  for (size_t i = 0; i < sizeof large / sizeof *large; i++)
    if (strcmp(name, large[i][0]) == 0)
      return dlsym(RTLD_NEXT, large[i][1]);
  return dlsym(RTLD_NEXT, name);
}

#endif
