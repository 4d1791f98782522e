/* Which network addresses are private, loopback, link-local or otherwise not
 * on the public internet. It resolves no name. */
#include "base/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include "base/ascii.h"

/* No name that resolves is longer. */
#define LONGEST 256

struct prefix {
  unsigned char bytes[16];
  unsigned bits;
};

static const struct prefix private_v4[] = {
    {{0}, 8},         {{10}, 8},       {{100, 64}, 10},   {{127}, 8},
    {{169, 254}, 16}, {{172, 16}, 12}, {{192, 0, 0}, 24}, {{192, 168}, 16},
    {{198, 18}, 15},  {{224}, 4},      {{240}, 4},
};

/* Translators' own prefixes lead into a network, not out to the internet. */
static const struct prefix private_v6[] = {
    {{0x00, 0x64, 0xFF, 0x9B, 0x00, 0x01}, 48},
    {{[8] = 0xFF, 0xFF}, 96},
    {{0xFC}, 7},
    {{0xFE, 0x80}, 10},
    {{0xFE, 0xC0}, 10},
    {{0xFF}, 8},
};

/* IPv6 forms that hold an IPv4 address, and where. The first is the old
 * compatible form; `::` and `::1` fall under it, as parts of 0/8. Teredo holds
 * its server's address and, each bit of it turned, its client's. */
static const struct {
  struct prefix prefix;
  unsigned offset;
  unsigned char turned;
} embedding[] = {
    {{{0}, 96}, 12, 0},
    {{{[10] = 0xFF, [11] = 0xFF}, 96}, 12, 0},
    {{{0x00, 0x64, 0xFF, 0x9B}, 96}, 12, 0},
    {{{0x20, 0x02}, 16}, 2, 0},
    {{{0x20, 0x01}, 32}, 4, 0},
    {{{0x20, 0x01}, 32}, 12, 0xFF},
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static int matches(const unsigned char *address, const struct prefix *prefix) {
  unsigned whole = prefix->bits / 8, rest = prefix->bits % 8;
  if (memcmp(address, prefix->bytes, whole) != 0)
    return 0;
  return rest == 0 ||
         (address[whole] ^ prefix->bytes[whole]) >> (8 - rest) == 0;
}

static int matches_any(const unsigned char *address,
                       const struct prefix *prefixes, size_t count) {
  size_t i;
  for (i = 0; i < count; i++)
    if (matches(address, &prefixes[i]))
      return 1;
  return 0;
}

static int is_private_v4(const unsigned char *address) {
  return matches_any(address, private_v4, COUNT(private_v4));
}

static int holds_private_v4(const unsigned char *address) {
  size_t i;
  for (i = 0; i < COUNT(embedding); i++) {
    unsigned char v4[4];
    if (!matches(address, &embedding[i].prefix))
      continue;
    for (unsigned n = 0; n < sizeof(v4); n++)
      v4[n] = address[embedding[i].offset + n] ^ embedding[i].turned;
    if (is_private_v4(v4))
      return 1;
  }
  return 0;
}

static int is_private_v6(const unsigned char *address) {
  return holds_private_v4(address) ||
         matches_any(address, private_v6, COUNT(private_v6));
}

int address_is_private(const struct sockaddr *address) {
  struct sockaddr_in v4;
  struct sockaddr_in6 v6;
  switch (address->sa_family) {
  case AF_INET:
    memcpy(&v4, address, sizeof(v4));
    return is_private_v4((const unsigned char *)&v4.sin_addr);
  case AF_INET6:
    memcpy(&v6, address, sizeof(v6));
    return is_private_v6((const unsigned char *)&v6.sin6_addr);
  default:
    return 1;
  }
}

/* The host without brackets, zone and final dot; 0 where it does not fit. */
static int bare_host(const char *host, char out[LONGEST]) {
  size_t length;
  if (host[0] == '[')
    host++;
  length = strcspn(host, "]%");
  if (length > 0 && host[length - 1] == '.')
    length--;
  if (length >= LONGEST)
    return 0;
  memcpy(out, host, length);
  out[length] = '\0';
  return 1;
}

static int is_localhost(const char *host) {
  static const char name[] = "localhost";
  size_t length = strlen(host), own = sizeof(name) - 1;
  if (length < own || !ascii_equal(host + length - own, name))
    return 0;
  return length == own || host[length - own - 1] == '.';
}

int address_name_is_private(const char *host) {
  char bare[LONGEST];
  struct in_addr v4;
  struct in6_addr v6;
  if (!bare_host(host, bare))
    return 0;
  /* inet_aton, for what resolvers take too: 127.1, 0x7f000001, 2130706433 */
  if (inet_aton(bare, &v4) != 0)
    return is_private_v4((const unsigned char *)&v4);
  if (inet_pton(AF_INET6, bare, &v6) == 1)
    return is_private_v6((const unsigned char *)&v6);
  return is_localhost(bare);
}
