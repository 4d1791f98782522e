/* What the command line needs of its process: signals and the terminal.
 *
 * A handler knows static state alone, so this is no part of the module: the
 * program `minimax`, whose process is its own, asks for it first of all, and
 * nobody else does. From then on no signal raises anything in Lua, where a
 * pcall could take it for something else: it ends the process at once and says
 * how to go on, or, while something is held, is noted for the end of that. */
#include <errno.h>
#include <lauxlib.h>
#include <lua.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

LUAMOD_API int luaopen_minimax_console(lua_State *L);

#define INTERRUPTED "Interrupted.\n"
#define CLEAR_LINE  "\r\33[K"

/* Texts are kept by `keep_text` for as long as the Lua state lives. */
static atomic_int caught;               /* the first signal, or 0 */
static atomic_int held;                 /* it is noted, and ends nothing yet */
static atomic_int drawn;                /* a bar stands in the cursor's line */
static _Atomic(const char *) advice;    /* what is said at the end, or NULL */
static _Atomic(const char *) held_text; /* what is said when it is noted */
static atomic_flag ending = ATOMIC_FLAG_INIT;

/* ---- what handlers may call ---- */

static void say(const char *text) {
  size_t left = text ? strlen(text) : 0;
  while (left > 0) {
    ssize_t done = write(STDERR_FILENO, text, left);
    if (done < 0 && errno != EINTR)
      return;
    if (done > 0) {
      text += done;
      left -= (size_t)done;
    }
  }
}

static void say_on_free_line(const char *text) {
  if (text && drawn)
    say(CLEAR_LINE);
  say(text);
}

/* Ends the process, once: another thread may be here already. */
static void end(int signum) {
  if (atomic_flag_test_and_set(&ending))
    return;
  say_on_free_line(INTERRUPTED);
  say(advice);
  _exit(128 + signum);
}

static void on_signal(int signum) {
  int before = errno;
  int none = 0;
  if (atomic_compare_exchange_strong(&caught, &none, signum) && held)
    say_on_free_line(held_text);
  else
    end(signum);
  errno = before;
}

/* ---- the library ---- */

static const int watched[] = {SIGINT, SIGTERM, SIGHUP};

/*** Watches signals from here on. One that the process was started without, as
`nohup` does, stays ignored; only of SIGINT Lua itself has lost that. */
static int console_watch(lua_State *L) {
  struct sigaction ours = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
  (void)L;
  sigemptyset(&ours.sa_mask);
  for (size_t i = 0; i < sizeof watched / sizeof *watched; i++)
    sigaddset(&ours.sa_mask, watched[i]);
  for (size_t i = 0; i < sizeof watched / sizeof *watched; i++) {
    struct sigaction before;
    if (sigaction(watched[i], NULL, &before) == 0 &&
        before.sa_handler != SIG_IGN)
      sigaction(watched[i], &ours, NULL);
  }
  return 0;
}

/* A text, or nil, that a handler may read at any time. */
static const char *keep_text(lua_State *L, int index) {
  const char *text = luaL_optstring(L, index, NULL);
  if (text) {
    lua_pushvalue(L, index);
    lua_pushboolean(L, 1);
    lua_rawset(L, lua_upvalueindex(1));
  }
  return text;
}

static int forget_texts(lua_State *L) {
  (void)L;
  advice = NULL;
  held_text = NULL;
  return 0;
}

/*** Sets what is said where a signal ends the process, after the one line. */
static int console_advise(lua_State *L) {
  advice = keep_text(L, 1);
  return 0;
}

/*** Lets the first signal wait for `release`, and sets what is said when it
comes. The second one ends the process all the same. */
static int console_hold(lua_State *L) {
  held_text = keep_text(L, 1);
  held = 1;
  return 0;
}

/*** Lets signals through again; ends the process where one has waited. */
static int console_release(lua_State *L) {
  (void)L;
  held = 0;
  if (caught)
    end(caught);
  return 0;
}

/*** The signal that waits, or nil. */
static int console_caught(lua_State *L) {
  if (caught)
    lua_pushinteger(L, caught);
  else
    lua_pushnil(L);
  return 1;
}

/*** Says whether a bar is drawn in the line that the cursor is in. */
static int console_drawn(lua_State *L) {
  drawn = lua_toboolean(L, 1);
  return 0;
}

/*** Whether a descriptor is a terminal. */
static int console_is_terminal(lua_State *L) {
  lua_pushboolean(L, isatty((int)luaL_checkinteger(L, 1)));
  return 1;
}

/*** How many columns the terminal behind a descriptor has; nil where it does
not say. */
static int console_columns(lua_State *L) {
  struct winsize size;
  if (ioctl((int)luaL_checkinteger(L, 1), TIOCGWINSZ, &size) == 0 &&
      size.ws_col > 0)
    lua_pushinteger(L, size.ws_col);
  else
    lua_pushnil(L);
  return 1;
}

static const luaL_Reg functions[] = {
    {"watch", console_watch},
    {"advise", console_advise},
    {"hold", console_hold},
    {"release", console_release},
    {"caught", console_caught},
    {"drawn", console_drawn},
    {"is_terminal", console_is_terminal},
    {"columns", console_columns},
    {NULL, NULL},
};

int luaopen_minimax_console(lua_State *L) {
  luaL_newlibtable(L, functions);
  lua_newtable(L); /* the texts, as keys */
  lua_newtable(L);
  lua_pushcfunction(L, forget_texts);
  lua_setfield(L, -2, "__gc");
  lua_setmetatable(L, -2);
  luaL_setfuncs(L, functions, 1);
  return 1;
}
