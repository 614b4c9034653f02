/*
 * A copy and a timer.
 */
#include "auth/later.h"

#include <assert.h>
#include <stdlib.h>

struct later {
	struct auth	*a;
	uint64_t	 link;		/* of api: another has other tags */
	void		(*again)(struct auth *a, const struct message *m);
	uv_timer_t	 timer;
	size_t		 len;
	unsigned char	 bytes[];
};

static int	 waiting;

static void
gone(uv_handle_t *h)
{
	free(h->data);
}

static void
on_time(uv_timer_t *t)
{
	struct later	*l = t->data;
	struct message	 m;
	struct err	 e;

	waiting--;
	if (message_unpack(&m, l->bytes, l->len, &e) != RC_OK)
		assert(!"a message that was packed here");
	if (l->link == l->a->link[ROOM_API])
		l->again(l->a, &m);
	uv_close((uv_handle_t *)t, gone);
}

bool
later_wait(struct auth *a, const struct message *m,
    void (*again)(struct auth *a, const struct message *m))
{
	struct later	*l;

	if (m->key.p == NULL || waiting == LATER_MAX ||
	    keys_find(a->keys, m->key) != NULL ||
	    (l = malloc(sizeof(*l) + message_room(m))) == NULL)
		return false;
	l->a = a;
	l->link = a->link[ROOM_API];
	l->again = again;
	l->len = message_pack(m, l->bytes);
	l->timer.data = l;
	if (uv_timer_init(a->process.loop, &l->timer) != 0 ||
	    uv_timer_start(&l->timer, on_time, LATER_MS, 0) != 0)
		assert(!"a loop that runs");
	waiting++;
	return true;
}
