/* Finds the id of the task that an answer names. It reads JSON as far as it
 * must to tell keys from values and strings from what stands in them, and
 * takes no offence at what is missing or wrong. Each byte is looked at once, or
 * three times where nothing was clear. */
#include "base/taskid.h"

#include <string.h>
#include <strings.h>

#include "base/jsontext.h"
#include "base/number.h"

enum { NESTING = 16 /* of the wrappings that are looked into */ };

enum key { KEY_NONE, KEY_OTHER, KEY_ID, KEY_TASK_ID, KEY_TASK, KEY_DATA };

/* How specific a name is: the lower, the better. Of several task_ids in the
 * wrappings the outermost is the one that a gateway knows; of several ids the
 * innermost is the least likely to be the request's. */
enum rank {
  RANK_WRAPPED = 0,     /* task_id, plus its depth */
  RANK_TASK = 100,      /* id in `task`, less its depth */
  RANK_ELSEWHERE = 200, /* task_id, in whatever */
  RANK_DATA = 300,      /* id in `data`, less its depth */
  RANK_OWN = 400,       /* id of the answer itself */
  RANK_NONE
};

struct scan {
  const char *text;
  size_t length, at;
  unsigned depth;              /* of the containers that are open */
  unsigned wrapped;            /* the outermost so many of them wrap the task */
  enum key names[NESTING + 1]; /* of these, by their depth */
  enum key key;                /* of the value that comes next */
  unsigned rank;               /* of the id found so far */
  int is_cut;                  /* the id of the task itself was cut off */
  struct taskid *id;
};

/* ---- strings ---- */

/* A string's text without its escapes. */
struct word {
  struct taskid value;
  int sound; /* it is closed and fits */
};

static void add_byte(struct word *word, unsigned byte) {
  if (word->value.length == TASKID_LONGEST)
    word->sound = 0;
  else
    word->value.text[word->value.length++] = (char)byte;
}

static void add_rune(struct word *word, unsigned rune) {
  if (rune < 0x80) {
    add_byte(word, rune);
  } else if (rune < 0x800) {
    add_byte(word, 0xC0 | rune >> 6);
    add_byte(word, 0x80 | (rune & 0x3F));
  } else { /* halves of a pair stay halves: such an id is not sound */
    add_byte(word, 0xE0 | rune >> 12);
    add_byte(word, 0x80 | (rune >> 6 & 0x3F));
    add_byte(word, 0x80 | (rune & 0x3F));
  }
}

static int hex_digit(char c) {
  static const char digits[] = "0123456789abcdef0123456789ABCDEF";
  const char *found = c ? strchr(digits, c) : NULL;
  return found ? (int)(found - digits) % 16 : -1;
}

/* Takes the escape whose backslash was read. */
static void take_escape(struct scan *scan, struct word *word) {
  static const char names[] = "bfnrt", bytes[] = "\b\f\n\r\t";
  unsigned rune = 0;
  const char *name;
  char c;
  if (scan->at == scan->length)
    return;
  c = scan->text[scan->at++];
  name = c ? strchr(names, c) : NULL;
  if (name) {
    add_byte(word, (unsigned char)bytes[name - names]);
    return;
  }
  if (c != 'u') {
    add_byte(word, (unsigned char)c);
    return;
  }
  for (int i = 0; i < 4; i++) {
    int digit = scan->at < scan->length ? hex_digit(scan->text[scan->at]) : -1;
    if (digit < 0) {
      word->sound = 0;
      return;
    }
    rune = rune * 16 + (unsigned)digit;
    scan->at++;
  }
  add_rune(word, rune);
}

/* Takes the string whose opening quote was read. */
static void take_string(struct scan *scan, struct word *word) {
  word->value.length = 0;
  word->sound = 1;
  while (scan->at < scan->length) {
    char c = scan->text[scan->at++];
    if (c == '"')
      return;
    if (c == '\\')
      take_escape(scan, word);
    else
      add_byte(word, (unsigned char)c);
  }
  word->sound = 0; /* it was cut off */
}

/* ---- soundness ---- */

/* Blanks and controls beyond ASCII, and marks that are not seen: ranges of code
 * points. */
