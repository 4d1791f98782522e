/* Reads a client's settings from its options and the environment. */
#include "run/settings.h"

#include <fcntl.h>
#include <lauxlib.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/box.h"
#include "api/options.h"
#include "base/ascii.h"
#include "base/nearest.h"
#include "base/number.h"
#include "net/file.h"
#include "net/url.h"

enum {
  KEY_BYTES = 4096,        /* of a key file */
  MOST_CONNECTIONS = 65536 /* no process has room for more */
};

struct settings {
  const char *api_key, *base_url, *proxy, *ca_file, *ca_path;
  uint64_t connect_timeout, request_timeout, stall_timeout;
  uint64_t poll_interval, wait_timeout, max_response;
  unsigned retries, max_connections;
  struct option_rate submit_rate, query_rate;
  int insecure, block;
};

#define FIELD(name) offsetof(struct settings, name)

static const struct option known[] = {
    {"api_key", OPTION_TEXT, FIELD(api_key)},
    {"base_url", OPTION_TEXT, FIELD(base_url)},
    {"auth", OPTION_ANY, 0},
    {"headers", OPTION_TABLE, 0},
    {"query", OPTION_TABLE, 0},
    {"connect_timeout", OPTION_SECONDS, FIELD(connect_timeout)},
    {"request_timeout", OPTION_SECONDS, FIELD(request_timeout)},
    {"stall_timeout", OPTION_SECONDS, FIELD(stall_timeout)},
    {"retries", OPTION_COUNT, FIELD(retries)},
    {"poll_interval", OPTION_SECONDS, FIELD(poll_interval)},
    {"wait_timeout", OPTION_DEADLINE, FIELD(wait_timeout)},
    {"submit_rate", OPTION_RATE, FIELD(submit_rate)},
    {"query_rate", OPTION_RATE, FIELD(query_rate)},
    {"max_connections", OPTION_POSITIVE, FIELD(max_connections)},
    {"proxy", OPTION_TEXT, FIELD(proxy)},
    {"ca_file", OPTION_TEXT, FIELD(ca_file)},
    {"ca_path", OPTION_TEXT, FIELD(ca_path)},
    {"block", OPTION_BOOLEAN, FIELD(block)},
    {"insecure", OPTION_BOOLEAN, FIELD(insecure)},
    {"max_response_bytes", OPTION_BYTES, FIELD(max_response)},
    {"on_event", OPTION_FUNCTION, 0},
    {NULL, OPTION_ANY, 0},
};

static const struct settings defaults = {
    .connect_timeout = 10000,
    .request_timeout = 60000,
    .stall_timeout = 30000,
    .poll_interval = 10000, /* the guide's figure */
    .wait_timeout = 1800000,
    .max_response = 8 << 20,
    .retries = 4,
    .max_connections = 8,
};

static void set_text(lua_State *L, char **field, const char *text) {
  if (profile_set(field, text) < 0)
    box_no_memory(L);
}

/* An empty variable counts as unset. */
static const char *variable(const char *name) {
  const char *value = getenv(name);
  return value && *value ? value : NULL;
}

static const char *first_of(const char *one, const char *other) {
  return one ? one : other;
}

/* Whether nobody else may read what a key is read from. */
static int is_private(int fd) {
  struct stat status;
  return fstat(fd, &status) == 0 && S_ISREG(status.st_mode) &&
         (status.st_mode & (S_IRWXG | S_IRWXO)) == 0;
}

/* Reads the file that holds the key; returns how many bytes there are, 0 if
 * there is none. */
static ptrdiff_t read_private(const char *path, char *text, size_t size) {
  ptrdiff_t length = 0;
  int fd = file_open(path, O_RDONLY | O_NONBLOCK);
  if (fd < 0)
    return 0;
  if (is_private(fd))
    length = file_read(fd, 0, text, size);
  close(fd);
  return length;
}

/* Pushes the content of the file that holds the key, or nil. */
static void push_key_file(lua_State *L, const char *path) {
  char text[KEY_BYTES];
  ptrdiff_t length = read_private(path, text, sizeof text);
  if (length > 0 && (size_t)length < sizeof text)
    lua_pushlstring(L, text, (size_t)length);
  else
    lua_pushnil(L);
}

