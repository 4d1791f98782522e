/* The large transfers in plain C: an image as base64 inside a JSON body, made
 * piece by piece while it is sent, and a download that keeps nothing. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "bare.h"

static const char head[] =
    "{\"template_id\":\"393769180141805569\",\"media_inputs\":[{\"value\":\""
    "data:image/jpeg;base64,";
static const char tail[] = "\"}]}";

struct upload {
  FILE *image;
  const char *text; /* what is left of head or tail */
  int at_tail;
};

static size_t put_base64(const unsigned char *in, size_t length, char *out) {
  static const char digits[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  char *begin = out;
  for (size_t i = 0; i < length; i += 3) {
    unsigned second = i + 1 < length ? in[i + 1] : 0;
    unsigned third = i + 2 < length ? in[i + 2] : 0;
    unsigned triple = (unsigned)in[i] << 16 | second << 8 | third;
    *out++ = digits[triple >> 18];
    *out++ = digits[triple >> 12 & 63];
    *out++ = i + 1 < length ? digits[triple >> 6 & 63] : '=';
    *out++ = i + 2 < length ? digits[triple & 63] : '=';
  }
  return (size_t)(out - begin);
}

static size_t on_read(char *out, size_t size, size_t count, void *user) {
  static unsigned char bytes[49152];
  struct upload *upload = user;
  size_t room = size * count;
  size_t length = strlen(upload->text);
  if (length > 0) {
    length = length < room ? length : room;
    memcpy(out, upload->text, length);
    upload->text += length;
    return length;
  }
  length = room / 4 * 3 < sizeof bytes ? room / 4 * 3 : sizeof bytes;
  length = fread(bytes, 1, length, upload->image);
  if (length > 0)
    return put_base64(bytes, length, out);
  if (upload->at_tail)
    return 0;
  upload->at_tail = 1;
  upload->text = tail;
  return on_read(out, size, count, user);
}

static size_t on_write(char *bytes, size_t size, size_t count, void *user) {
  return fwrite(bytes, size, count, user) * size;
}

static void perform(CURL *easy) {
  CURLcode result = curl_easy_perform(easy);
  if (result != CURLE_OK)
    bare_fail(curl_easy_strerror(result));
}

void bare_submit(const char *base, const char *image) {
  struct upload upload = {fopen(image, "rb"), head, 0};
  struct curl_slist *headers = NULL;
  CURL *easy = curl_easy_init();
  struct stat status;
  char url[512];
  if (!upload.image || stat(image, &status) < 0)
    bare_fail("no image");
  snprintf(url, sizeof url, "%s/v1/video_template_generation", base);
  headers = curl_slist_append(headers, "Content-Type: application/json");
  headers = curl_slist_append(headers, "Authorization: Bearer bench-key");
  headers = curl_slist_append(headers, "Expect:");
  curl_easy_setopt(easy, CURLOPT_URL, url);
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt(easy, CURLOPT_POST, 1L);
  curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                   (curl_off_t)(strlen(head) + strlen(tail)) +
                       (status.st_size + 2) / 3 * 4);
  curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_read);
  curl_easy_setopt(easy, CURLOPT_READDATA, &upload);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_write);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, stdout);
  perform(easy);
}

void bare_download(const char *base) {
  FILE *sink = fopen("/dev/null", "wb");
  CURL *easy = curl_easy_init();
  char url[512];
  snprintf(url, sizeof url, "%s/video.mp4", base);
  curl_easy_setopt(easy, CURLOPT_URL, url);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_write);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, sink);
  perform(easy);
}
