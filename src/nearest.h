/* The known word nearest to a misspelt one. Floor 1: plain C. */
#ifndef MINIMAX_NEAREST_H
#define MINIMAX_NEAREST_H

/* `words` ends with NULL. Returns the word with the least edit distance
 * (letter case counts for nothing), or NULL if none is near enough to be
 * worth naming (more than a third of the longer word's length, at least 2). */
const char *nearest_word(const char *word, const char *const *words);

#endif
