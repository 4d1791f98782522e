/* Tells the user's on_event what happens. */
#ifndef MINIMAX_EVENT_H
#define MINIMAX_EVENT_H

#include <lua.h>

#include "run/client.h"

/* Whether anybody listens. */
int event_wanted(const struct job *job);

/* Pushes an event table with type, time, stage and task_id; 0 and nothing where
 * nobody listens. */
int event_begin(lua_State *L, const struct job *job, int self,
                const char *type);

/* Fields of the event on top; texts are redacted. */
void event_set_text(lua_State *L, const struct job *job, const char *name,
                    const char *text);
void event_set_number(lua_State *L, const char *name, double value);
void event_set_integer(lua_State *L, const char *name, lua_Integer value);
void event_set_flag(lua_State *L, const char *name);

/* Pops the event on top. The listener gets it once the job has moved on: it
 * may close the client, and with it the job. */
void event_send(lua_State *L, const struct job *job, int self);

/* Tells of the callback whose event is on top; `self` is the index of the
 * client. */
void event_tell_callback(lua_State *L, struct client *client, int self);

/* Hands the listener what was sent; `self` is the index of a job of that
 * client. */
void event_flush(lua_State *L, struct client *client, int self);

#endif
