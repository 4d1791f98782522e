/* The note beside a `.part`: three lines, the entity tag, the resource, and the
 * size or an asterisk. */
#include "net/part_note.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "net/file.h"
#include "net/header.h"

enum { NOTE_BYTES = 4096 };

void part_note_init(struct part_note *note) {
  note->etag = note->resource = NULL;
  note->total = PART_NOTE_UNKNOWN;
}

void part_note_free(struct part_note *note) {
  free(note->etag);
  free(note->resource);
  part_note_init(note);
}

/* Ends the line at `text` and returns the next one; NULL: it has no end. */
static char *split(char *text) {
  char *end = text ? strchr(text, '\n') : NULL;
  if (end)
    *end++ = '\0';
  return end;
}

/* "*" or a number of at most 18 digits. */
static int take_total(const char *text, uint64_t *total) {
  size_t digits = strspn(text, "0123456789");
  *total = PART_NOTE_UNKNOWN;
  if (strcmp(text, "*") == 0)
    return 0;
  if (digits == 0 || digits > 18 || text[digits])
    return -1;
  *total = strtoull(text, NULL, 10);
  return 0;
}

/* One that was cut short counts for nothing, nor does what can't stand in a
 * header. */
static void take(struct part_note *note, char *text) {
  char *resource = split(text);
  char *total = split(resource);
  char *end = split(total);
  uint64_t size;
  if (!end || *end || !header_etag_is_strong(text) || !*resource ||
      take_total(total, &size) < 0)
    return;
  note->etag = strdup(text);
  note->resource = strdup(resource);
  note->total = size;
  if (!note->etag || !note->resource)
    part_note_free(note);
}

void part_note_read(struct part_note *note, const char *path) {
  char text[NOTE_BYTES + 1];
  ptrdiff_t length;
  int fd = file_open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  part_note_init(note);
  if (fd < 0)
    return;
  length = file_is_ours(fd) ? file_read(fd, 0, text, NOTE_BYTES) : 0;
  close(fd);
  if (length <= 0)
    return;
  text[length] = '\0';
  take(note, text);
}

int part_note_write(const char *path, const char *etag, const char *resource,
                    uint64_t total) {
  char text[NOTE_BYTES], size[24] = "*";
  int length, fd, result;
  if (total != PART_NOTE_UNKNOWN)
    snprintf(size, sizeof size, "%llu", (unsigned long long)total);
  length = snprintf(text, sizeof text, "%s\n%s\n%s\n", etag, resource, size);
  if (length < 0 || length >= NOTE_BYTES || strchr(resource, '\n'))
    return -1;
  unlink(path); /* whatever has the name: a pipe must not hold us up */
  fd = file_open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW);
  if (fd < 0)
    return -1;
  result = file_write(fd, 0, text, (size_t)length);
  if (close(fd) == 0 && result == 0)
    return 0;
  unlink(path);
  return -1;
}
