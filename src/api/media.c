/* Local files as media. */
#include "api/media.h"

#include <errno.h>
#include <fcntl.h>
#include <lauxlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/box.h"
#include "base/ascii.h"
#include "base/image.h"
#include "base/sniff.h"
#include "net/file.h"

#define NAME "minimax.file"

/*** Stands for a local file wherever the API takes a media URL: an image, and
for v2 a video or audio file as well. It is streamed, never held in memory.
@function file
@tparam string path
@treturn minimax.file
@see https://platform.minimax.io/docs/api-reference/video-agent-create */
int media_file(lua_State *L) {
  const char *path = luaL_checkstring(L, 1);
  luaL_argcheck(L, *path && strlen(path) == lua_rawlen(L, 1), 1,
                "a file path is expected");
  lua_newuserdatauv(L, 0, 1);
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, -2, 1);
  luaL_setmetatable(L, NAME);
  return 1;
}

const char *media_path(lua_State *L, int index) {
  const char *path;
  if (!luaL_testudata(L, index, NAME))
    return NULL;
  lua_getiuservalue(L, index, 1);
  path = lua_tostring(L, -1);
  lua_pop(L, 1); /* the handle anchors it */
  return path;
}

static int file_tostring(lua_State *L) {
  luaL_checkudata(L, 1, NAME);
  lua_pushfstring(L, NAME ": %s", media_path(L, 1));
  return 1;
}

void media_open(lua_State *L) {
  luaL_newmetatable(L, NAME);
  lua_pushcfunction(L, file_tostring);
  lua_setfield(L, -2, "__tostring");
  lua_pop(L, 1);
}

static ptrdiff_t read_at(void *source, uint64_t offset, void *out,
                         size_t length) {
  const int *fd = source;
  return file_read(*fd, offset, out, length);
}

struct finding {
  lua_State *L;
  const char *path;
  uint64_t size;
  int fd;
};

static const char *refuse_size(const struct finding *finding, const char *what,
                               uint64_t limit, const char *bound) {
  lua_pushfstring(finding->L,
                  "%s '%s' has %I bytes; the limit is %s %I (%d MB)", what,
                  finding->path, (LUAI_UACINT)finding->size, bound,
                  (LUAI_UACINT)limit, (int)(limit >> 20));
  return NULL;
}

static const char *check_sides(const struct finding *finding,
                               const struct image *image,
                               const struct image_rule *rule,
                               const char *mime) {
  uint32_t w = image->width, h = image->height;
  uint32_t shorter = w < h ? w : h, longer = w < h ? h : w;
  const char *problem = NULL;
  if (rule->shorter_over && shorter <= rule->shorter_over)
    problem = "the shorter side must exceed 300 pixels";
  else if (rule->least && (shorter < rule->least || longer > rule->widest))
    problem = "each side must lie between 256 and 5760 pixels";
  else if ((uint64_t)w * 5 < (uint64_t)h * 2 ||
           (uint64_t)w * 2 > (uint64_t)h * 5)
    problem = "the aspect ratio must lie between 2:5 and 5:2";
  if (!problem)
    return mime;
  lua_pushfstring(finding->L, "image '%s' is %I x %I pixels; %s", finding->path,
                  (LUAI_UACINT)w, (LUAI_UACINT)h, problem);
  return NULL;
}

static const char *check_image(struct finding *finding, int kind,
                               const struct sniff *sniff) {
  const struct image_rule *rule = &endpoints[kind].image;
  enum image_result result;
  struct image image;
  if (rule->below && finding->size >= rule->below)
    return refuse_size(finding, "image", rule->below, "less than");
  if (rule->most && finding->size > rule->most)
    return refuse_size(finding, "image", rule->most, "at most");
  result = image_read(read_at, &finding->fd, &image);
  if (result == IMAGE_OK)
    result = image_check_whole(read_at, &finding->fd, finding->size);
  switch (result) {
  case IMAGE_OK:
    return check_sides(finding, &image, rule, sniff->mime);
  case IMAGE_UNKNOWN: /* HEIC and HEIF, where they pass with the size alone */
    if (rule->any_format)
      return sniff->mime;
    lua_pushfstring(finding->L,
                    "image '%s' is %s; JPEG, PNG and WebP are allowed",
                    finding->path, sniff->name);
    return NULL;
  case IMAGE_BROKEN:
    lua_pushfstring(finding->L, "image '%s' is a %s that is cut or damaged",
                    finding->path, sniff->name);
    return NULL;
  default:
    lua_pushfstring(finding->L, "image '%s' can't be read: %s", finding->path,
                    strerror(errno));
    return NULL;
  }
}

