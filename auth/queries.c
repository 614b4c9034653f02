/*
 * Reads: the parameters of the reference, in bounds.
 */
#include <string.h>

#include "auth/auth.h"

#define DAY_MS		INT64_C(86400000)
#define DAYS_90_MS	(90 * DAY_MS)
#define DAYS_7_MS	(7 * DAY_MS)
#define ROWS_MAX	1000
#define IDS_MAX		45

static bool
number(struct request *r, const char *name, int64_t *out, int64_t max)
{
	struct text	 t = params_value(&r->params, name);

	if (t.p == NULL || t.len == 0)
		return true;
	if (params_number(out, t) && *out <= max)
		return true;
	auth_named_error(r, -1130, "Invalid data for parameter",
	    text_of(name));
	return false;
}

static void
text(struct request *r, const char *name, struct text *out)
{
	struct text	 t = params_value(&r->params, name);

	if (t.p != NULL && t.len > 0)
		*out = t;
}

static bool
window(struct request *r, struct message *q)
{
	int64_t	 most = q->order.p != NULL && r->m->endpoint ==
	    ENDPOINT_WITHDRAW_HISTORY ? DAYS_7_MS : DAYS_90_MS;

	if (!number(r, "startTime", &q->from_ms, INT64_MAX) ||
	    !number(r, "endTime", &q->to_ms, INT64_MAX))
		return false;
	if (q->from_ms >= 0 && q->to_ms >= 0 &&
	    (q->to_ms < q->from_ms || q->to_ms - q->from_ms > most)) {
		auth_error(r, 400, most == DAYS_7_MS ? -1127 : -4047,
		    "Time interval must be within 0-90 days (7 with "
		    "withdrawOrderId).");
		return false;
	}
	/* With only one end, or none, the window hangs from what is there. */
	if (q->from_ms < 0)
		q->from_ms = (q->to_ms >= 0 ? q->to_ms :
		    auth_now_ms(r->a)) - most;
	if (q->from_ms < 0)
		q->from_ms = 0;
	return true;
}

static bool
ids(struct request *r, struct message *q)
{
	size_t	 i;
	int	 n = 1;

	text(r, "idList", &q->ids);
	for (i = 0; i < q->ids.len; i++)
		n += q->ids.p[i] == ',';
	if (n <= IDS_MAX)
		return true;
	auth_named_error(r, -1130, "Invalid data for parameter",
	    text_of("idList"));
	return false;
}

static bool
history(struct request *r, struct message *q)
{
	text(r, "withdrawOrderId", &q->order);
	if (r->m->endpoint == ENDPOINT_DEPOSIT_HISTORY)
		text(r, "txId", &q->order);
	return number(r, "status", &q->state, 100) &&
	    number(r, "offset", &q->offset, INT64_C(1000000000)) &&
	    number(r, "limit", &q->limit, ROWS_MAX) && ids(r, q) &&
	    window(r, q);
}

/* Another coin has nothing: lists are empty, single things unknown. */
static bool
other_coin(struct request *r, struct message *q)
{
	struct text	 c = params_value(&r->params, "coin");
	enum endpoint	 e = r->m->endpoint;

	if (c.p == NULL || c.len == 0)
		c = params_value(&r->params, "asset");
	if (c.p == NULL && e == ENDPOINT_DEPOSIT_ADDRESS) {
		auth_error(r, 400, -1102, "Mandatory parameter 'coin' was "
		    "not sent, was empty/null, or malformed.");
		return true;
	}
	(void)q;
	if (c.p == NULL || c.len == 0 || text_equal(c, text_of("BTC")))
		return false;
	if (e == ENDPOINT_DEPOSIT_ADDRESS)
		auth_error(r, 400, -4018, "The coin does not exist.");
	else
		auth_answer(r->a, r->m->tag, 200, text_of("[]"), 0);
	return true;
}

void
queries_request(struct request *r)
{
	struct message	 q;
	enum endpoint	 e = r->m->endpoint;

	message_clear(&q, MESSAGE_QUERY, 0);
	q.endpoint = e;
	q.account = text_of(r->key->account);
	q.key = text_of(r->key->id);
	if (e == ENDPOINT_COINS || e == ENDPOINT_ACCOUNT ? false :
	    other_coin(r, &q))
		return;
	if ((e == ENDPOINT_WITHDRAW_HISTORY ||
	    e == ENDPOINT_DEPOSIT_HISTORY) && !history(r, &q))
		return;
	(void)auth_query(r->a, ROOM_API, r->m->tag, r->used, &q);
}
