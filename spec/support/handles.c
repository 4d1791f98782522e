/* Loaded ahead of a child's libraries, it says at the end how many easy handles
 * were made. Not part of the module. */
#include <dlfcn.h>
#include <stdio.h>

void *curl_easy_init(void);

static int count;

void *curl_easy_init(void) {
  static void *(*next)(void);
  if (!next) /* libcurl came with the module, and is nowhere behind us */
    *(void **)&next =
        dlsym(dlopen("libcurl.so.4", RTLD_LAZY), "curl_easy_init");
  count++;
  return next();
}

__attribute__((destructor)) static void say_count(void) {
  printf("%d handles\n", count);
}
