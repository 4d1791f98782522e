/* Reads option tables. */
#include "api/options.h"

#include <lauxlib.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "api/fault.h"
#include "base/nearest.h"
#include "base/number.h"

#define LONGEST 1e9 /* seconds; longer means the same */

enum { WORDS = 40 }; /* no table of options is longer */

/* Pushes what to say of an error that stands for an argument: at `index`, or
 * behind the nil there that a failed call returned before it. */
static const char *told_fault(lua_State *L, int index) {
  if (!fault_is(L, index) && !(lua_isnil(L, index) && fault_is(L, ++index)))
    return NULL;
  return lua_pushfstring(L,
                         "a minimax.error stands here, of a call that failed: "
                         "%s",
                         luaL_tolstring(L, index, NULL));
}

_Noreturn void options_argerror(lua_State *L, int index, const char *text) {
  const char *fault = told_fault(L, index);
  text = fault ? fault : text;
  if (!lua_isnone(L, lua_upvalueindex(1)))
    index--;
  luaL_argerror(L, index, text);
  abort(); /* not reached: luaL_argerror raises, but does not say so */
}

struct reading {
  lua_State *L;
  int index;
  const struct option *option;
};

_Noreturn static void wrong(const struct reading *reading,
                            const char *expected) {
  const char *text = lua_pushfstring(
      reading->L, "option '%s' must be %s, got %s", reading->option->name,
      expected, luaL_typename(reading->L, -1));
  options_argerror(reading->L, reading->index, text);
}

static uint64_t seconds(const struct reading *reading, const char *expected) {
  lua_Number value = lua_tonumber(reading->L, -1);
  if (lua_type(reading->L, -1) != LUA_TNUMBER || !(value >= 0))
    wrong(reading, expected);
  return (uint64_t)((value < LONGEST ? value : LONGEST) * 1000);
}

static lua_Integer whole(const struct reading *reading, lua_Integer least,
                         lua_Integer most, const char *expected) {
  int exact;
  lua_Integer value = lua_tointegerx(reading->L, -1, &exact);
  if (lua_type(reading->L, -1) != LUA_TNUMBER || !exact || value < least ||
      value > most)
    wrong(reading, expected);
  return value;
}

static struct option_rate rate(const struct reading *reading) {
  static const char expected[] = "a table { count, seconds } of numbers";
  lua_State *L = reading->L;
  struct option_rate result;
  if (!lua_istable(L, -1))
    wrong(reading, expected);
  lua_rawgeti(L, -1, 1);
  result.count = (unsigned)whole(reading, 1, INT_MAX, expected);
  lua_pop(L, 1);
  lua_rawgeti(L, -1, 2);
  result.window = seconds(reading, expected);
  if (result.window == 0)
    wrong(reading, expected);
  lua_pop(L, 1);
  return result;
}

static void must_be(const struct reading *reading, int type,
                    const char *expected) {
  if (lua_type(reading->L, -1) != type)
    wrong(reading, expected);
}

/* Stores the value on top. */
static void store(const struct reading *reading, void *out) {
  lua_State *L = reading->L;
  void *field = (char *)out + reading->option->offset;
  switch (reading->option->type) {
  case OPTION_BOOLEAN:
    must_be(reading, LUA_TBOOLEAN, "a boolean");
    *(int *)field = lua_toboolean(L, -1);
    break;
  case OPTION_DEADLINE:
    if (lua_isboolean(L, -1) && !lua_toboolean(L, -1)) {
      *(uint64_t *)field = OPTIONS_NEVER;
      break;
    }
    *(uint64_t *)field = seconds(reading, "a number of seconds or false");
    break;
  case OPTION_SECONDS:
    *(uint64_t *)field = seconds(reading, "a number of seconds");
    break;
  case OPTION_COUNT:
    *(unsigned *)field =
        (unsigned)whole(reading, 0, INT_MAX, "a whole number, 0 or more");
    break;
  case OPTION_POSITIVE:
    *(unsigned *)field =
        (unsigned)whole(reading, 1, INT_MAX, "a whole number, 1 or more");
    break;
  case OPTION_BYTES:
    *(uint64_t *)field =
        (uint64_t)whole(reading, 1, LUA_MAXINTEGER, "a whole number of bytes");
    break;
  case OPTION_TEXT:
    must_be(reading, LUA_TSTRING, "a string");
    if (strlen(lua_tostring(L, -1)) != lua_rawlen(L, -1))
      wrong(reading, "a string without a NUL byte");
    *(const char **)field = lua_tostring(L, -1);
    break;
  case OPTION_RATE:
    *(struct option_rate *)field = rate(reading);
    break;
  case OPTION_FUNCTION:
    must_be(reading, LUA_TFUNCTION, "a function");
    break;
  case OPTION_TABLE:
    must_be(reading, LUA_TTABLE, "a table");
    break;
  case OPTION_ANY:
    break;
  }
}

