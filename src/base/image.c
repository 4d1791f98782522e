/* What an image is, from its first bytes: format, width and height; and whether
 * the file holds it to its end. It decodes nothing, reads a window of the file
 * at a time, and gives up in bounded work whatever the lengths in the file say.
 */
#include "base/image.h"

#include <string.h>

#define WINDOW       4096
#define MOST_MARKERS 10000
#define MOST_BYTES   (UINT64_C(64) << 20)

struct window {
  image_reader read;
  void *source;
  uint64_t offset; /* of the first byte held */
  size_t length;
  int unreadable; /* the reader said -1 */
  unsigned char bytes[WINDOW];
};

/* Fills the window from `offset` on until `needed` bytes are there or the
 * file ends: a reader may give less than it was asked for. */
static void fill(struct window *window, uint64_t offset, size_t needed) {
  window->offset = offset;
  window->length = 0;
  while (window->length < needed) {
    ptrdiff_t got =
        window->read(window->source, offset + window->length,
                     window->bytes + window->length, WINDOW - window->length);
    if (got < 0)
      window->unreadable = 1;
    if (got <= 0)
      return;
    window->length += (size_t)got;
  }
}

/* The `length` bytes at `offset`, or NULL where the file ends before, can't be
 * read, or too much of it was passed over. */
static const unsigned char *look(struct window *window, uint64_t offset,
                                 size_t length) {
  if (offset > MOST_BYTES || window->unreadable)
    return NULL;
  if (offset < window->offset ||
      offset + length > window->offset + window->length)
    fill(window, offset, length);
  if (window->unreadable || offset + length > window->offset + window->length)
    return NULL;
  return window->bytes + (offset - window->offset);
}

static uint32_t big16(const unsigned char *bytes) {
  return (uint32_t)bytes[0] << 8 | bytes[1];
}

static uint32_t big32(const unsigned char *bytes) {
  return big16(bytes) << 16 | big16(bytes + 2);
}

static uint32_t little16(const unsigned char *bytes) {
  return (uint32_t)bytes[1] << 8 | bytes[0];
}

static uint32_t little24(const unsigned char *bytes) {
  return (uint32_t)bytes[2] << 16 | little16(bytes);
}

static uint32_t little32(const unsigned char *bytes) {
  return little24(bytes) | (uint32_t)bytes[3] << 24;
}

static enum image_result size_result(struct image *image, uint32_t width,
                                     uint32_t height) {
  if (width == 0 || height == 0)
    return IMAGE_BROKEN;
  image->width = width;
  image->height = height;
  return IMAGE_OK;
}

/* Moves *offset just after the next marker and returns it, or -1. As decoders
 * do, it passes over stray bytes before a marker and over any number of fill
 * bytes (FF) in it. */
static int next_marker(struct window *window, uint64_t *offset) {
  const unsigned char *byte;
  int filled = 0;
  while ((byte = look(window, (*offset)++, 1)) != NULL) {
    if (*byte == 0xFF)
      filled = 1;
    else if (filled && *byte != 0)
      return *byte;
    else
      filled = 0;
  }
  return -1;
}

static int is_frame(int marker) {
  return marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 &&
         marker != 0xCC;
}

/* TEM and the restart markers have no length. */
static int is_alone(int marker) {
  return marker == 0x01 || (marker >= 0xD0 && marker <= 0xD7);
}

/* SOI, EOI and SOS: after them no frame header can come. */
static int ends_headers(int marker) {
  return marker >= 0xD8 && marker <= 0xDA;
}

/* The height may be 0 in a JPEG that tells it after the first scan; such an
 * image has no size here. */
static enum image_result read_frame(struct window *window, uint64_t offset,
                                    struct image *image) {
  const unsigned char *frame = look(window, offset, 7);
  if (frame == NULL || big16(frame) < 8)
    return IMAGE_BROKEN;
  return size_result(image, big16(frame + 5), big16(frame + 3));
}

/* Passes over what comes before the first scan, `past_frames` or up to one;
 * returns the marker, and *offset just after it. -1: there is none. */
static int pass_headers(struct window *window, uint64_t *offset,
                        int past_frames) {
  unsigned markers;
  for (markers = 0; markers < MOST_MARKERS; markers++) {
    int marker = next_marker(window, offset);
    const unsigned char *length;
    if (marker < 0 || ends_headers(marker) ||
        (!past_frames && is_frame(marker)))
      return marker;
    if (is_alone(marker))
      continue;
    length = look(window, *offset, 2);
    if (length == NULL || big16(length) < 2)
      break;
    *offset += big16(length);
  }
  return -1;
}

static enum image_result read_jpeg(struct window *window, struct image *image) {
  uint64_t offset = 2;
  return is_frame(pass_headers(window, &offset, 0))
             ? read_frame(window, offset, image)
             : IMAGE_BROKEN;
}

/* Whether an end marker (FF D9) stands somewhere: in a scan's own bytes each FF
 * is followed by another. Behind it anything may follow, such as a second
 * picture. */
static int has_end(struct window *window, uint64_t offset) {
  const unsigned char *bytes;
  while ((bytes = look(window, offset, 2)) != NULL) {
    size_t count = window->length - (size_t)(bytes - window->bytes) - 1;
    const unsigned char *found = memchr(bytes, 0xFF, count);
    if (found != NULL && found[1] == 0xD9)
      return 1;
    offset += found != NULL ? (size_t)(found - bytes) + 1 : count;
  }
  return 0;
}

static int is_whole_jpeg(struct window *window) {
  uint64_t offset = 2;
  return pass_headers(window, &offset, 1) == 0xDA && has_end(window, offset);
}

