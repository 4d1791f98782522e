/* Lends the specs what Lua lacks of the system: processes and signals. Not
 * part of the module. */
#include <errno.h>
#include <fcntl.h>
#include <fenv.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

int luaopen_posix(lua_State *L);

/* posix.fork() -> pid of the child, 0 in the child */
static int posix_fork(lua_State *L) {
  pid_t pid = fork();
  if (pid < 0)
    return luaL_error(L, "fork: %s", strerror(errno));
  lua_pushinteger(L, pid);
  return 1;
}

/* posix.exit(code): at once, without any finalizer; as another program, since
 * a leak checker would take the state that is left alive for a leak */
static int posix_exit(lua_State *L) {
  const char *code = luaL_checkstring(L, 1);
  unsetenv("LD_PRELOAD");
  execl("/bin/sh", "sh", "-c", "exit \"$0\"", code, (char *)NULL);
  _exit(127);
}

/* In a child: what it prints goes into the file. It has no terminal, and a
 * Ctrl-C there does not reach it. */
static void withdraw(const char *path) {
  int in = open("/dev/null", O_RDONLY);
  int out = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
  if (in < 0 || out < 0 || dup2(in, 0) < 0 || dup2(out, 1) < 0 ||
      dup2(out, 2) < 0 || setpgid(0, 0) < 0)
    _exit(126);
  close(in);
  close(out);
}

/* The words from `first` on, as a program's; it prints into the path, if any.
 */
static int spawn(lua_State *L, int first, const char *path) {
  const char *words[64];
  int count = lua_gettop(L) - first + 1;
  pid_t pid;
  luaL_argcheck(L, count < 64, 64, "too many words");
  for (int i = 0; i < count; i++)
    words[i] = luaL_checkstring(L, first + i);
  words[count] = NULL;
  pid = fork();
  if (pid < 0)
    return luaL_error(L, "fork: %s", strerror(errno));
  if (pid == 0) {
    if (path)
      withdraw(path);
    execvp(words[0], (char **)words);
    _exit(127);
  }
  lua_pushinteger(L, pid);
  return 1;
}

/* posix.spawn(program, ...) -> pid of that program, found in PATH */
static int posix_spawn_(lua_State *L) {
  return spawn(L, 1, NULL);
}

/* posix.spawn_into(path, program, ...): what it prints goes into that file, and
 * it is the first of a process group of its own, away from the terminal */
static int posix_spawn_into(lua_State *L) {
  return spawn(L, 2, luaL_checkstring(L, 1));
}

/* posix.kill(pid, number) */
static int posix_kill(lua_State *L) {
  kill((pid_t)luaL_checkinteger(L, 1), (int)luaL_checkinteger(L, 2));
  return 0;
}

/* Waits for some milliseconds at most: 0 where the child runs on. */
static pid_t wait_for(pid_t pid, int *status, int ms) {
  pid_t ended = 0;
  for (; (ended = waitpid(pid, status, WNOHANG)) == 0 && ms > 0; ms -= 10)
    if (poll(NULL, 0, 10) < 0)
      break; /* a signal, for which the interpreter looks */
  return ended;
}

static int push_status(lua_State *L, int status) {
  if (WIFEXITED(status)) {
    lua_pushinteger(L, WEXITSTATUS(status));
    return 1;
  }
  lua_pushnil(L);
  lua_pushinteger(L, WTERMSIG(status));
  return 2;
}

/* posix.wait(pid [, seconds]) -> exit code, or nil and the signal; nothing but
 * false where it still runs after the seconds */
static int posix_wait(lua_State *L) {
  int status = 0;
  pid_t pid = (pid_t)luaL_checkinteger(L, 1);
  int ms = (int)(luaL_optnumber(L, 2, -1) * 1000);
  pid = ms < 0 ? waitpid(pid, &status, 0) : wait_for(pid, &status, ms);
  if (pid < 0)
    return luaL_error(L, "waitpid: %s", strerror(errno));
  if (pid == 0) {
    lua_pushboolean(L, 0);
    return 1;
  }
  return push_status(L, status);
}

/* posix.wait_any(seconds) -> pid of a child that has ended, and as posix.wait;
 * 0 where all still run after the seconds, or a signal came */
static int posix_wait_any(lua_State *L) {
  int status = 0;
  pid_t pid = wait_for(-1, &status, (int)(luaL_checknumber(L, 1) * 1000));
  if (pid < 0)
    return luaL_error(L, "waitpid: %s", strerror(errno));
  lua_pushinteger(L, pid);
  return pid == 0 ? 1 : 1 + push_status(L, status);
}

