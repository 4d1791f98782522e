/* client:download: its arguments, its steps, its life. The way to the link is
 * in download_link.c, the way to the bytes in download_fetch.c, their handing
 * over in download_deliver.c. */
#ifndef MINIMAX_DOWNLOAD_H
#define MINIMAX_DOWNLOAD_H

#include <lua.h>

/* client:download(what, destination [, options]) */
int download_call(lua_State *L);

#endif
