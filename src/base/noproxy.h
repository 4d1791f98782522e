/* Which hosts a `no_proxy` list names. */
#ifndef MINIMAX_NOPROXY_H
#define MINIMAX_NOPROXY_H

/* Whether the list (NULL: empty) names the host as the curl tool reads it:
 * a lone asterisk; names, and what lies below them; IPv4 and IPv6 addresses, in
 * CIDR notation, too. An IPv6 host stands in brackets. */
int noproxy_names(const char *list, const char *host);

#endif