/* What is copied along with a key, out of an .env file or a web page, is
 * refused; the key itself is never shown. */
static void check_key(lua_State *L, const char *key, size_t length) {
  for (size_t i = 0; i < length; i++)
    if ((unsigned char)key[i] < 0x20 || key[i] == 0x7f)
      luaL_error(L, "the API key holds a control character");
    else if ((unsigned char)key[i] > 0x7f)
      luaL_error(L, "the API key holds a character that is not ASCII, perhaps "
                    "one that is not seen: copy it anew");
  if (length > 0 && (strchr("\"'`", key[0]) || strchr("\"'`", key[length - 1])))
    luaL_error(L, "the API key stands in quotes: leave them out");
  if (length > 6 && ascii_equal_up_to(key, "Bearer ", 7))
    luaL_error(L, "the API key begins with 'Bearer ': leave that out, the "
                  "option auth adds it");
}

/* Pushes the key at `index` without the white space around it. */
static void push_trimmed(lua_State *L, int index) {
  size_t length;
  const char *key = lua_tolstring(L, index, &length);
  size_t skip = strspn(key, " \t\r\n");
  key += skip;
  length -= skip;
  while (length > 0 && strchr(" \t\r\n", key[length - 1]))
    length--;
  check_key(L, key, length);
  lua_pushlstring(L, key, length);
}

/* Pushes the key; NULL if there is none. */
static const char *push_key(lua_State *L, const struct settings *settings) {
  const char *key = first_of(settings->api_key, variable("MINIMAX_API_KEY"));
  const char *file = variable("MINIMAX_API_KEY_FILE");
  if (key)
    lua_pushstring(L, key);
  else if (file)
    push_key_file(L, file);
  else
    return NULL;
  if (lua_isnil(L, -1))
    return NULL;
  push_trimmed(L, lua_gettop(L));
  return lua_rawlen(L, -1) > 0 ? lua_tostring(L, -1) : NULL;
}

/* Raises unless the text on top may stand in a header. */
static void check_header(lua_State *L) {
  size_t length;
  const char *text = lua_tolstring(L, -1, &length);
  for (size_t i = 0; i < length; i++)
    if (((unsigned char)text[i] < 0x20 && text[i] != '\t') || text[i] == 0x7f)
      luaL_error(L, "a header must not hold a control character");
}

/* Adds the header with the name and the value on top, and pops them. */
static void add_header(lua_State *L, struct profile *profile) {
  const char *name = lua_tostring(L, -2);
  const char *value = options_text(L, -1, NULL);
  if (!*name || strpbrk(name, ":; \t"))
    luaL_error(L, "'%s' is no name of a header", name);
  /* "Name;" is how libcurl sends a header without a value. */
  lua_pushstring(L, *value ? ": " : ";");
  lua_insert(L, -2);
  lua_concat(L, 3);
  check_header(L);
  if (profile_add_header(profile, lua_tostring(L, -1)) < 0)
    box_no_memory(L);
  lua_pop(L, 1);
}

static void check_auth(lua_State *L, int auth) {
  static const char *const names[] = {"header", "scheme", NULL};
  lua_pushnil(L);
  while (lua_next(L, auth)) {
    const char *name =
        lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "";
    const char *nearest = nearest_word(name, names);
    if (strcmp(name, names[0]) != 0 && strcmp(name, names[1]) != 0)
      luaL_error(L, "option 'auth': unknown field '%s'%s%s%s", name,
                 nearest ? " (did you mean '" : "", nearest ? nearest : "",
                 nearest ? "'?)" : "");
    if (lua_type(L, -1) != LUA_TSTRING)
      luaL_error(L, "option 'auth': %s must be a string", name);
    lua_pop(L, 1);
  }
}

/* The option `auth`: false, or { header =, scheme = }. Returns whether a key
 * is needed. */
