/* What a download hands to its owner: chunks, progress, and at last the file.
 */
#ifndef MINIMAX_DOWNLOAD_DELIVER_H
#define MINIMAX_DOWNLOAD_DELIVER_H

#include "calls/download_job.h"

/* Takes the functions of the options' table at `options`. */
void download_deliver_init(lua_State *L, struct download *download, int self,
                           int options);

/* Bytes arrived: tells the owner where there is something to hand over, and
 * ends the job where all was. */
void download_deliver_bytes(lua_State *L, struct download *download, int self);

/* The `deliver` and `delivered` of a download's type. */
int download_deliver(lua_State *L, struct job *job, int self);
void download_delivered(lua_State *L, struct job *job, int self, int results);

#endif
