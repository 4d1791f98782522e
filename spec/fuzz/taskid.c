/* Fuzzes the search for a task's id: what it finds is sound, stands in the text
 * as it is, and is found again. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/jsontext.h"
#include "base/taskid.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void check_id(const struct taskid *id) {
  if (id->length == 0 || id->length > TASKID_LONGEST ||
      strlen(id->text) != id->length)
    abort();
  if (strspn(id->text, ".") == id->length ||
      strspn(id->text, "0") == id->length || strcmp(id->text, "-1") == 0)
    abort();
  for (size_t i = 0; i < id->length; i++)
    if ((unsigned char)id->text[i] <= ' ' || id->text[i] == 0x7F)
      abort();
  if (jsontext_utf8_error(id->text, id->length) != id->length)
    abort();
}

/* A text with no escape and no number shows the id as it is. */
static int shows(const char *text, size_t length, const struct taskid *id) {
  for (size_t at = 0; at + id->length <= length; at++)
    if (memcmp(text + at, id->text, id->length) == 0)
      return 1;
  return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
  struct taskid id, again;
  const char *text = (const char *)bytes;
  enum taskid_naming naming = taskid_find(text, length, &id);
  if (naming == TASKID_NONE)
    return 0;
  check_id(&id);
  if (length > 0 && !memchr(text, '\\', length) && !memchr(text, 'e', length) &&
      !memchr(text, 'E', length) && !memchr(text, '.', length) &&
      !shows(text, length, &id))
    abort();
  /* Looking again finds the same. */
  if (taskid_find(text, length, &again) != naming ||
      strcmp(again.text, id.text) != 0)
    abort();
  return 0;
}
