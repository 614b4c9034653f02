/*
 * Rows from outside: what is taken is in order to the last byte, and making
 * it again gives the same bytes.
 */
#include <stdlib.h>
#include <string.h>

#include "db/row.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* One event more, the same. */
static void
put(struct row_maker *m, const struct row_head *h,
    const struct row_event *ev)
{
	unsigned char	*open, *sealed, *outcomes;

	if (row_room(m, ev->open_len, ev->sealed_len, ev->outcomes_len,
	    &open, &sealed, &outcomes, NULL) != RC_OK)
		abort();
	memcpy(open, ev->open, ev->open_len);
	if (ev->sealed_len > 0)
		memset(sealed, 0, ev->sealed_len);
	memcpy(outcomes, ev->outcomes, ev->outcomes_len);
	row_put(m, h->t_ms, ev->open_len, ev->sealed_len, ev->outcomes_len);
}

/* Head and open part must be as they came; what is sealed and the chain are
 * of other keys. */
static void
compare(struct row_maker *m, const struct row_head *h, const uint8_t *data,
    size_t size)
{
	static const unsigned char key[ROW_KEY_LEN];
	const unsigned char	*row;
	unsigned char		 hash[ROW_HASH_LEN] = { 0 };
	size_t			 len, same = ROW_HEAD_LEN + h->open_len;

	row_finish(m, key, hash, &row, &len);
	if (len != size || memcmp(row, data, same) != 0)
		abort();
	memset(hash, 0, sizeof(hash));
	if (row_check(row, len, hash, NULL) != RC_OK)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct row_maker *m;
	struct row_head	 h;
	struct row_walk	 w;
	struct row_event ev;
	struct err	 e;
	bool		 more;

	if (m == NULL && row_maker_new(&m, NULL) != RC_OK)
		abort();
	e.text[0] = '\0';
	if (row_parse(&h, data, size, 0, &e) != RC_OK) {
		if (e.text[0] == '\0')
			abort();	/* Every refusal has a reason. */
		return 0;
	}
	row_begin(m, h.semantics, h.seq, h.policy);
	row_walk(&w, &h, data, NULL);
	for (;;) {
		if (row_next(&w, &ev, &more, &e) != RC_OK) {
			if (e.text[0] == '\0')
				abort();
			return 0;
		}
		if (!more)
			break;
		put(m, &h, &ev);
	}
	compare(m, &h, data, size);
	return 0;
}
