/* Which hosts a `no_proxy` list names, as the curl tool reads it. */
#include "base/noproxy.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>

#include "base/ascii.h"

static const char blanks[] = " \t";

/* One dot at the end counts for nothing. */
static size_t undotted(const char *name, size_t length) {
  return length > 0 && name[length - 1] == '.' ? length - 1 : length;
}

/* Whether `host` is `name` or lies below it. */
static int is_below(const char *host, const char *name, size_t length) {
  size_t whole = undotted(host, strlen(host));
  length = undotted(name, length);
  if (length > 0 && *name == '.') {
    name++;
    length--;
  }
  if (length == 0 || whole < length ||
      !ascii_equal_up_to(host + whole - length, name, length))
    return 0;
  return whole == length || host[whole - length - 1] == '.';
}

/* An address in text without its end; 0: it is none of that family. */
static int parse(int family, const char *text, size_t length,
                 unsigned char bytes[16]) {
  char bare[INET6_ADDRSTRLEN];
  if (length >= sizeof bare)
    return 0;
  memcpy(bare, text, length);
  bare[length] = '\0';
  return inet_pton(family, bare, bytes) == 1;
}

/* The bits after the slash, or -1. None, and 0, are all of them. */
static int bits_of(const char *text, size_t length, int most) {
  int bits = 0;
  for (size_t i = 0; i < length; i++) {
    if (text[i] < '0' || text[i] > '9' || bits > most)
      return -1;
    bits = bits * 10 + (text[i] - '0');
  }
  if (bits > most)
    return -1;
  return bits == 0 ? most : bits;
}

/* Whether the address lies in a block such as "10.0.0.0/8". */
static int is_within(int family, const unsigned char *address,
                     const char *block, size_t length) {
  const char *slash = memchr(block, '/', length);
  size_t before = slash ? (size_t)(slash - block) : length;
  int most = family == AF_INET ? 32 : 128, bits = most;
  unsigned char other[16];
  if (slash && before + 1 == length)
    return 0;
  if (slash)
    bits = bits_of(slash + 1, length - before - 1, most);
  if (bits < 0 || !parse(family, block, before, other) ||
      memcmp(address, other, (size_t)bits / 8) != 0)
    return 0;
  return bits % 8 == 0 ||
         (address[bits / 8] ^ other[bits / 8]) >> (8 - bits % 8) == 0;
}

/* The family of a host that is an address, which goes to `address`; else 0. */
static int family_of(const char *host, unsigned char address[16]) {
  size_t length = strlen(host);
  if (parse(AF_INET, host, length, address))
    return AF_INET;
  if (length > 2 && *host == '[' && host[length - 1] == ']' &&
      parse(AF_INET6, host + 1, length - 2, address))
    return AF_INET6;
  return 0;
}

int noproxy_names(const char *list, const char *host) {
  unsigned char address[16];
  int family = family_of(host, address);
  if (list && strcmp(list, "*") == 0)
    return 1;
  while (list && *list) {
    size_t length = strcspn(list, ", \t");
    if (family ? is_within(family, address, list, length)
               : is_below(host, list, length))
      return 1;
    list += length;
    list += strspn(list, blanks);
    list += *list == ',';
  }
  return 0;
}
