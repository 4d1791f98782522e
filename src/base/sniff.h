/* The media type of a file, told by its first bytes, never by its name. */
#ifndef MINIMAX_SNIFF_H
#define MINIMAX_SNIFF_H

#include <stddef.h>

enum sniff_class { SNIFF_UNKNOWN, SNIFF_IMAGE, SNIFF_VIDEO, SNIFF_AUDIO };

/* A static record; `mime` is what a data: URL says (the API page's
 * `<type>/<lower-case format>`): image/jpeg, image/png, image/webp,
 * image/heic, image/heif, video/mp4, video/mov, audio/wav, audio/mp3. */
struct sniff {
  enum sniff_class class;
  const char *mime; /* NULL where the class is SNIFF_UNKNOWN */
  const char *name; /* "JPEG", "HEIC", "GIF", "empty", …, for messages */
};

#define SNIFF_BYTES 32 /* how many first bytes are enough */

const struct sniff *sniff_media(const unsigned char *head, size_t length);

#endif
