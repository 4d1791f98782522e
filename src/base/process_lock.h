/* One lock for what the states of a process share: they may be in many
 * threads. */
#ifndef MINIMAX_PROCESS_LOCK_H
#define MINIMAX_PROCESS_LOCK_H

/* Nothing that enters again, or takes long, stands between these two. A fork
 * finds the lock open. */
void process_lock_enter(void);
void process_lock_leave(void);

#endif
