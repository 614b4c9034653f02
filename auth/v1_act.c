/*
 * POST /v1/act: what an operator signed, from wherever he is.  His signature
 * (wire/approval.h) is all the proof there is, and the engine checks it; what
 * only the local socket may do unsigned is not done from here.
 */
#include <sodium.h>
#include <string.h>

#include "auth/auth.h"
#include "sim/jsonline.h"

#define PART_MAX	32768
#define SCRIPT_MAX	42

struct act {
	struct message	 m;
	unsigned char	 open[PART_MAX], sealed[PART_MAX];
	unsigned char	 signature[64], script[SCRIPT_MAX];
	struct jsonline	 line;
};

static bool
hex(struct text *out, unsigned char *buf, size_t room,
    const struct jsonline_member *m)
{
	size_t	 len = 0;

	if (m->kind != JSONLINE_STRING || m->text.len % 2 != 0 ||
	    sodium_hex2bin(buf, room, m->text.p, m->text.len, NULL, &len,
	    NULL) != 0 || len != m->text.len / 2)
		return false;
	out->p = (const char *)buf;
	out->len = len;
	return true;
}

static bool
integer(int64_t *out, const struct jsonline_member *m)
{
	*out = m->integer;
	return m->kind == JSONLINE_INTEGER && m->integer >= 0;
}

static bool
is(const struct jsonline_member *m, const char *name)
{
	return m->name.len == strlen(name) &&
	    memcmp(m->name.p, name, m->name.len) == 0;
}

static bool
take(struct act *a, const struct jsonline_member *m)
{
	if (is(m, "open"))
		return hex(&a->m.open, a->open, sizeof(a->open), m);
	if (is(m, "sealed"))
		return hex(&a->m.sealed, a->sealed, sizeof(a->sealed), m);
	if (is(m, "signature"))
		return hex(&a->m.signature, a->signature,
		    sizeof(a->signature), m);
	if (is(m, "script"))
		return hex(&a->m.query, a->script, sizeof(a->script), m);
	if (is(m, "expires"))
		return integer(&a->m.t_ms, m);
	if (is(m, "answers"))
		return integer(&a->m.number, m);
	if (is(m, "approve")) {
		a->m.state = m->kind == JSONLINE_TRUE ? 1 : -1;
		return m->kind == JSONLINE_TRUE || m->kind == JSONLINE_FALSE;
	}
	if (!is(m, "by") || m->kind != JSONLINE_STRING || m->text.len == 0 ||
	    m->text.len > COMMAND_NAME_MAX)
		return false;
	a->m.by.p = m->text.p;
	a->m.by.len = m->text.len;
	return true;
}

static enum rc
read_act(struct act *a, struct text body, struct err *e)
{
	struct jsonline_member	 m;
	bool			 more;
	enum rc			 rc;

	message_clear(&a->m, MESSAGE_ACT, 0);
	a->m.number = 0;
	a->m.sealed = text_of("");
	if ((rc = jsonline_begin(&a->line, body.p, body.len, e)) != RC_OK)
		return rc;
	while ((rc = jsonline_next(&a->line, &m, &more, e)) == RC_OK && more)
		if (!take(a, &m))
			return err_set(e, "open, sealed, signature and script "
			    "in hex, by, expires, answers and approve are "
			    "what stands here");
	if (rc == RC_OK && (a->m.open.p == NULL || a->m.by.p == NULL ||
	    a->m.signature.len != sizeof(a->signature) || a->m.t_ms < 0))
		return err_set(e, "open, by, expires and signature must be "
		    "there");
	return rc;
}

void
v1_act_request(struct auth *a, const struct message *m)
{
	static struct act	 act;
	struct err		 e;

	if (read_act(&act, m->body, &e) != RC_OK) {
		auth_answer(a, m->tag, 400, text_of("{\"error\":\"open, "
		    "sealed, signature and script in hex, by, expires, "
		    "answers and approve are what stands here\"}"), 0);
		return;
	}
	act.m.name = text_of("http");
	(void)auth_query(a, ROOM_API, m->tag, -1, &act.m);
}
