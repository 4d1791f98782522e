/* Numbers as text, whatever locale the host has set. */
#include "base/number.h"

#include <locale.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef __APPLE__
#include <xlocale.h>
#endif

/* Never freed: it may be in use wherever there is a thread. */
static locale_t plain;

static void make_plain(void) {
  plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

/* Of this thread alone, unlike setlocale; a locale that the host has set for it
 * comes back. */
static locale_t enter(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, make_plain);
  return uselocale(plain);
}

double number_read(const char *text) {
  locale_t before = enter();
  double number = strtod(text, NULL);
  uselocale(before);
  return number;
}

void number_write(double number, char text[NUMBER_ROOM]) {
  locale_t before = enter();
  snprintf(text, NUMBER_ROOM, "%.14g", number);
  if (strtod(text, NULL) != number)
    snprintf(text, NUMBER_ROOM, "%.17g", number);
  uselocale(before);
}

/* Beyond that, more is the same. */
static long exponent(const char *text) {
  enum { MOST = 1000000000 };
  long value = strtol(text, NULL, 10);
  if (value > MOST)
    return MOST;
  return value < -MOST ? -MOST : value;
}

/* Copies the digits that count, without those zeros at either end that do not;
 * returns how many, -1 for too many. `*power` of ten is what they lack. */
static int copy_digits(const char *json, char *digits, long *power) {
  int count = 0;
  long zeros = 0;
  int is_fraction = 0;
  *power = 0;
  for (; *json && !strchr("eE", *json); json++) {
    *power -= is_fraction && *json != '.';
    if (*json == '.') {
      is_fraction = 1;
    } else if (*json == '0') {
      zeros++; /* wait for another digit */
    } else {
      for (zeros = count > 0 ? zeros : 0; zeros > 0; zeros--)
        if (count < NUMBER_ROOM)
          digits[count++] = '0';
      if (count == NUMBER_ROOM)
        return -1;
      digits[count++] = *json;
    }
  }
  *power += zeros + (*json ? exponent(json + 1) : 0);
  if (count == 0) /* nothing but zeros */
    *power = 0;
  return count;
}

int number_expand(const char *json, char text[NUMBER_ROOM]) {
  char digits[NUMBER_ROOM];
  long power;
  int count = copy_digits(json + (*json == '-'), digits, &power);
  if (count < 0 || power < 0 || power > NUMBER_ROOM - 2 - count)
    return -1;
  if (count > 0 && *json == '-')
    *text++ = '-';
  else if (count == 0)
    *text++ = '0';
  memcpy(text, digits, (size_t)count);
  memset(text + count, '0', (size_t)power);
  text[count + power] = '\0';
  return 0;
}