static volatile sig_atomic_t caught;

static void on_signal(int number) {
  caught = number;
}

/* posix.catch(number): from now on that signal is only counted */
static int posix_catch(lua_State *L) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = on_signal;
  sigaction((int)luaL_checkinteger(L, 1), &action, NULL);
  return 0;
}

/* posix.ignore(number), posix.reset(number): to what the system does with it */
static int posix_ignore(lua_State *L) {
  signal((int)luaL_checkinteger(L, 1), SIG_IGN);
  return 0;
}

static int posix_reset(lua_State *L) {
  signal((int)luaL_checkinteger(L, 1), SIG_DFL);
  return 0;
}

/* posix.caught() -> the last signal that was caught, or 0 */
static int posix_caught(lua_State *L) {
  lua_pushinteger(L, caught);
  return 1;
}

/* posix.handler(number) -> "default", "ignore" or "caught" */
static int posix_handler(lua_State *L) {
  struct sigaction action;
  sigaction((int)luaL_checkinteger(L, 1), NULL, &action);
  lua_pushstring(L, action.sa_handler == SIG_DFL   ? "default"
                    : action.sa_handler == SIG_IGN ? "ignore"
                                                   : "caught");
  return 1;
}

/* posix.is_blocked(number), posix.is_pending(number) */
static int posix_is_blocked(lua_State *L) {
  sigset_t set;
  sigprocmask(SIG_BLOCK, NULL, &set);
  lua_pushboolean(L, sigismember(&set, (int)luaL_checkinteger(L, 1)));
  return 1;
}

static int posix_is_pending(lua_State *L) {
  sigset_t set;
  sigpending(&set);
  lua_pushboolean(L, sigismember(&set, (int)luaL_checkinteger(L, 1)));
  return 1;
}

/* posix.block(number) */
static int posix_block(lua_State *L) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, (int)luaL_checkinteger(L, 1));
  sigprocmask(SIG_BLOCK, &set, NULL);
  return 0;
}

/* posix.unblock(number) */
static int posix_unblock(lua_State *L) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, (int)luaL_checkinteger(L, 1));
  sigprocmask(SIG_UNBLOCK, &set, NULL);
  return 0;
}

/* posix.raise(number) */
static int posix_raise(lua_State *L) {
  raise((int)luaL_checkinteger(L, 1));
  return 0;
}

/* posix.is_inherited(fd): whether a program started by us would get it */
static int posix_is_inherited(lua_State *L) {
  int flags = fcntl((int)luaL_checkinteger(L, 1), F_GETFD);
  lua_pushboolean(L, flags >= 0 && !(flags & FD_CLOEXEC));
  return 1;
}

/* posix.is_broken(file): whether it is a pipe that nobody reads any more */
static int posix_is_broken(lua_State *L) {
  const luaL_Stream *stream = luaL_checkudata(L, 1, LUA_FILEHANDLE);
  struct pollfd watched = {.fd = fileno(stream->f), .events = POLLOUT};
  lua_pushboolean(L, poll(&watched, 1, 0) > 0 && watched.revents & POLLERR);
  return 1;
}

/* posix.use_locale(name): for this thread alone; posix.point() is what stands
 * before the fraction of a number in it */
static int posix_use_locale(lua_State *L) {
  locale_t locale = newlocale(LC_ALL_MASK, luaL_checkstring(L, 1), (locale_t)0);
  if (!locale)
    return luaL_error(L, "no such locale");
  uselocale(locale);
  return 0;
}

static int posix_point(lua_State *L) {
  lua_pushstring(L, nl_langinfo(RADIXCHAR));
  return 1;
}

/* The kernel's own flag: the C library sets it whenever it sets a handler. */
enum { RESTORER = 0x04000000 };

static void add_signals(luaL_Buffer *out, lua_State *L) {
  sigset_t blocked, pending;
  pthread_sigmask(SIG_BLOCK, NULL, &blocked);
  sigpending(&pending);
  for (int number = 1; number < NSIG; number++) {
    struct sigaction action;
    if (sigaction(number, NULL, &action) < 0)
      continue;
    lua_pushfstring(L, "signal %d: %p %d, blocked %d, pending %d\n", number,
                    (void *)(size_t)action.sa_handler,
                    action.sa_flags & ~RESTORER, sigismember(&blocked, number),
                    sigismember(&pending, number));
    luaL_addvalue(out);
  }
}

static void add_limits(luaL_Buffer *out, lua_State *L) {
  for (int what = 0; what < RLIMIT_NLIMITS; what++) {
    struct rlimit limit = {0, 0};
    getrlimit((unsigned)what, &limit);
    lua_pushfstring(L, "limit %d: %I\n", what, (LUAI_UACINT)limit.rlim_cur);
    luaL_addvalue(out);
  }
}

