/* What is known of the API's kinds of task, as data. */
#include "api/endpoint.h"

#include <lauxlib.h>
#include <string.h>

#include "api/options.h"
#include "base/ascii.h"
#include "base/nearest.h"

const struct endpoint endpoints[KINDS] = {
    [KIND_TEMPLATE] = {"template", "template_id",
                       "/v1/video_template_generation",
                       "/v1/query/video_template_generation", 0, 9 * 3600},
    [KIND_VIDEO] = {"video", "model", "/v1/video_generation",
                    "/v1/query/video_generation", 0, 3600},
    [KIND_VIDEO2] = {"video2", "content", "/v2/video_generation",
                     "/v2/query/video_generation", 1, 3600},
};

const char *const state_names[] = {
    [STATE_NONE] = "",           [STATE_QUEUED] = "queued",
    [STATE_RUNNING] = "running", [STATE_SUCCEEDED] = "succeeded",
    [STATE_FAILED] = "failed",   [STATE_CANCELLED] = "cancelled",
};

static const struct {
  const char *word;
  enum state state;
} words[] = {
    {"preparing", STATE_QUEUED},    {"queueing", STATE_QUEUED},
    {"queued", STATE_QUEUED},       {"waiting", STATE_QUEUED},
    {"submitted", STATE_QUEUED},    {"not_start", STATE_QUEUED},
    {"processing", STATE_RUNNING},  {"running", STATE_RUNNING},
    {"in_progress", STATE_RUNNING}, {"success", STATE_SUCCEEDED},
    {"succeeded", STATE_SUCCEEDED}, {"finished", STATE_SUCCEEDED},
    {"completed", STATE_SUCCEEDED}, {"fail", STATE_FAILED},
    {"failed", STATE_FAILED},       {"failure", STATE_FAILED},
    {"error", STATE_FAILED},        {"expired", STATE_FAILED},
    {"cancelled", STATE_CANCELLED}, {"canceled", STATE_CANCELLED},
};

enum state state_of(const char *word) {
  for (size_t i = 0; i < sizeof words / sizeof *words; i++)
    if (ascii_equal(words[i].word, word))
      return words[i].state;
  return STATE_RUNNING;
}

int state_is_final(enum state state) {
  return state == STATE_SUCCEEDED || state == STATE_FAILED ||
         state == STATE_CANCELLED;
}

enum kind kind_of_path(const char *path) {
  for (int i = 0; i < KINDS; i++)
    if (strcmp(endpoints[i].submit_path, path) == 0)
      return (enum kind)i;
  return strncmp(path, "/v2/", 4) == 0 ? KIND_VIDEO2 : KIND_TEMPLATE;
}

int kind_named(const char *name) {
  for (int i = 0; i < KINDS; i++)
    if (strcmp(endpoints[i].name, name) == 0)
      return i;
  return -1;
}

enum kind kind_of_id(const char *id) {
  return strncmp(id, "video_", 6) == 0 ? KIND_VIDEO : KIND_TEMPLATE;
}

enum kind kind_check(lua_State *L, int index, int argument) {
  const char *names[KINDS + 1] = {NULL};
  const char *name = lua_tostring(L, index);
  const char *nearest;
  int kind = name ? kind_named(name) : -1;
  if (kind >= 0)
    return (enum kind)kind;
  for (int i = 0; i < KINDS; i++)
    names[i] = endpoints[i].name;
  nearest = name ? nearest_word(name, names) : NULL;
  options_argerror(
      L, argument,
      lua_pushfstring(L,
                      "option 'kind' must be 'template', 'video' or "
                      "'video2', got '%s'%s%s%s",
                      name ? name : luaL_typename(L, index),
                      nearest ? " (did you mean '" : "", nearest ? nearest : "",
                      nearest ? "'?)" : ""));
  return KIND_TEMPLATE;
}

int endpoint_takes_bare_ids(const char *path) {
  /* A string there was answered with "invalid params". */
  static const char delete_file[] = "/v1/files/delete";
  return strncmp(path, delete_file, sizeof delete_file - 1) == 0;
}
