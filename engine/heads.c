#include "engine/heads.h"

#include <stdlib.h>
#include <string.h>

#include "lib/civil.h"

const char *
heads_state_text(enum heads_state s)
{
	switch (s) {
	case HEADS_BEYOND:
		return "beyond";
	case HEADS_HOLDS:
		return "holds";
	case HEADS_DIFFERS:
		return "differs";
	case HEADS_INSIDE:
		return "inside";
	case HEADS_EARLIER:
		return "earlier";
	case HEADS_FOREIGN:
		return "foreign";
	case HEADS_FORGED:
		return "forged";
	}
	return "?";
}

static enum rc
add(struct heads *h, struct text line, int number, size_t *room,
    struct err *e)
{
	struct heads_one	*more;

	if (h->n == *room) {
		*room = *room * 2 + 4;
		more = realloc(h->list, *room * sizeof(*more));
		if (more == NULL)
			return err_set(e, "out of memory");
		h->list = more;
	}
	h->list[h->n].line = number;
	h->list[h->n].state = HEADS_BEYOND;
	if (head_parse(&h->list[h->n].head, line, e) != RC_OK)
		return err_wrap(e, RC_FAILED, "line %d", number);
	h->n++;
	return RC_OK;
}

static int
by_seq(const void *x, const void *y)
{
	const struct heads_one	*a = x, *b = y;

	if (a->head.seq != b->head.seq)
		return a->head.seq < b->head.seq ? -1 : 1;
	return (a->line > b->line) - (a->line < b->line);
}

enum rc
heads_parse(struct heads *out, const char *text, size_t len, struct err *e)
{
	const char	*p = text, *end = text + len, *stop;
	struct text	 line;
	size_t		 room = 0;
	int		 number = 0;

	memset(out, 0, sizeof(*out));
	for (; p < end; p = stop + 1) {
		number++;
		if ((stop = memchr(p, '\n', (size_t)(end - p))) == NULL)
			stop = end;
		line.p = p;
		line.len = (size_t)(stop - p);
		while (line.len > 0 && strchr(" \t\r",
		    line.p[line.len - 1]) != NULL)
			line.len--;
		if (line.len == 0 || line.p[0] == '#')
			continue;
		if (add(out, line, number, &room, e) != RC_OK)
			return RC_FAILED;
	}
	if (out->n == 0)
		return err_set(e, "there is no head in it");
	qsort(out->list, out->n, sizeof(*out->list), by_seq);
	return RC_OK;
}

void
heads_free(struct heads *h)
{
	free(h->list);
	memset(h, 0, sizeof(*h));
}

void
heads_row(struct heads *h, const struct verify_row *r)
{
	uint64_t		 last = r->head.seq + r->head.events - 1;
	struct heads_one	*one;

	for (; h->at < h->n && h->list[h->at].head.seq <= last; h->at++) {
		one = &h->list[h->at];
		if (one->head.seq < r->head.seq)
			one->state = HEADS_EARLIER;
		else if (one->head.seq < last)
			one->state = HEADS_INSIDE;
		else
			one->state = memcmp(one->head.hash, r->hash,
			    sizeof(r->hash)) == 0 ? HEADS_HOLDS :
			    HEADS_DIFFERS;
	}
}

void
heads_settle(struct heads *h, const struct genesis *g)
{
	struct heads_one	*one;

	for (one = h->list; one < h->list + h->n; one++) {
		if (memcmp(one->head.deployment, g->deployment,
		    sizeof(g->deployment)) != 0)
			one->state = HEADS_FOREIGN;
		else if (!head_verify(&one->head, g->engine_key))
			one->state = HEADS_FORGED;
	}
}

const struct heads_one *
heads_first_bad(const struct heads *h, bool wrong)
{
	const struct heads_one	*one;

	for (one = h->list; one < h->list + h->n; one++) {
		if (one->state == HEADS_HOLDS ||
		    (wrong && one->state == HEADS_BEYOND))
			continue;
		return one;
	}
	return NULL;
}

void
heads_why(const struct heads_one *one, uint64_t last, struct err *e)
{
	uintmax_t	 seq = one->head.seq;
	char		 when[CIVIL_TEXT_MAX];

	switch (one->state) {
	case HEADS_BEYOND:
		(void)err_set(e, "cut off: the head says %ju events (%s UTC), "
		    "the journal has %ju", seq, civil_format(when,
		    one->head.t_ms), (uintmax_t)last);
		break;
	case HEADS_DIFFERS:
		(void)err_set(e, "the row that ends with event %ju is not the "
		    "one that the head was signed for: something up to there "
		    "was changed, and the chain made anew", seq);
		break;
	case HEADS_INSIDE:
		(void)err_set(e, "no row ends with event %ju, for which the "
		    "head was signed: the rows were made anew", seq);
		break;
	case HEADS_EARLIER:
		(void)err_set(e, "the head of event %ju lies before what was "
		    "checked", seq);
		break;
	case HEADS_FOREIGN:
		(void)err_set(e, "the head of event %ju is of another "
		    "deployment's journal", seq);
		break;
	case HEADS_FORGED:
		(void)err_set(e, "the head of event %ju is not signed by the "
		    "engine of this journal", seq);
		break;
	case HEADS_HOLDS:
		(void)err_set(e, "it holds");
		break;
	}
}
