/* One lock for what the states of a process share: they may be in many
 * threads. Floor 1: plain C. */
#ifndef MINIMAX_MONITOR_H
#define MINIMAX_MONITOR_H

/* Nothing that enters again, or takes long, stands between these two. A fork
 * finds the lock open. */
void monitor_enter(void);
void monitor_leave(void);

#endif