static const unsigned unseen[][2] = {
    {0x80, 0xA0},     {0xAD, 0xAD},     {0x1680, 0x1680}, {0x180E, 0x180E},
    {0x2000, 0x200F}, {0x2028, 0x202F}, {0x205F, 0x206F}, {0x3000, 0x3000},
    {0xFEFF, 0xFEFF}, {0xFFF0, 0xFFFF},
};

/* Whether a sequence of valid UTF-8 beyond ASCII is seen and no blank. */
static int is_seen(const unsigned char *bytes) {
  unsigned rune;
  if (bytes[0] >= 0xF0)
    return 1;
  rune = bytes[0] < 0xE0 ? (bytes[0] & 0x1Fu) << 6 | (bytes[1] & 0x3Fu)
                         : (bytes[0] & 0x0Fu) << 12 | (bytes[1] & 0x3Fu) << 6 |
                               (bytes[2] & 0x3Fu);
  for (size_t i = 0; i < sizeof unseen / sizeof *unseen; i++)
    if (rune >= unseen[i][0] && rune <= unseen[i][1])
      return 0;
  return 1;
}

static int is_printable(const char *id, size_t length) {
  const unsigned char *bytes = (const unsigned char *)id;
  int is_ascii = 1;
  for (size_t i = 0; i < length; i++) {
    if (bytes[i] <= ' ' || bytes[i] == 0x7F)
      return 0;
    is_ascii &= bytes[i] < 0x80;
  }
  if (is_ascii)
    return 1;
  if (jsontext_utf8_error(id, length) != length)
    return 0;
  for (size_t i = 0; i < length; i++)
    if (bytes[i] >= 0xC0 && !is_seen(bytes + i))
      return 0;
  return 1;
}

/* Whether each of its bytes is one of these. */
static int is_of(const char *id, size_t length, const char *bytes) {
  for (size_t i = 0; i < length; i++)
    if (!id[i] || !strchr(bytes, id[i]))
      return 0;
  return 1;
}

int taskid_is_sound(const char *id, size_t length) {
  size_t sign = length > 0 && *id == '-';
  if (length == 0 || length > TASKID_LONGEST || !is_printable(id, length))
    return 0;
  if (is_of(id, length, ".") || is_of(id + sign, length - sign, "0"))
    return 0;
  return length != 2 || memcmp(id, "-1", 2) != 0;
}

/* ---- structure ---- */

static enum key key_named(const struct word *word) {
  static const struct {
    const char *name;
    enum key key;
  } keys[] = {{"task_id", KEY_TASK_ID},
              {"id", KEY_ID},
              {"task", KEY_TASK},
              {"data", KEY_DATA}};
  for (size_t i = 0; word->sound && i < sizeof keys / sizeof *keys; i++)
    if (strlen(keys[i].name) == word->value.length &&
        memcmp(keys[i].name, word->value.text, word->value.length) == 0)
      return keys[i].key;
  return KEY_OTHER;
}

/* How specific the key is where it stands. */
static unsigned rank_of(const struct scan *scan) {
  unsigned depth = scan->depth;
  int wrapped = scan->wrapped == depth && depth > 0;
  if (scan->key == KEY_TASK_ID)
    return wrapped ? RANK_WRAPPED + depth : RANK_ELSEWHERE;
  if (scan->key != KEY_ID || !wrapped)
    return RANK_NONE;
  if (scan->names[depth] == KEY_TASK)
    return RANK_TASK - depth;
  return depth > 1 ? RANK_DATA - depth : RANK_OWN;
}

/* The value of the key is a text that may be an id. */
static void consider(struct scan *scan, const char *text, size_t length) {
  unsigned rank = rank_of(scan);
  if (rank >= scan->rank || !taskid_is_sound(text, length))
    return;
  scan->rank = rank;
  memcpy(scan->id->text, text, length);
  scan->id->text[length] = '\0';
  scan->id->length = length;
}

static void skip_space(struct scan *scan) {
  while (scan->at < scan->length && scan->text[scan->at] &&
         strchr(" \t\r\n", scan->text[scan->at]))
    scan->at++;
}

/* A string is a value where one is awaited, and a key where a colon follows; in
 * what is no JSON it may be both. Of one that is cut off, the key stays. */
