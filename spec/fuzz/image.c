/* Fuzzes the image reader: with bytes given whole and a few at a time it must
 * say the same, and a size only where there is one. */
#include <stdlib.h>
#include <string.h>

#include "base/image.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

struct file {
  const uint8_t *bytes;
  size_t length, piece;
};

static ptrdiff_t read_piece(void *source, uint64_t offset, void *out,
                            size_t length) {
  const struct file *file = source;
  if (offset >= file->length)
    return 0;
  if (length > file->length - offset)
    length = file->length - offset;
  if (length > file->piece)
    length = file->piece;
  memcpy(out, file->bytes + offset, length);
  return (ptrdiff_t)length;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
  struct file whole = {bytes, length, SIZE_MAX}, pieces = {bytes, length, 3};
  struct image first = {0, 0}, second = {0, 0};
  enum image_result result = image_read(read_piece, &whole, &first);
  if (image_read(read_piece, &pieces, &second) != result)
    abort();
  if (first.width != second.width || first.height != second.height)
    abort();
  if ((result == IMAGE_OK) != (first.width > 0 && first.height > 0))
    abort();
  result = image_check_whole(read_piece, &whole, length);
  if (image_check_whole(read_piece, &pieces, length) != result)
    abort();
  /* What is whole stays so, whatever follows. */
  whole.length = length / 2;
  if (result != IMAGE_OK &&
      image_check_whole(read_piece, &whole, length / 2) == IMAGE_OK &&
      memcmp(bytes, "RIFF", 4) != 0)
    abort();
  return 0;
}
