/* Where a download goes: a path, a function, or an open Lua file. */
#ifndef MINIMAX_DOWNLOAD_TARGET_H
#define MINIMAX_DOWNLOAD_TARGET_H

#include <lua.h>

#include "calls/download_job.h"

/* Creates the metatable; once for each Lua state. */
void download_target_install(lua_State *L);

/* Raises if what is at `index` is none. */
void download_target_check(lua_State *L, int index);

/* Takes a path before there is a download: replaces the one at `index` by a
 * value that stands for it until the C function that calls this returns;
 * anything else stays as it is. -1: it can't be written to, and the error was
 * pushed. */
int download_target_reserve(lua_State *L, int client, int index, int overwrite);

/* Opens what is at `index`, which was checked, for the job at `self`. -1: the
 * error was pushed. */
int download_target_open(lua_State *L, struct download *download, int self,
                         int index, int overwrite);

/* Pushes the error for a `.part` that can't be opened or finished. */
void download_target_push_fault(lua_State *L, enum part_result result,
                                const struct part *part);

#endif
