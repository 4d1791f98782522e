/* What a download hands to its owner: chunks, progress, and at last the file.
 * Floor 4. */
#ifndef MINIMAX_DELIVERY_H
#define MINIMAX_DELIVERY_H

#include "download.h"

/* Bytes arrived: tells the owner where there is something to hand over, and
 * ends the job where all was. */
void delivery_heed_bytes(lua_State *L, struct download *download, int self);

/* The `deliver` and `delivered` of a download's deed. */
int delivery_deliver(lua_State *L, struct job *job, int self);
void delivery_delivered(lua_State *L, struct job *job, int self, int results);

#endif
