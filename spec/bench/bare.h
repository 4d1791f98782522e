/* The clients in plain C that ours is compared with. */
#ifndef BENCH_BARE_H
#define BENCH_BARE_H

#include <curl/curl.h>
#include <lua.h>

/* A number of queries, so many of them in flight at a time. */
struct run {
  CURLM *multi;
  lua_State *lua; /* with lua-cjson's decode at index 1 */
  const char *base;
  const char *ca_file;
  struct curl_slist *headers;
  long to_start, to_end;
};

/* Decodes what has ended and starts as much anew. */
void bare_collect(struct run *run);

/* Each drives the run to its end with one engine. */
void bare_run_poll(struct run *run);
void bare_run_deferred(struct run *run);

/* Both end the program if they fail. */
void bare_submit(const char *base, const char *image);
void bare_download(const char *base);

_Noreturn void bare_fail(const char *why);

#endif