static enum image_result read_png(struct window *window, struct image *image) {
  const unsigned char *header = look(window, 8, 16);
  if (header == NULL || memcmp(header, "\0\0\0\x0DIHDR", 8) != 0)
    return IMAGE_BROKEN;
  if (big32(header + 8) > INT32_MAX || big32(header + 12) > INT32_MAX)
    return IMAGE_BROKEN;
  return size_result(image, big32(header + 8), big32(header + 12));
}

/* Chunk by chunk up to the last, with data among them. */
static int is_whole_png(struct window *window, uint64_t size) {
  uint64_t offset = 8;
  int has_data = 0;
  const unsigned char *chunk;
  while ((chunk = look(window, offset, 8)) != NULL) {
    uint64_t length = big32(chunk);
    uint64_t end = offset + 12 + length; /* its check sum included */
    if (end > size)
      return 0;
    if (memcmp(chunk + 4, "IEND", 4) == 0)
      return has_data;
    has_data |= length > 0 && memcmp(chunk + 4, "IDAT", 4) == 0;
    offset = end;
  }
  return 0;
}

/* A key frame's header: three bytes of tag, the start code, two sizes of 14
 * bits (above them, how to scale for display). */
static enum image_result read_vp8(struct window *window, struct image *image) {
  const unsigned char *frame = look(window, 20, 10);
  if (frame == NULL || (frame[0] & 1) != 0 ||
      memcmp(frame + 3, "\x9D\x01\x2A", 3) != 0)
    return IMAGE_BROKEN;
  return size_result(image, little16(frame + 6) & 0x3FFF,
                     little16(frame + 8) & 0x3FFF);
}

/* Lossless: a signature byte, then width - 1 and height - 1, 14 bits each. */
static enum image_result read_vp8l(struct window *window, struct image *image) {
  const unsigned char *frame = look(window, 20, 5);
  uint32_t bits;
  if (frame == NULL || frame[0] != 0x2F)
    return IMAGE_BROKEN;
  bits = little16(frame + 1) | little16(frame + 3) << 16;
  return size_result(image, (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1);
}

/* Extended: the canvas, which is what a viewer shows. */
static enum image_result read_vp8x(struct window *window, struct image *image) {
  const unsigned char *header = look(window, 20, 10);
  if (header == NULL)
    return IMAGE_BROKEN;
  return size_result(image, little24(header + 4) + 1, little24(header + 7) + 1);
}

static enum image_result read_webp(struct window *window, struct image *image) {
  const unsigned char *chunk = look(window, 12, 8);
  if (chunk == NULL)
    return IMAGE_BROKEN;
  if (memcmp(chunk, "VP8 ", 4) == 0)
    return read_vp8(window, image);
  if (memcmp(chunk, "VP8L", 4) == 0)
    return read_vp8l(window, image);
  if (memcmp(chunk, "VP8X", 4) == 0)
    return read_vp8x(window, image);
  return IMAGE_BROKEN;
}

static int is_picture(const unsigned char *chunk) {
  return memcmp(chunk, "VP8 ", 4) == 0 || memcmp(chunk, "VP8L", 4) == 0 ||
         memcmp(chunk, "ANMF", 4) == 0;
}

/* As long as it says, with a picture, or a frame of an animation, in it. */
static int is_whole_webp(struct window *window, uint64_t size) {
  const unsigned char *chunk = look(window, 4, 4);
  uint64_t end = chunk == NULL ? 0 : 8 + (uint64_t)little32(chunk);
  uint64_t offset = 12;
  if (end > size)
    return 0;
  while (offset < end && (chunk = look(window, offset, 8)) != NULL) {
    uint64_t length = little32(chunk + 4);
    if (is_picture(chunk))
      return offset + 8 + length <= end;
    offset += 8 + length + (length & 1);
  }
  return 0;
}

enum format { NONE, JPEG, PNG, WEBP };

static enum format format_of(struct window *window) {
  const unsigned char *head = look(window, 0, 3);
  if (head != NULL && memcmp(head, "\xFF\xD8\xFF", 3) == 0)
    return JPEG;
  head = look(window, 0, 8);
  if (head != NULL && memcmp(head, "\x89PNG\r\n\x1A\n", 8) == 0)
    return PNG;
  head = look(window, 0, 12);
  if (head != NULL && memcmp(head, "RIFF", 4) == 0 &&
      memcmp(head + 8, "WEBP", 4) == 0)
    return WEBP;
  return NONE;
}

static enum image_result read_any(struct window *window, struct image *image) {
  switch (format_of(window)) {
  case JPEG:
    return read_jpeg(window, image);
  case PNG:
    return read_png(window, image);
  case WEBP:
    return read_webp(window, image);
  default:
    return IMAGE_UNKNOWN;
  }
}

enum image_result image_read(image_reader read, void *source,
                             struct image *image) {
  struct window window = {.read = read, .source = source};
  enum image_result result = read_any(&window, image);
  return window.unreadable ? IMAGE_UNREADABLE : result;
}

static int is_whole(struct window *window, uint64_t size) {
  switch (format_of(window)) {
  case JPEG:
    return is_whole_jpeg(window);
  case PNG:
    return is_whole_png(window, size);
  case WEBP:
    return is_whole_webp(window, size);
  default:
    return 0;
  }
}

enum image_result image_check_whole(image_reader read, void *source,
                                    uint64_t size) {
  struct window window = {.read = read, .source = source};
  enum image_result result = is_whole(&window, size) ? IMAGE_OK : IMAGE_BROKEN;
  return window.unreadable ? IMAGE_UNREADABLE : result;
}
