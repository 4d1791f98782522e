/* The media type of a file, told by its first bytes, never by its name. */
#include "base/sniff.h"

#include <string.h>

static const struct sniff unknown = {
    SNIFF_UNKNOWN, NULL,
    "neither an image, a video nor audio of a known format"};
static const struct sniff avif = {SNIFF_UNKNOWN, NULL, "AVIF"};
static const struct sniff empty = {SNIFF_UNKNOWN, NULL, "empty"};
static const struct sniff page = {SNIFF_UNKNOWN, NULL, "HTML or XML"};
static const struct sniff json = {SNIFF_UNKNOWN, NULL, "JSON"};
static const struct sniff mp4 = {SNIFF_VIDEO, "video/mp4", "MP4"};
static const struct sniff mov = {SNIFF_VIDEO, "video/mov", "MOV"};
static const struct sniff heic = {SNIFF_IMAGE, "image/heic", "HEIC"};
static const struct sniff heif = {SNIFF_IMAGE, "image/heif", "HEIF"};
static const struct sniff mp3 = {SNIFF_AUDIO, "audio/mp3", "MP3"};

/* Up to two runs of bytes that a format always has. */
static const struct {
  const char *first, *second;
  size_t first_length, second_offset, second_length;
  struct sniff sniff;
} signatures[] = {
    {"\xFF\xD8\xFF", "", 3, 0, 0, {SNIFF_IMAGE, "image/jpeg", "JPEG"}},
    {"\x89PNG\r\n\x1A\n", "", 8, 0, 0, {SNIFF_IMAGE, "image/png", "PNG"}},
    {"RIFF", "WEBP", 4, 8, 4, {SNIFF_IMAGE, "image/webp", "WebP"}},
    {"RIFF", "WAVE", 4, 8, 4, {SNIFF_AUDIO, "audio/wav", "WAV"}},
    {"ID3", "", 3, 0, 0, {SNIFF_AUDIO, "audio/mp3", "MP3"}},
    /* What is not allowed, but may be named. */
    {"GIF8", "", 4, 0, 0, {SNIFF_UNKNOWN, NULL, "GIF"}},
    {"BM", "\0\0\0\0", 2, 6, 4, {SNIFF_UNKNOWN, NULL, "BMP"}},
    {"II*\0", "", 4, 0, 0, {SNIFF_UNKNOWN, NULL, "TIFF"}},
    {"MM\0*", "", 4, 0, 0, {SNIFF_UNKNOWN, NULL, "TIFF"}},
    {"%PDF", "", 4, 0, 0, {SNIFF_UNKNOWN, NULL, "PDF"}},
    {"PK\3\4", "", 4, 0, 0, {SNIFF_UNKNOWN, NULL, "a ZIP archive"}},
    {"\x1F\x8B", "", 2, 0, 0, {SNIFF_UNKNOWN, NULL, "packed with gzip"}},
    {"\x1A\x45\xDF\xA3", "", 4, 0, 0, {SNIFF_UNKNOWN, NULL, "WebM"}},
    {"version ", "https:", 8, 8, 6, {SNIFF_UNKNOWN, NULL, "a Git LFS pointer"}},
};

/* Major brands of `ftyp` that are not a plain MP4. */
static const struct {
  const char *brand;
  const struct sniff *sniff;
} brands[] = {
    {"qt  ", &mov},     {"heic", &heic},    {"heix", &heic},
    {"heim", &heic},    {"heis", &heic},    {"hevc", &heic},
    {"hevx", &heic},    {"hevm", &heic},    {"hevs", &heic},
    {"mif1", &heif},    {"mif2", &heif},    {"msf1", &heif},
    {"avif", &avif},    {"avis", &avif},    {"M4A ", &unknown},
    {"M4B ", &unknown}, {"M4P ", &unknown}, {"F4A ", &unknown},
    {"crx ", &unknown}, {"jp2 ", &unknown}, {"jpx ", &unknown},
    {"jxl ", &unknown},
};

/* First boxes of a QuickTime file without `ftyp`. */
static const char *const quicktime[] = {"moov", "mdat", "wide",
                                        "free", "skip", "pnot"};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static int stands_at(const unsigned char *head, size_t length, size_t offset,
                     const char *bytes, size_t count) {
  return length >= offset && length - offset >= count &&
         memcmp(head + offset, bytes, count) == 0;
}

/* Whether one of the compatible brands that fit in the head is this one. */
static int is_compatible(const unsigned char *head, size_t length,
                         const char *brand) {
  size_t box = (size_t)head[2] << 8 | head[3], at;
  for (at = 16; at + 4 <= box && at + 4 <= length; at += 4)
    if (memcmp(head + at, brand, 4) == 0)
      return 1;
  return 0;
}

static const struct sniff *sniff_brand(const unsigned char *head,
                                       size_t length) {
  size_t i;
  if (length < 12)
    return &unknown;
  for (i = 0; i < COUNT(brands); i++) {
    if (memcmp(head + 8, brands[i].brand, 4) != 0)
      continue;
    /* the brand for any HEIF stands first in AVIF files too */
    if (brands[i].sniff == &heif && is_compatible(head, length, "avif"))
      return &avif;
    return brands[i].sniff;
  }
  return &mp4;
}

/* An MPEG audio frame, layer III, without an ID3 tag before it. */
static int is_mp3_frame(const unsigned char *head, size_t length) {
  unsigned version, layer, rate, sampling;
  if (length < 4 || head[0] != 0xFF || (head[1] & 0xE0) != 0xE0)
    return 0;
  version = head[1] >> 3 & 3;
  layer = head[1] >> 1 & 3;
  rate = head[2] >> 4;
  sampling = head[2] >> 2 & 3;
  return version != 1 && layer == 1 && rate != 0 && rate != 15 && sampling != 3;
}

/* Text is told by its first sign. */
static const struct sniff *sniff_text(const unsigned char *head,
                                      size_t length) {
  size_t at = stands_at(head, length, 0, "\xEF\xBB\xBF", 3) ? 3 : 0;
  while (at < length && (head[at] == ' ' || head[at] == '\t' ||
                         head[at] == '\r' || head[at] == '\n'))
    at++;
  if (at < length && head[at] == '<')
    return &page;
  return at < length && head[at] == '{' ? &json : &unknown;
}

const struct sniff *sniff_media(const unsigned char *head, size_t length) {
  size_t i;
  if (length == 0)
    return &empty;
  for (i = 0; i < COUNT(signatures); i++)
    if (stands_at(head, length, 0, signatures[i].first,
                  signatures[i].first_length) &&
        stands_at(head, length, signatures[i].second_offset,
                  signatures[i].second, signatures[i].second_length))
      return &signatures[i].sniff;
  if (stands_at(head, length, 4, "ftyp", 4))
    return sniff_brand(head, length);
  for (i = 0; i < COUNT(quicktime); i++)
    if (stands_at(head, length, 4, quicktime[i], 4))
      return &mov;
  return is_mp3_frame(head, length) ? &mp3 : sniff_text(head, length);
}
