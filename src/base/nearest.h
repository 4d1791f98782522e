/* The known word nearest to a misspelt one. */
#ifndef MINIMAX_NEAREST_H
#define MINIMAX_NEAREST_H

/* `words` ends with NULL. Returns the word with the least edit distance
 * (letter case counts for nothing), or NULL if none is near enough to be
 * worth naming: more edits than a third of the longer word's length (but two
 * always do, unless they change the whole word). Two neighbours swapped are one
 * edit; words above 64 letters are not compared. */
const char *nearest_word(const char *word, const char *const *words);

#endif
