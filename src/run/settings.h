/* Reads a client's settings from its options and the environment. */
#ifndef MINIMAX_SETTINGS_H
#define MINIMAX_SETTINGS_H

#include <lua.h>

#include "run/client.h"

/* Sets up the new client at stack index `self` from the options at index 1.
 * Raises on a wrong one; what it acquired until then is the client's. */
void settings_read(lua_State *L, struct client *client, int self);

#endif
