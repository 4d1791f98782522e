/* What is known of the API's kinds of task, as data. */
#include "api/endpoint.h"

#include <lauxlib.h>
#include <string.h>

#include "api/options.h"
#include "base/ascii.h"
#include "base/nearest.h"

#define MIB  ((uint64_t)1 << 20)
#define HOUR 3600

/* https://platform.minimax.io/docs/api-reference/video-agent-create and
 * …/video-generation-v2-create */
const struct endpoint endpoints[] = {
    [KIND_TEMPLATE] = {.name = "template",
                       .told_by = "template_id",
                       .submit_path = "/v1/video_template_generation",
                       .query_path = "/v1/query/video_template_generation",
                       .link_life = 9 * HOUR,
                       .image = {.below = 20 * MIB, .shorter_over = 300},
                       .largest_video = 20 * MIB},
    [KIND_VIDEO] = {.name = "video",
                    .told_by = "model",
                    .id_prefix = "video_",
                    .submit_path = "/v1/video_generation",
                    .query_path = "/v1/query/video_generation",
                    .link_life = HOUR,
                    .image = {.below = 20 * MIB, .shorter_over = 300}},
    [KIND_VIDEO2] = {.name = "video2",
                     .told_by = "content",
                     .submit_path = "/v2/video_generation",
                     .query_path = "/v2/query/video_generation",
                     .id_in_path = 1,
                     .can_list = 1,
                     .can_cancel = 1,
                     .link_life = HOUR,
                     .largest_body = 64 * MIB,
                     .image = {.most = 30 * MIB,
                               .least = 256,
                               .widest = 5760,
                               .any_format = 1},
                     .largest_video = 50 * MIB,
                     .largest_audio = 15 * MIB},
};

const enum kind kinds_by_field[] = {KIND_TEMPLATE, KIND_VIDEO2, KIND_VIDEO};

_Static_assert(sizeof endpoints / sizeof *endpoints == KINDS &&
                   sizeof kinds_by_field / sizeof *kinds_by_field == KINDS,
               "each kind has its row, and its place in the order of fields");

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
  for (int i = 0; i < KINDS; i++) /* another path of the same version */
    if (strncmp(endpoints[i].submit_path, path, strlen("/v1/")) == 0)
      return (enum kind)i;
  return KIND_TEMPLATE;
}

int kind_named(const char *name) {
  for (int i = 0; i < KINDS; i++)
    if (strcmp(endpoints[i].name, name) == 0)
      return i;
  return -1;
}

enum kind kind_to_list(void) {
  int kind = 0;
  while (!endpoints[kind].can_list)
    kind++;
  return (enum kind)kind;
}

enum kind kind_to_cancel(void) {
  int kind = 0;
  while (!endpoints[kind].can_cancel)
    kind++;
  return (enum kind)kind;
}

enum kind kind_of_id(const char *id) {
  for (int i = 0; i < KINDS; i++) {
    const char *prefix = endpoints[i].id_prefix;
    if (prefix && strncmp(id, prefix, strlen(prefix)) == 0)
      return (enum kind)i;
  }
  return KIND_TEMPLATE;
}

/* Pushes "'a', 'b' or 'c'". */
static const char *push_names(lua_State *L) {
  for (int i = 0; i < KINDS; i++) {
    const char *behind = i + 2 < KINDS ? ", " : " or ";
    lua_pushfstring(L, "'%s'%s", endpoints[i].name,
                    i + 1 < KINDS ? behind : "");
  }
  lua_concat(L, KINDS);
  return lua_tostring(L, -1);
}

enum kind kind_check(lua_State *L, int index, int argument) {
  const char *names[KINDS + 1] = {NULL};
  const char *name = lua_tostring(L, index);
  const char *nearest;
  int kind = name ? kind_named(name) : -1;
  if (kind >= 0)
    return (enum kind)kind;
  index = lua_absindex(L, index);
  for (int i = 0; i < KINDS; i++)
    names[i] = endpoints[i].name;
  nearest = name ? nearest_word(name, names) : NULL;
  options_argerror(
      L, argument,
      lua_pushfstring(L, "option 'kind' must be %s, got '%s'%s%s%s",
                      push_names(L), name ? name : luaL_typename(L, index),
                      nearest ? " (did you mean '" : "", nearest ? nearest : "",
                      nearest ? "'?)" : ""));
  return KIND_TEMPLATE;
}

int endpoint_takes_bare_ids(const char *path) {
  /* A string there was answered with "invalid params". */
  static const char delete_file[] = "/v1/files/delete";
  return strncmp(path, delete_file, sizeof delete_file - 1) == 0;
}