static const char *check_sized(const struct finding *finding,
                               const struct sniff *sniff, uint64_t limit) {
  if (limit == 0) {
    lua_pushfstring(finding->L,
                    "'%s' is %s; a JPEG, PNG or WebP image is expected here",
                    finding->path, sniff->name);
    return NULL;
  }
  if (finding->size > limit)
    return refuse_size(finding, sniff->name, limit, "at most");
  return sniff->mime;
}

/* The fields that hold media; of SNIFF_UNKNOWN: of any class. */
static const struct media_field {
  const char *name;
  enum sniff_class class;
} media_fields[] = {
    {"image_url", SNIFF_IMAGE},         {"video_url", SNIFF_VIDEO},
    {"audio_url", SNIFF_AUDIO},         {"first_frame_image", SNIFF_IMAGE},
    {"last_frame_image", SNIFF_IMAGE},  {"media_inputs", SNIFF_UNKNOWN},
    {"subject_reference", SNIFF_IMAGE},
};

static const struct media_field *field_named(const char *name) {
  for (size_t i = 0; name && i < sizeof media_fields / sizeof *media_fields;
       i++)
    if (strcmp(media_fields[i].name, name) == 0)
      return &media_fields[i];
  return NULL;
}

/* A video under image_url would be paid for and fail. */
static int fits_field(const struct sniff *sniff, const char *name) {
  const struct media_field *field = field_named(name);
  return !field || field->class == SNIFF_UNKNOWN ||
         field->class == sniff->class;
}

int media_may_be(const char *text, const char *field) {
  static const char *const schemes[] = {"https:", "http:", "data:", "mm_file:"};
  if (!field_named(field))
    return 1;
  for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++)
    if (ascii_equal_up_to(text, schemes[i], strlen(schemes[i])))
      return 1;
  return 0;
}

static const char *check_rules(struct finding *finding, int kind,
                               const char *field) {
  unsigned char head[SNIFF_BYTES];
  ptrdiff_t length = read_at(&finding->fd, 0, head, sizeof head);
  const struct sniff *sniff =
      sniff_media(head, length > 0 ? (size_t)length : 0);
  if (length < 0) {
    lua_pushfstring(finding->L, "'%s' can't be read: %s", finding->path,
                    strerror(errno));
    return NULL;
  }
  if (sniff->class == SNIFF_UNKNOWN || !fits_field(sniff, field)) {
    lua_pushfstring(finding->L,
                    "'%s' is %s, which can't stand here (JPEG, PNG and WebP "
                    "images are read by their content)",
                    finding->path, sniff->name);
    return NULL;
  }
  if (kind == MEDIA_NO_KIND)
    return sniff->mime;
  if (sniff->class == SNIFF_IMAGE)
    return check_image(finding, kind, sniff);
  return check_sized(finding, sniff,
                     sniff->class == SNIFF_VIDEO
                         ? endpoints[kind].largest_video
                         : endpoints[kind].largest_audio);
}

static void close_file(void *content) {
  const int *file = content;
  if (*file > 0)
    close(*file - 1);
}

/* Opens the file for as long as its box is on the stack: what is looked for in
 * it may raise an error. -1: errno says why. */
static int open_boxed(lua_State *L, const char *path) {
  int *file = box_push(L, sizeof *file, close_file); /* zero: none */
  *file = file_open(path, O_RDONLY | O_NONBLOCK) + 1;
  return *file - 1;
}

/* The same of the file that is open. */
static const char *check_open(struct finding *finding, int kind,
                              const char *field) {
  struct stat status;
  if (finding->fd < 0 || fstat(finding->fd, &status) < 0) {
    lua_pushfstring(finding->L, "file '%s' can't be opened: %s", finding->path,
                    strerror(errno));
    return NULL;
  }
  finding->size = (uint64_t)status.st_size;
  if (S_ISREG(status.st_mode))
    return check_rules(finding, kind, field);
  lua_pushfstring(finding->L, "'%s' is no regular file", finding->path);
  return NULL;
}

const char *media_check(lua_State *L, const char *path, int kind,
                        const char *field) {
  struct finding finding = {L, path, 0, open_boxed(L, path)};
  int box = lua_gettop(L);
  const char *mime = check_open(&finding, kind, field);
  lua_pushvalue(L, box);
  box_pop(L);
  if (!mime)
    lua_replace(L, box); /* the reason */
  lua_settop(L, mime ? box - 1 : box);
  return mime;
}
