/* client:retrieve and client:upload. */
#ifndef MINIMAX_FILES_H
#define MINIMAX_FILES_H

#include <lua.h>

/* client:retrieve(file_id [, options]) */
int files_retrieve(lua_State *L);

/* client:upload(path [, purpose [, options]]) */
int files_upload(lua_State *L);

#endif