_Noreturn static void unknown(lua_State *L, int index,
                              const struct option *known, const char *name) {
  const char *words[WORDS + 1] = {NULL};
  const char *nearest, *text;
  for (int i = 0; i < WORDS && known[i].name; i++)
    words[i] = known[i].name;
  nearest = nearest_word(name, words);
  if (nearest)
    text = lua_pushfstring(L, "unknown option '%s' (did you mean '%s'?)", name,
                           nearest);
  else
    text = lua_pushfstring(L, "unknown option '%s'", name);
  options_argerror(L, index, text);
}

/*** The word of a list that a misspelt one may mean.
@function _nearest
@tparam string word
@tparam {string,...} words at most 40 are looked at
@treturn string|nil */
int options_nearest(lua_State *L) {
  const char *words[WORDS + 1] = {NULL};
  const char *word = luaL_checkstring(L, 1);
  luaL_checktype(L, 2, LUA_TTABLE);
  lua_settop(L, 2);
  for (int i = 0; i < WORDS; i++) { /* they stay on the stack as long */
    luaL_checkstack(L, 2, NULL);
    lua_geti(L, 2, i + 1);
    if (!(words[i] = lua_tostring(L, -1)))
      break;
  }
  lua_pushstring(L, nearest_word(word, words)); /* nil for NULL */
  return 1;
}

void options_read(lua_State *L, int index, const struct option *known,
                  void *out) {
  struct reading reading = {L, index, NULL};
  if (lua_isnoneornil(L, index))
    return;
  if (!lua_istable(L, index) || fault_is(L, index))
    options_argerror(L, index, "a table of options is expected");
  lua_pushnil(L);
  while (lua_next(L, index)) {
    const struct option *option = known;
    const char *name;
    if (lua_type(L, -2) != LUA_TSTRING)
      options_argerror(L, index, "options have names: { name = value, … }");
    name = lua_tostring(L, -2);
    while (option->name && strcmp(option->name, name) != 0)
      option++;
    if (!option->name)
      unknown(L, index, known, name);
    reading.option = option;
    store(&reading, out);
    lua_pop(L, 1);
  }
}

const char *options_text(lua_State *L, int index, size_t *length) {
  char text[NUMBER_ROOM];
  index = lua_absindex(L, index);
  if (lua_type(L, index) == LUA_TNUMBER && !lua_isinteger(L, index)) {
    number_write(lua_tonumber(L, index), text);
    lua_pushstring(L, text);
    if (text[strspn(text, "-0123456789")] == '\0') { /* as Lua has it */
      lua_pushliteral(L, ".0");
      lua_concat(L, 2);
    }
    lua_replace(L, index);
  }
  return lua_tolstring(L, index, length);
}

int options_get(lua_State *L, int index, const char *name) {
  if (!lua_istable(L, index))
    return 0;
  lua_pushstring(L, name);
  if (lua_rawget(L, index) != LUA_TNIL)
    return 1;
  lua_pop(L, 1);
  return 0;
}
