/* Where a path leads, as the file system sees it. */
#include "api/file_identity.h"

#include <errno.h>
#include <lauxlib.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "net/rename.h"

/* -1: errno says why. */
static int find_folder(const char *path, struct stat *found) {
  char *folder = rename_folder(path);
  int result;
  if (!folder) {
    errno = ENOMEM;
    return -1;
  }
  result = stat(folder, found);
  if (result == 0 && !S_ISDIR(found->st_mode)) {
    errno = ENOTDIR;
    result = -1;
  }
  free(folder);
  return result;
}

/*** Where a path leads, for those who compare paths: two are the same file if
their folders are and their names mean the same there.
@function _place
@tparam string path
@treturn[1] string its folder: the device and the inode
@treturn[1] boolean whether anything has that name, a link to nowhere too
@treturn[1] boolean whether it is a regular file, or leads to one
@treturn[2] nil
@treturn[2] string why there is no such folder, or it can't be looked into
@treturn[2] integer errno */
int file_identity_call(lua_State *L) {
  const char *path = luaL_checkstring(L, 1);
  struct stat folder, own;
  if (find_folder(path, &folder) < 0)
    return luaL_fileresult(L, 0, NULL);
  lua_pushfstring(L, "%I:%I", (lua_Integer)folder.st_dev,
                  (lua_Integer)folder.st_ino);
  if (lstat(path, &own) == 0)
    lua_pushboolean(L, 1);
  else if (errno == ENOENT)
    lua_pushboolean(L, 0);
  else
    return luaL_fileresult(L, 0, NULL);
  lua_pushboolean(L, stat(path, &own) == 0 && S_ISREG(own.st_mode));
  return 3;
}
