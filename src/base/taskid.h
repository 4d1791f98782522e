/* The id of the task that an answer names, from whatever of the answer arrived:
 * the rest may be cut off, or be no JSON at all. */
#ifndef MINIMAX_TASKID_H
#define MINIMAX_TASKID_H

#include <stddef.h>

enum { TASKID_LONGEST = 255 /* bytes */ };

enum taskid_naming {
  TASKID_NONE,
  TASKID_CLEAR,
  TASKID_VAGUE /* a bare `id` of the answer itself: perhaps the request's */
};

struct taskid {
  char text[TASKID_LONGEST + 1]; /* ends with a NUL */
  size_t length;
};

/* Finds it: by `task_id`, or by `id` in the answer or in the `task` and `data`
 * that wrap it; the most specific name of a sound id wins. It was closed before
 * the text broke off, so it is whole; no vaguer one stands for what was cut
 * off. A number gives exactly its digits. */
enum taskid_naming taskid_find(const char *text, size_t length,
                               struct taskid *id);

/* Whether it can be a task's id: printable, without blanks, not 0 or -1, not of
 * dots alone. */
int taskid_is_sound(const char *id, size_t length);

#endif
