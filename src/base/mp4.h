/* Walks the top-level boxes of an MP4 as its bytes arrive, so that an error
 * page or a short body is never taken for a video. */
#ifndef MINIMAX_MP4_H
#define MINIMAX_MP4_H

#include <stddef.h>
#include <stdint.h>

struct mp4_walk {
  unsigned char header[16]; /* the box header being collected */
  unsigned collected;       /* bytes of it so far */
  uint64_t left;            /* bytes left in the box under way */
  int to_end;               /* the box under way runs to the file's end */
  unsigned boxes;           /* whole headers seen */
  int index, media;         /* of them, `moov` or `moof`; `mdat` */
  int bad;                  /* what came is no MP4 */
};

void mp4_begin(struct mp4_walk *walk);

/* Takes the next bytes in order. Returns 0, or -1 once they are no MP4: the
 * first box must be `ftyp`, and each header must be sound. */
int mp4_feed(struct mp4_walk *walk, const void *bytes, size_t length);

/* Bytes that may be passed over unread before the next header (a file on disk
 * is walked by seeking); UINT64_MAX for a box that runs to the end. */
uint64_t mp4_skippable(const struct mp4_walk *walk);
void mp4_skip(struct mp4_walk *walk, uint64_t length);

/* Whether the first box's header has been seen and is right. */
int mp4_begun(const struct mp4_walk *walk);

/* Whether the bytes so far are a whole video: they end exactly where a box
 * ends, or in one that runs to the file's end, and hold what a player needs,
 * `moov` or `moof` and `mdat`. */
int mp4_ended(const struct mp4_walk *walk);

/* Whether the last box runs to the file's end, which only the file's own
 * length can tell. */
int mp4_is_open(const struct mp4_walk *walk);

#endif
