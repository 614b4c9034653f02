/*
 * What is not there yet, and says so.
 */
#include "auth/auth.h"

static const char	 later[] = "{\"code\":-1020,\"msg\":\"This operation "
	"is not supported.\",\"error\":\"not there yet\"}";

void
self_request(struct auth *a, const struct message *m)
{
	auth_answer(a, m->tag, 400, text_of(later), 0);
}

void
link_request(struct auth *a, const struct message *m)
{
	auth_answer(a, m->tag, 400, text_of(later), 0);
}

void
notice_told(struct auth *a, const struct message *m)
{
	(void)a;
	(void)m;
}

void
rekey_request(struct auth *a, const struct message *m)
{
	(void)a;
	(void)m;
}
