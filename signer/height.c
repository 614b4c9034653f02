/*
 * Which height is believed (C3).
 *
 * Nobody tells the signer the truth about the height, but nobody can make
 * time pass: a block takes at least sign_block_min_ms() of the signer's own
 * running time, on average over twice that.  So a lie makes it too high by no
 * more than as many blocks as really passed; and only since it last went up,
 * because what is not claimed is not saved up, but for SAVED blocks, so that
 * a few that come quickly one after the other can be followed at once.
 */
#include "bitcoin/tx.h"
#include "signer/window.h"

#define SAVED	12	/* blocks: an hour of the least time */

uint32_t
height_limit(uint32_t now, int64_t accounted_ms, int64_t running_ms,
    uint8_t network)
{
	int64_t		 block_ms = sign_block_min_ms(network);
	int64_t		 more;
	uint32_t	 top = TX_LOCKTIME_TIME - 1;

	if (now >= top || block_ms == 0)
		return now >= top ? now : top;
	if (running_ms <= accounted_ms)
		return now;
	more = (running_ms - accounted_ms) / block_ms;
	return more >= (int64_t)(top - now) ? top : now + (uint32_t)more;
}

bool
height_possible(uint32_t now, int64_t accounted_ms, uint32_t claimed,
    int64_t running_ms, uint8_t network, int64_t *accounted_out)
{
	int64_t		 block_ms = sign_block_min_ms(network);
	int64_t		 saved_ms = running_ms - SAVED * block_ms;

	/* From there on it is a time. */
	if (claimed >= TX_LOCKTIME_TIME)
		return false;
	*accounted_out = accounted_ms;
	if (claimed <= now)
		return true;
	if (claimed > height_limit(now, accounted_ms, running_ms, network))
		return false;
	*accounted_out += (int64_t)(claimed - now) * block_ms;
	if (*accounted_out < saved_ms)
		*accounted_out = saved_ms;
	return true;
}
