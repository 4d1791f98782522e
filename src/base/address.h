/* Which network addresses are private, loopback, link-local or otherwise not
 * on the public internet. */
#ifndef MINIMAX_ADDRESS_H
#define MINIMAX_ADDRESS_H

struct sockaddr;

/* IPv4: 0/8, 10/8, 100.64/10, 127/8, 169.254/16, 172.16/12, 192.0.0/24,
 * 192.168/16, 198.18/15, 224/4, 240/4; IPv6: ::, ::1, fc00::/7, fe80::/10,
 * fec0::/10, ff00::/8, 64:ff9b:1::/48 and ::ffff:0:0:0/96 (translators' own),
 * and the IPv4 rules for mapped, NAT64 (64:ff9b::/96), 6to4 (2002::/16) and
 * Teredo (2001::/32) addresses. Other families count as private. */
int address_is_private(const struct sockaddr *address);

/* The same for a literal address ("127.0.0.1", "::1", with or without square
 * brackets or an IPv6 zone) and for the names `localhost` and `*.localhost`;
 * any other name is not private. */
int address_name_is_private(const char *host);

#endif
