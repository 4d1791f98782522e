/* The known word nearest to a misspelt one, for error messages. */
#include "base/nearest.h"

#include <stddef.h>
#include <string.h>

/* Longer words are not compared: no option has so long a name. */
#define LONGEST 64

static char lower(char c) {
  return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static unsigned least(unsigned a, unsigned b) {
  return a < b ? a : b;
}

/* Three rows of the table: two neighbours swapped count as one edit, so the
 * row before the last is needed too. */
struct rows {
  unsigned before[LONGEST + 1], last[LONGEST + 1], now[LONGEST + 1];
};

static void fill_row(struct rows *rows, const char *a, size_t i, const char *b,
                     size_t b_length) {
  size_t j;
  rows->now[0] = (unsigned)i;
  for (j = 1; j <= b_length; j++) {
    unsigned differs = lower(a[i - 1]) != lower(b[j - 1]);
    unsigned edits = least(rows->last[j], rows->now[j - 1]) + 1;
    edits = least(edits, rows->last[j - 1] + differs);
    if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) &&
        lower(a[i - 2]) == lower(b[j - 1]))
      edits = least(edits, rows->before[j - 2] + 1);
    rows->now[j] = edits;
  }
}

static unsigned distance(const char *a, size_t a_length, const char *b,
                         size_t b_length) {
  struct rows rows = {{0}, {0}, {0}};
  size_t i, j;
  for (j = 0; j <= b_length; j++)
    rows.now[j] = rows.last[j] = (unsigned)j;
  for (i = 1; i <= a_length; i++) {
    memcpy(rows.before, rows.last, sizeof(rows.last));
    memcpy(rows.last, rows.now, sizeof(rows.now));
    fill_row(&rows, a, i, b, b_length);
  }
  return rows.now[b_length];
}

/* The most edits that still make the word worth naming. All of a short word
 * may not change: then it is another word. */
static unsigned allowed(size_t a_length, size_t b_length) {
  unsigned longer = (unsigned)(a_length > b_length ? a_length : b_length);
  unsigned third = longer / 3;
  if (third >= 2)
    return third;
  return longer > 2 ? 2 : longer > 0 ? longer - 1 : 0;
}

const char *nearest_word(const char *word, const char *const *words) {
  size_t length = strlen(word);
  const char *nearest = NULL;
  unsigned fewest = LONGEST + 1;
  if (length == 0 || length > LONGEST)
    return NULL;
  for (; *words != NULL; words++) {
    size_t known_length = strlen(*words);
    unsigned edits;
    if (known_length > LONGEST)
      continue;
    edits = distance(word, length, *words, known_length);
    if (edits < fewest && edits <= allowed(length, known_length)) {
      fewest = edits;
      nearest = *words;
    }
  }
  return nearest;
}
