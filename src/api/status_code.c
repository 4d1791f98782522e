/* The codes of an answer and the kinds of error that they stand for. */
#include "api/status_code.h"

#include <stdlib.h>
#include <string.h>

#include "api/reason.h"
#include "api/table.h"

/* https://platform.minimax.io/docs/api-reference/errorcode, and codes that
 * only the vendor's own client knows. */
static const struct {
  int number;
  enum fault_kind kind;
} known[] = {
    {1002, FAULT_RATE_LIMIT}, {1039, FAULT_RATE_LIMIT},
    {1041, FAULT_RATE_LIMIT}, {2045, FAULT_RATE_LIMIT},
    {1004, FAULT_AUTH},       {2049, FAULT_AUTH},
    {2038, FAULT_AUTH},       {1008, FAULT_BALANCE},
    {1028, FAULT_QUOTA},      {1030, FAULT_QUOTA},
    {2056, FAULT_QUOTA},      {2061, FAULT_QUOTA},
    {1026, FAULT_CONTENT},    {1027, FAULT_CONTENT},
    {2013, FAULT_INVALID},    {1042, FAULT_INVALID},
    {1000, FAULT_SERVER},     {1001, FAULT_SERVER},
    {1013, FAULT_SERVER},     {1024, FAULT_SERVER},
    {1033, FAULT_SERVER},
};

/* What gateways write instead of numbers: parts of their words, letters
 * alone. */
static const struct {
  const char *part;
  enum fault_kind kind;
} words[] = {
    {"notexist", FAULT_INVALID}, {"notfound", FAULT_INVALID},
    {"nosuch", FAULT_INVALID},   {"auth", FAULT_AUTH},
    {"apikey", FAULT_AUTH},      {"forbidden", FAULT_AUTH},
    {"permission", FAULT_AUTH},
};

static const struct status_code fine = {FAULT_NONE, 0};

enum fault_kind status_code_kind(long status) {
  switch (status) {
  case 401:
  case 403:
    return FAULT_AUTH;
  case 402:
    return FAULT_BALANCE;
  case 408:
    return FAULT_TIMEOUT;
  case 422:
    return FAULT_CONTENT;
  case 429:
    return FAULT_RATE_LIMIT;
  default:
    break;
  }
  if (status >= 500)
    return FAULT_SERVER;
  if (status >= 400)
    return FAULT_INVALID;
  return status >= 200 && status < 300 ? FAULT_NONE : FAULT_PROTOCOL;
}

/* Of a refusal whose code says nothing: the HTTP status may. */
static struct status_code vague(long http_status) {
  enum fault_kind kind = status_code_kind(http_status);
  return (struct status_code){kind == FAULT_NONE ? FAULT_SERVER : kind, 0};
}

static int is_http_error(lua_Integer number) {
  return number >= 400 && number < 600;
}

/* A code that nobody documented says less than an HTTP refusal does. */
static struct status_code read_number(lua_Integer number, long http_status) {
  struct status_code code = {FAULT_SERVER, number > 0 ? number : 0};
  for (size_t i = 0; i < sizeof known / sizeof *known; i++)
    if (known[i].number == number)
      return (struct status_code){known[i].kind, number};
  if (http_status >= 400 || number < 0)
    code.kind = vague(http_status).kind;
  else if (is_http_error(number))
    code.kind = status_code_kind((long)number);
  return code;
}

/* Copies the letters alone, lower case. */
static void copy_letters(char *out, size_t room, const char *text) {
  for (; *text && room > 1; text++) {
    char c = *text >= 'A' && *text <= 'Z' ? (char)(*text - 'A' + 'a') : *text;
    if (c < 'a' || c > 'z')
      continue;
    *out++ = c;
    room--;
  }
  *out = '\0';
}

/* A word that some field has in place of a number; a text of several is none.
 */
static struct status_code read_word(const char *word, long http_status) {
  struct status_code code = vague(http_status);
  char letters[64];
  if (http_status >= 400 || strpbrk(word, " \t\r\n"))
    return code;
  copy_letters(letters, sizeof letters, word);
  for (size_t i = 0; i < sizeof words / sizeof *words; i++)
    if (strstr(letters, words[i].part)) {
      code.kind = words[i].kind;
      break;
    }
  return code;
}