static int set_auth(lua_State *L, int options, struct profile *profile,
                    const char *key) {
  int top = lua_gettop(L);
  int auth;
  if (!options_get(L, options, "auth"))
    lua_newtable(L);
  auth = top + 1;
  if (lua_isboolean(L, auth) && !lua_toboolean(L, auth)) {
    lua_settop(L, top);
    return 0;
  }
  if (!lua_istable(L, auth))
    luaL_error(L, "option 'auth' must be false or a table { header =, "
                  "scheme = }");
  check_auth(L, auth);
  if (!options_get(L, auth, "header"))
    lua_pushliteral(L, "Authorization");
  if (!options_get(L, auth, "scheme"))
    lua_pushliteral(L, "Bearer");
  if (key) {
    lua_pushstring(L, lua_rawlen(L, -1) > 0 ? " " : "");
    lua_pushstring(L, key);
    lua_concat(L, 3);
    add_header(L, profile);
  }
  lua_settop(L, top);
  return 1;
}

static void set_headers(lua_State *L, int options, struct profile *profile) {
  if (!options_get(L, options, "headers"))
    return;
  lua_pushnil(L);
  while (lua_next(L, -2)) {
    if (lua_type(L, -2) != LUA_TSTRING || !lua_isstring(L, -1))
      luaL_error(L, "option 'headers' must hold names and texts");
    lua_pushvalue(L, -2);
    lua_insert(L, -2);
    add_header(L, profile);
  }
  lua_pop(L, 1);
}

static void set_query(lua_State *L, int options, struct profile *profile) {
  struct buffer *query;
  int failed = 0;
  if (!options_get(L, options, "query"))
    return;
  query = box_push_buffer(L);
  lua_pushnil(L);
  while (lua_next(L, -3)) {
    size_t length;
    const char *value;
    if (lua_type(L, -2) != LUA_TSTRING || !lua_isstring(L, -1))
      luaL_error(L, "option 'query' must hold names and texts");
    value = options_text(L, -1, &length);
    failed |= url_add_parameter(query, lua_tostring(L, -2), value, length) < 0;
    lua_pop(L, 1);
  }
  if (failed ||
      (query->length && profile_set(&profile->query, query->bytes + 1) < 0))
    box_no_memory(L);
  box_pop(L);
  lua_pop(L, 1);
}

/* NULL, or why not. */
static const char *set_base(struct profile *profile, const char *base_url) {
  struct buffer base = {0};
  const char *problem;
  if (url_base(base_url, &base, &problem) < 0) {
    buffer_free(&base);
    return problem;
  }
  profile->base = base.bytes;
  return NULL;
}

static int is_proxy(const char *proxy) {
  static const char *const schemes[] = {"http",    "https",  "socks",  "socks4",
                                        "socks4a", "socks5", "socks5h"};
  struct url_parts parts;
  int is_known = strstr(proxy, "://") == NULL;
  if (url_take_proxy_apart(proxy, &parts) < 0)
    return 0;
  for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++)
    is_known |= ascii_equal(parts.scheme, schemes[i]);
  url_free(&parts);
  return is_known;
}

/* libcurl would name a wrong one in full, with its password. */
static void check_proxy(lua_State *L, const char *proxy) {
  if (proxy && *proxy && !is_proxy(proxy))
    luaL_error(L, "the proxy can't be used: it must be host:port or a URL that "
                  "begins with http, https, socks4, socks4a, socks5 or socks5h,"
                  " what is special in its password percent-encoded");
}

static void set_network(lua_State *L, struct profile *profile,
                        const struct settings *settings) {
  const char *https =
      first_of(variable("https_proxy"), variable("HTTPS_PROXY"));
  const char *all = first_of(variable("all_proxy"), variable("ALL_PROXY"));
  const char *ca =
      first_of(variable("CURL_CA_BUNDLE"), variable("SSL_CERT_FILE"));
  /* Upper-case HTTP_PROXY is set by CGI callers, not by the user. */
  const char *http = first_of(variable("http_proxy"), all);
  set_text(L, &profile->proxy,
           settings->proxy ? settings->proxy : first_of(https, all));
  set_text(L, &profile->http_proxy, settings->proxy ? settings->proxy : http);
  set_text(L, &profile->no_proxy,
           settings->proxy
               ? NULL
               : first_of(variable("no_proxy"), variable("NO_PROXY")));
  set_text(L, &profile->ca_file, settings->ca_file ? settings->ca_file : ca);
  set_text(L, &profile->ca_path,
           settings->ca_path ? settings->ca_path : variable("SSL_CERT_DIR"));
  check_proxy(L, profile->proxy);
  check_proxy(L, profile->http_proxy);
  profile->insecure = settings->insecure;
  profile->connect_timeout = settings->connect_timeout;
  profile->request_timeout = settings->request_timeout;
  profile->stall_timeout = settings->stall_timeout;
  profile->max_response = settings->max_response;
  profile->idle_limit = settings->max_connections;
}

