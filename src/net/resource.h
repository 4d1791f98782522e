/* What a link leads to, whatever signs it: an entity tag holds for that alone.
 */
#ifndef MINIMAX_RESOURCE_H
#define MINIMAX_RESOURCE_H

/* Origin and path of an absolute URL as they stand, and a hash of its query
 * without the parameters that sign a link: a text of one line, without secrets
 * of the query, by which two links can be compared. Malloc'd; NULL: no
 * memory. */
char *resource_of(const char *url);

#endif
