/* Loaded ahead of a child's libraries, it says on standard error which option
 * libcurl refused, and which was given a number that an int has no room for: on
 * a system of 32 bits it would be cut. Not part of the module. */
#include <dlfcn.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>

enum { LONGS = 10000, OFFSETS = 30000, BLOBS = 40000 };

typedef int setter(void *handle, int option, ...);

int curl_easy_setopt(void *handle, int option, ...);
int curl_multi_setopt(void *handle, int option, ...);

/* libcurl came with the module, and is nowhere behind us. */
static setter *true_setter(const char *name) {
  setter *next;
  *(void **)&next = dlsym(dlopen("libcurl.so.4", RTLD_LAZY), name);
  return next;
}

/* The numbers of the options tell the types of their values. */
static int set(const char *name, void *handle, int option, va_list values) {
  setter *next = true_setter(name);
  int result;
  if (option < LONGS) {
    long value = va_arg(values, long);
    if (value > INT_MAX || value < INT_MIN)
      fprintf(stderr, "%s: %d is set to %ld\n", name, option, value);
    result = next(handle, option, value);
  } else if (option >= OFFSETS && option < BLOBS) {
    result = next(handle, option, va_arg(values, long long));
  } else {
    result = next(handle, option, va_arg(values, void *));
  }
  if (result != 0)
    fprintf(stderr, "%s: %d is refused: %d\n", name, option, result);
  return result;
}

int curl_easy_setopt(void *handle, int option, ...) {
  va_list values;
  int result;
  va_start(values, option);
  result = set("curl_easy_setopt", handle, option, values);
  va_end(values);
  return result;
}

int curl_multi_setopt(void *handle, int option, ...) {
  va_list values;
  int result;
  va_start(values, option);
  result = set("curl_multi_setopt", handle, option, values);
  va_end(values);
  return result;
}