static void add_settings(luaL_Buffer *out, lua_State *L) {
  char folder[4096];
  struct itimerval timer;
  mode_t mask = umask(0);
  umask(mask);
  lua_pushfstring(L, "folder: %s\numask: %d\nrounding: %d %d\n",
                  getcwd(folder, sizeof folder), (int)mask, fegetround(),
                  fegetexcept());
  luaL_addvalue(out);
  for (int which = ITIMER_REAL; which <= ITIMER_PROF; which++) {
    getitimer((unsigned)which, &timer);
    lua_pushfstring(L, "timer %d: %I\n", which,
                    (LUAI_UACINT)timer.it_value.tv_sec);
    luaL_addvalue(out);
  }
  lua_pushfstring(L, "locale: %s %p\nnice: %d\n", setlocale(LC_ALL, NULL),
                  (void *)uselocale((locale_t)0), getpriority(PRIO_PROCESS, 0));
  luaL_addvalue(out);
}

/* posix.state() -> all that a process has besides its memory and its files, as
 * lines of text */
static int posix_state(lua_State *L) {
  extern char **environ;
  luaL_Buffer out;
  luaL_buffinit(L, &out);
  add_signals(&out, L);
  add_limits(&out, L);
  add_settings(&out, L);
  for (char **each = environ; *each; each++) {
    luaL_addstring(&out, *each);
    luaL_addchar(&out, '\n');
  }
  luaL_pushresult(&out);
  return 1;
}

/* posix.now() -> seconds on the monotonic clock */
static int posix_now(lua_State *L) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  lua_pushnumber(L, (double)now.tv_sec + (double)now.tv_nsec / 1e9);
  return 1;
}

/* posix.processors() -> how many there are */
static int posix_processors(lua_State *L) {
  lua_pushinteger(L, sysconf(_SC_NPROCESSORS_ONLN));
  return 1;
}

/* posix.switches() -> how often this thread gave the processor away */
static int posix_switches(lua_State *L) {
  struct rusage usage;
  getrusage(RUSAGE_THREAD, &usage);
  lua_pushinteger(L, usage.ru_nvcsw);
  return 1;
}

/* posix.close_state(code, ...) -> seconds: runs the code with those strings in
 * a Lua state of its own, and tells how long closing that state took */
static int posix_close_state(lua_State *L) {
  struct timespec before, after;
  lua_State *other = luaL_newstate();
  int count = lua_gettop(L) - 1;
  if (!other)
    return luaL_error(L, "no memory");
  luaL_openlibs(other);
  if (luaL_loadstring(other, luaL_checkstring(L, 1)) != LUA_OK)
    goto fail;
  for (int i = 2; i <= count + 1; i++)
    lua_pushstring(other, lua_tostring(L, i));
  if (lua_pcall(other, count, 0, 0) != LUA_OK)
    goto fail;
  clock_gettime(CLOCK_MONOTONIC, &before);
  lua_close(other);
  clock_gettime(CLOCK_MONOTONIC, &after);
  lua_pushnumber(L, (double)(after.tv_sec - before.tv_sec) +
                        (double)(after.tv_nsec - before.tv_nsec) / 1e9);
  return 1;
fail:
  lua_pushstring(L, luaL_tolstring(other, -1, NULL));
  lua_close(other);
  return lua_error(L);
}

static const luaL_Reg functions[] = {
    {"fork", posix_fork},
    {"spawn", posix_spawn_},
    {"spawn_into", posix_spawn_into},
    {"kill", posix_kill},
    {"exit", posix_exit},
    {"wait", posix_wait},
    {"wait_any", posix_wait_any},
    {"catch", posix_catch},
    {"ignore", posix_ignore},
    {"reset", posix_reset},
    {"caught", posix_caught},
    {"handler", posix_handler},
    {"block", posix_block},
    {"unblock", posix_unblock},
    {"is_blocked", posix_is_blocked},
    {"is_pending", posix_is_pending},
    {"raise", posix_raise},
    {"is_inherited", posix_is_inherited},
    {"is_broken", posix_is_broken},
    {"use_locale", posix_use_locale},
    {"point", posix_point},
    {"state", posix_state},
    {"now", posix_now},
    {"close_state", posix_close_state},
    {"processors", posix_processors},
    {"switches", posix_switches},
    {NULL, NULL},
};

int luaopen_posix(lua_State *L) {
  lua_newtable(L);
  luaL_setfuncs(L, functions, 0);
  return 1;
}
