/* Cuts secrets out of texts that people see: the API key wherever it stands,
 * and what URLs carry in their query and user information. */
#include "base/redact.h"

#include <string.h>

#include "base/jsontext.h"

#define REPLACEMENT "[key]"

enum { SHORTEST_SECRET = 4, SHORTEST_IN_PLACE = 8 };

struct cutter {
  const char *text;
  size_t length, at;
  const char *secret;
  size_t secret_length; /* 0: none to look for */
  int in_url;
  size_t authority; /* where the authority of the URL under way begins */
  struct buffer *out;
};

static int at_secret(const struct cutter *cut) {
  return cut->secret_length > 0 &&
         cut->length - cut->at >= cut->secret_length &&
         memcmp(cut->text + cut->at, cut->secret, cut->secret_length) == 0;
}

static int is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Length of `://` here, or 0. JSON may write each slash as `\/`. */
static size_t separator_length(const struct cutter *cut) {
  size_t at = cut->at, slashes;
  if (at == cut->length || cut->text[at] != ':')
    return 0;
  at++;
  for (slashes = 0; slashes < 2; slashes++) {
    if (at < cut->length && cut->text[at] == '\\')
      at++;
    if (at == cut->length || cut->text[at] != '/')
      return 0;
    at++;
  }
  return at - cut->at;
}

/* An apostrophe may stand inside a URL: it ends one only where no further
 * URL character follows, or the end of a signature would be shown. */
static int apostrophe_ends(const struct cutter *cut, size_t at) {
  unsigned char next;
  if (at + 1 == cut->length)
    return 1;
  next = (unsigned char)cut->text[at + 1];
  return next <= ' ' || strchr("\"'`<>,.;:!?)]}\\", next) != NULL;
}

static int ends_url(const struct cutter *cut, size_t at) {
  unsigned char c = (unsigned char)cut->text[at];
  if (c == '\'')
    return apostrophe_ends(cut, at);
  return c <= ' ' || c == 0x7F || c == '"' || c == '`' || c == '<' || c == '>';
}

static size_t url_end(const struct cutter *cut) {
  size_t at = cut->at;
  while (at < cut->length && !ends_url(cut, at))
    at++;
  return at;
}

/* Passes over `user:password@`, if that is what the authority begins with. */
static int cut_user(struct cutter *cut) {
  size_t after = cut->at, at;
  for (at = cut->at; at < cut->length && !ends_url(cut, at); at++) {
    if (strchr("/?#", cut->text[at]) != NULL)
      break;
    if (cut->text[at] == '@')
      after = at + 1;
  }
  if (after == cut->at)
    return 0;
  cut->at = after;
  return buffer_add_text(cut->out, "[cut]@");
}

/* Bytes of the valid UTF-8 character here, or 0. */
static size_t character_length(const struct cutter *cut) {
  unsigned char lead = (unsigned char)cut->text[cut->at];
  size_t size = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  if (size > cut->length - cut->at)
    return 0;
  return jsontext_utf8_error(cut->text + cut->at, size) == size ? size : 0;
}

/* C0, DEL, and C1 (U+0080 to U+009F, which terminals obey too). */
static int is_control(const char *character, size_t size) {
  const unsigned char *bytes = (const unsigned char *)character;
  if (size == 1)
    return bytes[0] < 0x20 || bytes[0] == 0x7F;
  return size == 2 && bytes[0] == 0xC2 && bytes[1] < 0xA0;
}

static int copy_character(struct cutter *cut) {
  const char *character = cut->text + cut->at;
  size_t size = character_length(cut);
  cut->at += size == 0 ? 1 : size;
  if (size == 0)
    return buffer_add(cut->out, "?", 1);
  if (is_control(character, size))
    return buffer_add(cut->out, " ", 1);
  return buffer_add(cut->out, character, size);
}

/* Notes where URLs of any scheme begin and end; what comes before their
 * authority is copied like other text, so that a secret is found in it too. */
static void follow_url(struct cutter *cut) {
  size_t length = 0;
  if (cut->at > 0 && (is_letter(cut->text[cut->at - 1]) ||
                      strchr("0123456789+-.", cut->text[cut->at - 1])))
    length = separator_length(cut);
  if (length > 0)
    cut->authority = cut->at + length;
  if (cut->in_url && ends_url(cut, cut->at))
    cut->in_url = 0;
}

static int cut_next(struct cutter *cut) {
  if (at_secret(cut)) {
    cut->at += cut->secret_length;
    return buffer_add_text(cut->out, REPLACEMENT);
  }
  follow_url(cut);
  if (cut->authority != 0 && cut->at >= cut->authority) {
    cut->authority = 0;
    cut->in_url = 1;
    return cut_user(cut);
  }
  if (cut->in_url && cut->text[cut->at] == '?') {
    cut->at = url_end(cut);
    cut->in_url = 0;
    return buffer_add_text(cut->out, "?[cut]");
  }
  return copy_character(cut);
}

int redact_text(const char *text, size_t length, const char *secret,
                struct buffer *out) {
  struct cutter cut = {.text = text, .length = length, .out = out};
  size_t start = out->length;
  if (secret != NULL && strlen(secret) >= SHORTEST_SECRET) {
    cut.secret = secret;
    cut.secret_length = strlen(secret);
  }
  if (buffer_reserve(out, length) != 0)
    return -1;
  while (cut.at < length)
    if (cut_next(&cut) != 0)
      goto fail;
  return 0;
fail:
  out->length = start;
  out->bytes[start] = '\0';
  return -1;
}

size_t redact_in_place(char *text, size_t length, const char *secret) {
  size_t size = secret ? strlen(secret) : 0, rest = length, kept = 0, before;
  const char *from = text, *at;
  if (size < SHORTEST_IN_PLACE)
    return length;
  while (rest >= size && (at = memmem(from, rest, secret, size)) != NULL) {
    before = (size_t)(at - from);
    memmove(text + kept, from, before);
    memcpy(text + kept + before, REPLACEMENT, sizeof REPLACEMENT - 1);
    kept += before + sizeof REPLACEMENT - 1;
    rest -= before + size;
    from = at + size;
  }
  memmove(text + kept, from, rest);
  return kept + rest;
}
