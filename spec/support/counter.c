/* Counts the work of a module that is built with -fsanitize-coverage=trace-pc:
 * a step of its code is one, and so is a byte that it has the C library look at
 * or move. The same in each run, on each machine. Not part of the module. */
#include <stddef.h>

#include <lauxlib.h>
#include <lua.h>

int luaopen_counter(lua_State *L);
void __sanitizer_cov_trace_pc(void);

static lua_Integer work;

void __sanitizer_cov_trace_pc(void) {
  work++;
}

/* In place of the C library's, for the module alone. */

void *memchr(const void *text, int byte, size_t length) {
  const unsigned char *bytes = text;
  for (size_t i = 0; i < length; i++, work++)
    if (bytes[i] == (unsigned char)byte)
      return (void *)(size_t)(bytes + i);
  return NULL;
}

int memcmp(const void *one, const void *other, size_t length) {
  const unsigned char *a = one, *b = other;
  for (size_t i = 0; i < length; i++, work++)
    if (a[i] != b[i])
      return a[i] < b[i] ? -1 : 1;
  return 0;
}

void *memmove(void *to, const void *from, size_t length) {
  unsigned char *a = to;
  const unsigned char *b = from;
  work += (lua_Integer)length;
  if (a < b)
    while (length-- > 0)
      *a++ = *b++;
  else
    while (length-- > 0)
      a[length] = b[length];
  return to;
}

void *memcpy(void *to, const void *from, size_t length) {
  return memmove(to, from, length);
}

size_t strlen(const char *text) {
  size_t length = 0;
  while (text[length])
    length++, work++;
  return length;
}

int strncmp(const char *one, const char *other, size_t length) {
  for (size_t i = 0; i < length; i++, work++)
    if (one[i] != other[i] || !one[i])
      return (unsigned char)one[i] - (unsigned char)other[i];
  return 0;
}

int strcmp(const char *one, const char *other) {
  return strncmp(one, other, (size_t)-1);
}

char *strchr(const char *text, int byte) {
  for (;; text++, work++) {
    if (*text == (char)byte)
      return (char *)(size_t)text;
    if (!*text)
      return NULL;
  }
}

char *strrchr(const char *text, int byte) {
  const char *found = NULL;
  for (;; text++, work++) {
    if (*text == (char)byte)
      found = text;
    if (!*text)
      return (char *)(size_t)found;
  }
}

static size_t span(const char *text, const char *set, int in) {
  size_t at = 0;
  while (text[at] && (strchr(set, text[at]) != NULL) == in)
    at++, work++;
  return at;
}

size_t strspn(const char *text, const char *set) {
  return span(text, set, 1);
}

size_t strcspn(const char *text, const char *set) {
  return span(text, set, 0);
}

char *strpbrk(const char *text, const char *set) {
  text += strcspn(text, set);
  return *text ? (char *)(size_t)text : NULL;
}

/* As the C library has it, it is linear. */
char *strstr(const char *text, const char *word) {
  size_t length = strlen(word);
  for (;; text++, work++) {
    size_t same = 0;
    while (same < length && text[same] == word[same])
      same++;
    if (same == length)
      return (char *)(size_t)text;
    if (!*text)
      return NULL;
  }
}

static int count(lua_State *L) {
  lua_pushinteger(L, work);
  return 1;
}

int luaopen_counter(lua_State *L) {
  lua_pushcfunction(L, count);
  return 1;
}
