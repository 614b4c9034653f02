#include "auth/awaited.h"

#include <stdlib.h>
#include <string.h>

#include "auth/pages.h"
#include "auth/rekey.h"
#include "lib/log.h"
#include "lib/secret.h"

#define AWAITED_MAX	1024

static struct awaited	 waiting[AWAITED_MAX];
static bool		 used[AWAITED_MAX];

static void
end(int n)
{
	secret_free(waiting[n].extra, waiting[n].extra_room);
	memset(&waiting[n], 0, sizeof(waiting[n]));
	used[n] = false;
}

void
awaited_take(struct auth *a, const struct awaited *w, enum endpoint endpoint,
    struct text account, const struct command *c)
{
	int	 n;

	for (n = 0; n < AWAITED_MAX && used[n]; n++)
		;
	if (n == AWAITED_MAX) {
		secret_free(w->extra, w->extra_room);
		if (!w->rekey && w->link == a->link[ROOM_API])
			auth_answer(a, w->tag, 503, text_of("{\"code\":"
			    "-1008,\"msg\":\"Server is currently "
			    "overloaded.\"}"), 1);
		return;
	}
	used[n] = true;
	waiting[n] = *w;
	/* Away: that was told to awaited_answer(). */
	(void)auth_take(a, ROOM_AUTH, (uint64_t)n + 1, -1, endpoint, account,
	    c);
}

bool
awaited_tell(struct auth *a, enum endpoint endpoint, struct text account,
    const struct command *c)
{
	unsigned char	*open, *sealed;
	struct message	 m;
	struct err	 e;
	size_t		 open_len, sealed_len;

	if (a->to[ROOM_ENGINE] == NULL)
		return false;
	if (command_check(c, &e) != RC_OK) {
		log_event(LOG_BROKEN, "command", "why", 's', e.text, NULL);
		return false;
	}
	open = malloc(command_open_room(c));
	sealed = malloc(command_sealed_room(c));
	if (open == NULL || sealed == NULL)
		abort();
	command_pack(c, open, &open_len, sealed, &sealed_len);
	/* Tag 0: whatever is answered is for nobody. */
	message_clear(&m, MESSAGE_TAKE, 0);
	m.endpoint = endpoint;
	m.account = account;
	m.open.p = (const char *)open;
	m.open.len = open_len;
	m.sealed.p = (const char *)sealed;
	m.sealed.len = sealed_len;
	channel_send(a->to[ROOM_ENGINE], &m);
	free(open);
	free(sealed);
	return true;
}

/* {"secret":"...", and what the engine said. */
static void
answer_with(struct auth *a, const struct awaited *w, const struct message *m)
{
	size_t		 len = strlen(w->extra);
	size_t		 room = len + m->body.len + 1;
	char		*all = secret_new(room);
	struct text	 t = { all, 0 };

	if (all == NULL) {
		auth_answer(a, w->tag, 500, text_of("{\"code\":-1000,"
		    "\"msg\":\"No locked memory.\"}"), 0);
		return;
	}
	all[0] = '{';
	memcpy(all + 1, w->extra, len);
	memcpy(all + 1 + len, m->body.p + 1, m->body.len - 1);
	t.len = len + m->body.len;
	auth_answer(a, w->tag, (int)m->status, t, 0);
	secret_free(all, room);
}

void
awaited_answer(struct auth *a, uint64_t ticket, const struct message *m)
{
	struct awaited	*w;
	int		 n = (int)ticket - 1;

	if (ticket == 0 || ticket > AWAITED_MAX || !used[n])
		return;
	w = &waiting[n];
	if (w->rekey)
		rekey_answered(a, m);
	else if (w->link != a->link[ROOM_API])
		;			/* another api knows not the tag */
	else if (w->page)
		pages_done(a, w->tag, w->done, m);
	else if (w->extra != NULL && m->status == 200 && m->body.len > 1)
		answer_with(a, w, m);
	else
		auth_answer(a, w->tag, (int)m->status, m->body,
		    m->retry_s);
	end(n);
}
