/* The easy handle of a transfer: every libcurl option and every callback is
 * set here and nowhere else. */
#ifndef MINIMAX_EASY_H
#define MINIMAX_EASY_H

#include "net/transfer_data.h"

/* What stays the same for all transfers of this purpose and profile. */
int easy_dress(struct transfer *transfer);

/* What belongs to one request. Both return 0, or -1 when memory ends. */
int easy_address(struct transfer *transfer, const struct transfer_order *order);

/* It takes no connection that was used before. */
void easy_connect_afresh(struct transfer *transfer);

#endif
