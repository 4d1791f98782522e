/* The final name of a file: whether it may be given, and giving it. */
#ifndef MINIMAX_RENAME_H
#define MINIMAX_RENAME_H

enum rename_result {
  RENAME_OK,
  RENAME_NO_MEMORY,
  RENAME_NOT_REGULAR, /* what has the name is a folder, device, pipe, … */
  RENAME_EXISTS,      /* it is taken, and overwriting was not allowed */
  RENAME_PINNED,      /* nothing can take the place of what has the name */
  RENAME_ERRNO        /* errno says why */
};

/* Whether a file beside `path` could be given that name; nothing is changed. */
enum rename_result rename_check(const char *path, int overwrite);

/* Gives it, and sees to it that the new name survives a crash. */
enum rename_result rename_to(const char *from, const char *path, int overwrite);

/* The folder a path stands in; malloc'd, NULL when memory ends. */
char *rename_folder(const char *path);

#endif
