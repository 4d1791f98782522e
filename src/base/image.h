/* What an image is: format, width and height, and whether it is whole.
 * It never decodes a pixel and trusts no length it reads. */
#ifndef MINIMAX_IMAGE_H
#define MINIMAX_IMAGE_H

#include <stddef.h>
#include <stdint.h>

struct image {
  uint32_t width, height; /* pixels, as stored (EXIF rotation not applied) */
};

/* Reads up to `length` bytes at `offset`; returns how many (0 at the end of
 * the file), or -1 when the file can't be read. */
typedef ptrdiff_t (*image_reader)(void *source, uint64_t offset, void *out,
                                  size_t length);

enum image_result {
  IMAGE_OK,
  IMAGE_UNKNOWN,   /* neither JPEG, PNG nor WebP */
  IMAGE_BROKEN,    /* one of them, but cut short or without a size */
  IMAGE_UNREADABLE /* the reader said -1 */
};

enum image_result image_read(image_reader read, void *source,
                             struct image *image);

/* Whether the file, of `size` bytes, holds such an image to its end: a copy
 * that broke off is IMAGE_BROKEN. */
enum image_result image_check_whole(image_reader read, void *source,
                                    uint64_t size);

#endif
