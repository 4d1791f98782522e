/* Numbers as text, with a point in them whatever locale the host has set. All
 * of ours are read and written here. */
#ifndef MINIMAX_NUMBER_H
#define MINIMAX_NUMBER_H

enum { NUMBER_ROOM = 32 };

/* The number at the begin of a text, as C writes numbers. */
double number_read(const char *text);

/* A finite number in the fewest digits, 14 or 17, that read the same. */
void number_write(double number, char text[NUMBER_ROOM]);

/* A number of JSON in digits alone: "4.01E+4" is "40100". -1: it is not whole,
 * or has no room. */
int number_expand(const char *json, char text[NUMBER_ROOM]);

#endif
