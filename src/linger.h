/* Name lookups that outlive their Lua state: nothing can end libcurl's threads.
 * They are counted for the whole process, so that they do not pile up however
 * many states are closed. Floor 2. */
#ifndef MINIMAX_LINGER_H
#define MINIMAX_LINGER_H

/* A lookup is left behind; `fd` is what libcurl watches for its end. */
void linger_add(int fd);

/* How many are still under way. */
unsigned linger_count(void);

#endif