static struct status_code read_text(const char *text, long http_status) {
  char *end;
  long long number;
  if (!reason_is_told(text)) {
    number = strtoll(text, NULL, 10);
    return number == 0 ? fine : read_number((lua_Integer)number, http_status);
  }
  number = strtoll(text, &end, 10);
  return *end == '\0' ? read_number((lua_Integer)number, http_status)
                      : read_word(text, http_status);
}

/* Whether the value on top is nothing: nil, false, 0, or an empty table. */
static int is_nothing(lua_State *L) {
  if (lua_isinteger(L, -1))
    return lua_tointeger(L, -1) == 0;
  if (!lua_istable(L, -1))
    return !lua_toboolean(L, -1);
  return table_is_empty(L, -1);
}

/* Takes the value on top: whatever it is, only nothing, zero, and the words for
 * success refuse nothing. */
static struct status_code take(lua_State *L, long http_status) {
  struct status_code code = vague(http_status);
  if (is_nothing(L))
    code = fine;
  else if (lua_isinteger(L, -1))
    code = read_number(lua_tointeger(L, -1), http_status);
  else if (lua_type(L, -1) == LUA_TSTRING)
    code = read_text(lua_tostring(L, -1), http_status);
  lua_pop(L, 1);
  return code;
}

static struct status_code read_base(lua_State *L, int object,
                                    long http_status) {
  if (lua_getfield(L, object, "base_resp") != LUA_TTABLE) {
    lua_pop(L, 1);
    return fine;
  }
  lua_getfield(L, -1, "status_code");
  lua_remove(L, -2);
  return take(L, http_status);
}

/* The code in parentheses at the end of a v2 message: "… (2013)". */
static lua_Integer trailing_number(const char *message) {
  const char *open = message ? strrchr(message, '(') : NULL;
  char *end;
  long number;
  if (!open)
    return 0;
  number = strtol(open + 1, &end, 10);
  if (end == open + 1 || *end != ')')
    return 0;
  return end[1 + strspn(end + 1, " .")] == '\0' ? number : 0;
}

/* Of the error's table on top. */
static struct status_code read_error_table(lua_State *L, long http_status) {
  static const char *const names[] = {"code", "type"};
  int error = lua_gettop(L);
  struct status_code code = fine;
  lua_Integer number = 0;
  int is_told = reason_find(L, error);
  if (is_told && lua_getfield(L, error, "message") == LUA_TSTRING)
    number = trailing_number(lua_tostring(L, -1));
  lua_settop(L, error);
  if (number > 0)
    return read_number(number, http_status);
  for (size_t i = 0; code.kind == FAULT_NONE && i < 2; i++) {
    lua_getfield(L, error, names[i]);
    code = take(L, http_status);
  }
  return code.kind == FAULT_NONE && is_told ? vague(http_status) : code;
}

/* An empty one is none. */
static struct status_code read_error(lua_State *L, int object,
                                     long http_status) {
  struct status_code code;
  if (lua_getfield(L, object, "error") != LUA_TTABLE)
    return take(L, http_status);
  code = read_error_table(L, http_status);
  lua_pop(L, 1);
  return code;
}

/* Whether the object holds a table of that name with something in it. */
static int has_content(lua_State *L, int object, const char *name) {
  int has =
      lua_getfield(L, object, name) == LUA_TTABLE && !table_is_empty(L, -1);
  lua_pop(L, 1);
  return has;
}

/* A gateway's own envelope: { code = "success", message, data }. Beside data
 * only an HTTP error refuses: its words for success may be any. */
static struct status_code read_gateway(lua_State *L, int object,
                                       long http_status) {
  lua_Integer number;
  struct status_code code;
  int has_data;
  if (lua_getfield(L, object, "code") == LUA_TNIL) { /* as MiniMax's own */
    lua_pop(L, 1);
    return fine;
  }
  has_data = has_content(L, object, "data");
  number = lua_tointeger(L, -1);
  code = take(L, http_status);
  if (number == 200 || (has_data && !is_http_error(number)))
    return fine;
  code.number = 0; /* it is not the API's */
  return code;
}

struct status_code status_code_read(lua_State *L, int object,
                                    long http_status) {
  struct status_code code = read_base(L, object, http_status);
  if (code.kind == FAULT_NONE)
    code = read_error(L, object, http_status);
  if (code.kind == FAULT_NONE)
    code = read_gateway(L, object, http_status);
  return code;
}