static void set_profile(lua_State *L, struct client *client,
                        const struct settings *settings) {
  struct profile *profile = client->profile;
  const char *base =
      first_of(settings->base_url, first_of(variable("MINIMAX_BASE_URL"),
                                            variable("MINIMAX_API_HOST")));
  int top = lua_gettop(L);
  const char *key = push_key(L, settings);
  const char *problem;
  set_text(L, &profile->key, key);
  problem = set_base(profile, base ? base : "https://api.minimax.io");
  if (problem)
    luaL_error(L, "option 'base_url' can't be used: %s", problem);
  client->lacks_key = set_auth(L, 1, profile, key) && !key;
  client->key_file_failed =
      !key && !settings->api_key && variable("MINIMAX_API_KEY_FILE") != NULL;
  lua_settop(L, top);
  set_headers(L, 1, profile);
  set_query(L, 1, profile);
  set_network(L, profile, settings);
  if (profile_seal(profile) < 0)
    box_no_memory(L);
}

static void set_rate(struct client *client, enum lane_name lane,
                     const struct option_rate *rate) {
  if (rate->count == 0)
    return;
  rate_free(&client->gate.lanes[lane].rate);
  rate_init(&client->gate.lanes[lane].rate, rate->count, rate->window);
}

static void set_client(struct client *client, struct settings *settings) {
  if (settings->max_connections > MOST_CONNECTIONS)
    settings->max_connections = MOST_CONNECTIONS;
  gate_init(&client->gate, client->owner.engine, settings->max_connections);
  set_rate(client, LANE_SUBMIT, &settings->submit_rate);
  set_rate(client, LANE_QUERY, &settings->query_rate);
  client->retries = settings->retries;
  client->poll_interval = settings->poll_interval;
  client->wait_timeout = settings->wait_timeout;
  client->block = settings->block;
  engine_pool(client->owner.engine, (long)settings->max_connections);
}

static void set_listener(lua_State *L, struct client *client, int self) {
  const char *debug = variable("MINIMAX_DEBUG");
  client->prints = debug && strcmp(debug, "0") != 0;
  if (options_get(L, 1, "on_event"))
    lua_setiuservalue(L, self, CLIENT_ON_EVENT);
  lua_getiuservalue(L, self, CLIENT_ON_EVENT);
  client->observed = client->prints || !lua_isnil(L, -1);
  lua_pop(L, 1);
}

/* Digits with or without a point among them: what a shell script writes. */
static void set_poll_interval(lua_State *L, struct settings *settings) {
  static const double longest = 1e9;
  const char *text = variable("MINIMAX_POLL_INTERVAL");
  const char *rest = text ? text + strspn(text, "0123456789") : NULL;
  double seconds;
  if (!text)
    return;
  rest += *rest == '.' ? 1 + strspn(rest + 1, "0123456789") : 0;
  if (*rest || strcmp(text, ".") == 0)
    luaL_error(L, "MINIMAX_POLL_INTERVAL must be a number of seconds, got '%s'",
               text);
  seconds = number_read(text);
  seconds = seconds < longest ? seconds : longest;
  settings->poll_interval = (uint64_t)(seconds * 1000);
}

void settings_read(lua_State *L, struct client *client, int self) {
  struct settings settings = defaults;
  set_poll_interval(L, &settings);
  options_read(L, 1, known, &settings);
  set_profile(L, client, &settings);
  set_client(client, &settings);
  set_listener(L, client, self);
}