static void on_string(struct scan *scan) {
  struct word word;
  take_string(scan, &word);
  if (word.sound)
    consider(scan, word.value.text, word.value.length);
  else if (scan->at == scan->length)
    return;
  skip_space(scan);
  if (scan->at < scan->length && scan->text[scan->at] == ':') {
    scan->key = key_named(&word);
    scan->at++;
    return;
  }
  scan->key = KEY_NONE;
}

/* Considers a number: its digits as they are, or those that it stands for. */
static void consider_number(struct scan *scan, const char *number,
                            size_t length) {
  char text[TASKID_LONGEST + 1], digits[NUMBER_ROOM];
  if (length > TASKID_LONGEST || !jsontext_is_number(number, length))
    return;
  memcpy(text, number, length);
  text[length] = '\0';
  if (strpbrk(text, ".eE") == NULL)
    consider(scan, text, length);
  else if (number_expand(text, digits) == 0)
    consider(scan, digits, strlen(digits));
}

/* What is not followed by the end of a value may have been cut off; at the end
 * of all it is, and its key stays. */
static void on_number(struct scan *scan) {
  size_t from = scan->at, end;
  while (scan->at < scan->length && scan->text[scan->at] &&
         strchr("0123456789+-.eE", scan->text[scan->at]))
    scan->at++;
  end = scan->at;
  skip_space(scan);
  if (scan->at == scan->length)
    return;
  if (scan->text[scan->at] && strchr(",}]", scan->text[scan->at]))
    consider_number(scan, scan->text + from, end - from);
  scan->key = KEY_NONE;
}

static void enter(struct scan *scan, int is_object) {
  int wraps =
      scan->depth == 0 || scan->key == KEY_TASK || scan->key == KEY_DATA;
  if (is_object && wraps && scan->wrapped == scan->depth &&
      scan->depth < NESTING) {
    scan->wrapped++;
    scan->names[scan->wrapped] = scan->key;
  }
  scan->depth++;
  scan->key = KEY_NONE;
}

static void leave(struct scan *scan) {
  if (scan->depth > 0 && scan->wrapped == scan->depth)
    scan->wrapped--;
  if (scan->depth > 0)
    scan->depth--;
  scan->key = KEY_NONE;
}

static void on_value(struct scan *scan) {
  char c = scan->text[scan->at];
  if ((c >= '0' && c <= '9') || c == '-') {
    on_number(scan);
    return;
  }
  scan->at++;
  if (c == '"')
    on_string(scan);
  else if (c == '{' || c == '[')
    enter(scan, c == '{');
  else if (c == '}' || c == ']')
    leave(scan);
  else if (c != ' ' && c != '\t' && c != '\r' && c != '\n')
    scan->key = KEY_NONE; /* a comma, a word, or rubbish */
}

static void run(struct scan *scan, const char *text, size_t length) {
  scan->text = text;
  scan->length = length;
  scan->at = 0;
  scan->depth = scan->wrapped = 0;
  scan->key = KEY_NONE;
  while (scan->at < length)
    on_value(scan);
  if (rank_of(scan) < RANK_DATA)
    scan->is_cut = 1;
}

/* Looks again, from a place where a string may begin or end, while nothing is
 * clear. */
static void run_from(struct scan *scan, const char *from) {
  const char *end = scan->text + scan->length;
  if (from && scan->rank >= RANK_OWN)
    run(scan, from, (size_t)(end - from));
}

enum taskid_naming taskid_find(const char *text, size_t length,
                               struct taskid *id) {
  static const char name[] = "\"task_id\""; /* in JSON, nothing but this */
  struct scan scan = {.rank = RANK_NONE, .id = id};
  const char *quote = length ? memchr(text, '"', length) : NULL;
  run(&scan, text, length);
  /* A quote that is nobody's makes strings of all that stands between them, and
   * so does a backslash before one. */
  run_from(&scan, quote ? quote + 1 : NULL);
  run_from(&scan, quote ? memmem(text, length, name, sizeof name - 1) : NULL);
  if (scan.rank == RANK_NONE || (scan.rank > RANK_ELSEWHERE && scan.is_cut))
    return TASKID_NONE;
  return scan.rank == RANK_OWN ? TASKID_VAGUE : TASKID_CLEAR;
}
