#include "engine/trail.h"

#include <stdlib.h>
#include <string.h>

void
trail_free(struct trail *t)
{
	free(t->bytes);
	memset(t, 0, sizeof(*t));
}

/* Room for one more. */
static bool
grow(struct trail *t)
{
	size_t		 room = t->room * 2 + OUTCOME_ROOM;
	unsigned char	*more;

	if (t->room - t->len >= OUTCOME_ROOM)
		return true;
	if ((more = realloc(t->bytes, room)) == NULL)
		return false;
	t->bytes = more;
	t->room = room;
	return true;
}

static void
emit(void *ctx, const struct outcome *o)
{
	struct trail	*t = ctx;
	unsigned char	*end;

	if (!grow(t)) {
		t->failed = true;
		return;
	}
	end = outcome_pack(t->bytes + t->len, o, t->in, t->program);
	t->len = (size_t)(end - t->bytes);
	if (t->also != NULL)
		t->also->emit(t->also->ctx, o);
}

enum rc
trail_apply(struct trail *t, struct engine *en, const struct input *in,
    const struct program *p, const struct engine_sink *also, struct err *e)
{
	const struct engine_sink sink = { emit, t };

	t->len = 0;
	t->failed = false;
	t->in = in;
	t->program = p;
	t->also = also;
	engine_apply(en, in, &sink);
	if (t->failed)
		return err_set(e, "out of memory");
	return RC_OK;
}
