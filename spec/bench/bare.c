/* bare ENGINE COUNT IN_FLIGHT BASE [CA_FILE]: queries in plain C over libcurl,
 * each answer decoded by lua-cjson in a Lua state that holds nothing else.
 * bare submit BASE IMAGE and bare download BASE: see bare_media.c. */
#include "bare.h"

#include <lauxlib.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct request {
  CURL *easy;
  struct run *run;
  size_t length, capacity;
  char *reply;
};

_Noreturn void bare_fail(const char *why) {
  fprintf(stderr, "bare: %s\n", why);
  exit(EXIT_FAILURE);
}

static size_t on_write(char *bytes, size_t size, size_t count, void *user) {
  struct request *request = user;
  size_t length = size * count;
  if (request->length + length > request->capacity) {
    request->capacity = (request->length + length) * 2;
    request->reply = realloc(request->reply, request->capacity);
    if (!request->reply)
      return 0;
  }
  memcpy(request->reply + request->length, bytes, length);
  request->length += length;
  return length;
}

static void aim(struct request *request) {
  struct run *run = request->run;
  char url[512];
  snprintf(url, sizeof url, "%s/v1/query/video_template_generation?task_id=%ld",
           run->base, 401047179385000000 + run->to_start--);
  request->length = 0;
  curl_easy_setopt(request->easy, CURLOPT_URL, url);
}

static struct request *make(struct run *run) {
  struct request *request = calloc(1, sizeof *request);
  CURL *easy = curl_easy_init();
  if (!request || !easy)
    bare_fail("no memory");
  request->easy = easy;
  request->run = run;
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_PRIVATE, request);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_write);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, request);
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, run->headers);
  curl_easy_setopt(easy, CURLOPT_USERAGENT, "bench-agent/0.1.0");
  curl_easy_setopt(easy, CURLOPT_PIPEWAIT, 1L);
  if (run->ca_file)
    curl_easy_setopt(easy, CURLOPT_CAINFO, run->ca_file);
  return request;
}

/* The answer as a Lua table, which nobody keeps. */
static void decode(struct run *run, const struct request *request, int result) {
  long status = 0;
  curl_easy_getinfo(request->easy, CURLINFO_RESPONSE_CODE, &status);
  if (result != CURLE_OK || status != 200)
    bare_fail(curl_easy_strerror((CURLcode)result));
  lua_pushvalue(run->lua, 1);
  lua_pushlstring(run->lua, request->reply, request->length);
  lua_call(run->lua, 1, 1);
  if (!lua_istable(run->lua, -1))
    bare_fail("a reply that is no object");
  lua_settop(run->lua, 1);
  run->to_end--;
}

void bare_collect(struct run *run) {
  int left;
  CURLMsg *message;
  while ((message = curl_multi_info_read(run->multi, &left)) != NULL) {
    CURL *easy = message->easy_handle;
    int result = message->data.result;
    struct request *request = NULL;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&request);
    curl_multi_remove_handle(run->multi, easy);
    decode(run, request, result);
    if (run->to_start > 0) {
      aim(request);
      curl_multi_add_handle(run->multi, easy);
    }
  }
}

void bare_run_poll(struct run *run) {
  int running;
  while (run->to_end > 0) {
    curl_multi_perform(run->multi, &running);
    bare_collect(run);
    if (run->to_end > 0)
      curl_multi_poll(run->multi, NULL, 0, 1000, NULL);
  }
}

static void run_sequential(struct run *run) {
  struct request *request = make(run);
  while (run->to_start > 0) {
    aim(request);
    decode(run, request, (int)curl_easy_perform(request->easy));
  }
}

static void run_multi(struct run *run, const char *engine, long in_flight) {
  run->multi = curl_multi_init();
  curl_multi_setopt(run->multi, CURLMOPT_MAX_CONCURRENT_STREAMS, 1000L);
  curl_multi_setopt(run->multi, CURLMOPT_MAXCONNECTS, in_flight);
  for (long i = 0; i < in_flight && run->to_start > 0; i++) {
    struct request *request = make(run);
    aim(request);
    curl_multi_add_handle(run->multi, request->easy);
  }
  if (strcmp(engine, "poll") == 0)
    bare_run_poll(run);
  else
    bare_run_deferred(run);
}

static lua_State *open_lua(void) {
  lua_State *L = luaL_newstate();
  luaL_openlibs(L);
  if (luaL_dostring(L, "return require 'cjson'.decode") != LUA_OK)
    bare_fail(lua_tostring(L, -1));
  return L;
}

static void query(const char *engine, long count, long in_flight,
                  const char *base, const char *ca_file) {
  struct run run = {.lua = open_lua(), .base = base, .ca_file = ca_file};
  clock_t began;
  run.to_start = run.to_end = count;
  run.headers = curl_slist_append(NULL, "Authorization: Bearer bench-key");
  began = clock();
  if (strcmp(engine, "sequential") == 0)
    run_sequential(&run);
  else
    run_multi(&run, engine, in_flight);
  printf("requests=%ld cpu=%.6f\n", count,
         (double)(clock() - began) / CLOCKS_PER_SEC);
}

int main(int count, char **words) {
  curl_global_init(CURL_GLOBAL_DEFAULT);
  if (count == 4 && strcmp(words[1], "submit") == 0)
    bare_submit(words[2], words[3]);
  else if (count == 3 && strcmp(words[1], "download") == 0)
    bare_download(words[2]);
  else if (count >= 5)
    query(words[1], atol(words[2]), atol(words[3]), words[4], words[5]);
  else
    bare_fail("see the head of bare.c");
  return EXIT_SUCCESS;
}
