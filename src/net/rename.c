/* The final name of a file. */
#include "net/rename.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "net/file.h"

char *rename_folder(const char *path) {
  const char *slash = strrchr(path, '/');
  if (!slash)
    return strdup(".");
  return slash == path ? strdup("/") : strndup(path, (size_t)(slash - path));
}

/* Whether the file system says that it holds it fast: a file that is mounted
 * over another (as containers do), one that may not be changed, a folder that
 * lets names be added only. */
static int is_held(const char *path, int is_folder) {
#ifdef STATX_ATTR_MOUNT_ROOT
  struct statx found;
  uint64_t holding = STATX_ATTR_APPEND | STATX_ATTR_IMMUTABLE;
  if (!is_folder)
    holding |= STATX_ATTR_MOUNT_ROOT;
  return statx(AT_FDCWD, path, is_folder ? 0 : AT_SYMLINK_NOFOLLOW, 0,
               &found) == 0 &&
         (found.stx_attributes & holding) != 0;
#else
  (void)path, (void)is_folder;
  return 0;
#endif
}

/* In a folder such as /tmp only its owner may replace a file. */
static int is_guarded(const struct stat *file, const char *folder) {
  struct stat status;
  uid_t own = geteuid();
  return own != 0 && file->st_uid != own && stat(folder, &status) == 0 &&
         (status.st_mode & S_ISVTX) && status.st_uid != own;
}

static enum rename_result check_old(const char *path, const char *folder) {
  struct stat old;
  if (is_held(folder, 1))
    return RENAME_PINNED;
  if (lstat(path, &old) < 0)
    return RENAME_OK;
  return is_held(path, 0) || is_guarded(&old, folder) ? RENAME_PINNED
                                                      : RENAME_OK;
}

enum rename_result rename_check(const char *path, int overwrite) {
  struct stat status;
  enum rename_result result;
  const char *slash = strrchr(path, '/');
  char *folder;
  if (!*path || (slash && !slash[1]))
    return RENAME_NOT_REGULAR;
  if (stat(path, &status) == 0) {
    if (!S_ISREG(status.st_mode))
      return RENAME_NOT_REGULAR;
    if (!overwrite)
      return RENAME_EXISTS;
  } else if (errno != ENOENT) {
    return RENAME_ERRNO;
  }
  folder = rename_folder(path);
  result = folder ? check_old(path, folder) : RENAME_NO_MEMORY;
  free(folder);
  return result;
}

/* Gives the name unless it is taken. */
static int rename_unless_taken(const char *from, const char *path) {
  if (link(from, path) == 0) {
    unlink(from);
    return 0;
  }
  if (errno == EEXIST)
    return -1;
  /* The file system knows no links: there the look and the rename are two. */
  if (access(path, F_OK) < 0)
    return rename(from, path);
  errno = EEXIST;
  return -1;
}

static void sync_folder(const char *path) {
  char *folder = rename_folder(path);
  int fd = folder ? file_open(folder, O_RDONLY | O_DIRECTORY) : -1;
  free(folder);
  if (fd < 0)
    return;
  file_sync(fd);
  close(fd);
}

enum rename_result rename_to(const char *from, const char *path,
                             int overwrite) {
  int result;
  do
    result = overwrite ? rename(from, path) : rename_unless_taken(from, path);
  while (result < 0 && errno == EINTR);
  if (result < 0)
    return errno == EEXIST ? RENAME_EXISTS : RENAME_ERRNO;
  sync_folder(path);
  return RENAME_OK;
}
