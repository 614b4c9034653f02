#include "auth/v1_read.h"

#include <stdlib.h>
#include <string.h>

#include "auth/params.h"
#include "sim/command.h"
#include "sim/jsonline.h"
#include "sim/scenario.h"
#include "wire/rights.h"

#define VOUT_MAX	1000000
#define TXID_LEN	64

struct v1_read {
	struct scenario_parser *parser;
	struct jsonline	line;		/* what is no key of a scenario */
	struct jsonline	inner;		/* of `facts` */
	struct command_room room;
	struct command_fact facts[COMMAND_FACTS_MAX];
	enum network	net;
	char		part[COMMAND_NAME_MAX + 1];
};

/* Of a line, beside what the scenario's reader takes. */
struct extras {
	struct text	facts;		/* the object as it stands */
	struct text	source;
	int64_t		n;		/* -1: absent */
};

enum rc
v1_read_new(struct v1_read **out, enum network net, struct err *e)
{
	struct v1_read	*r = calloc(1, sizeof(*r));
	enum rc		 rc;

	if ((*out = r) == NULL)
		return err_set(e, "no memory");
	r->net = net;
	if ((rc = scenario_parser_new(&r->parser, e)) != RC_OK)
		v1_read_free(out);
	return rc;
}

void
v1_read_free(struct v1_read **rp)
{
	struct v1_read	*r = *rp;

	*rp = NULL;
	if (r == NULL)
		return;
	scenario_parser_free(&r->parser);
	jsonline_free(&r->line);
	jsonline_free(&r->inner);
	free(r);
}

static struct text
text_from(struct jsonline_text t)
{
	struct text	 out = { t.p, t.len };

	return out;
}

static bool
is(const struct jsonline_member *m, const char *name)
{
	return text_equal(text_from(m->name), text_of(name));
}

/* Lines */

static enum rc
extra(struct extras *x, const struct jsonline_member *m, struct err *e)
{
	if (is(m, "facts")) {
		if (m->kind != JSONLINE_OBJECT)
			return err_set(e, "`facts`: must be an object");
		x->facts = text_from(m->text);
	} else if (is(m, "source")) {
		if (m->kind != JSONLINE_STRING || m->text.len == 0 ||
		    m->text.len > COMMAND_NAME_MAX)
			return err_set(e, "`source`: must be a string of 1 "
			    "to %d bytes", COMMAND_NAME_MAX);
		x->source = text_from(m->text);
	} else if (is(m, "n")) {
		if (m->kind != JSONLINE_INTEGER || m->integer < 1)
			return err_set(e, "`n`: must be a whole number from "
			    "1 on");
		x->n = m->integer;
	} else if (is(m, "label")) {
		return err_set(e, "`label`: for scoring scenarios alone");
	}
	return RC_OK;
}

static enum rc
extras(struct v1_read *r, struct extras *x, struct text line, struct err *e)
{
	struct jsonline_member	 m;
	bool			 more;
	enum rc			 rc;

	memset(x, 0, sizeof(*x));
	x->n = -1;
	if ((rc = jsonline_begin(&r->line, line.p, line.len, e)) != RC_OK)
		return rc;
	while ((rc = jsonline_next(&r->line, &m, &more, e)) == RC_OK && more)
		if ((rc = extra(x, &m, e)) != RC_OK)
			break;
	if (rc == RC_OK && (x->source.p != NULL) != (x->n >= 0))
		return err_set(e, "`source` and `n`: both or none");
	return rc;
}

static enum rc
fact(struct command_fact *f, const struct jsonline_member *m, struct err *e)
{
	memset(f, 0, sizeof(*f));
	f->name = text_from(m->name);
	switch (m->kind) {
	case JSONLINE_STRING:
		f->kind = VALUE_TEXT;
		f->text = text_from(m->text);
		return RC_OK;
	case JSONLINE_INTEGER:
		f->kind = VALUE_INTEGER;
		f->value = m->integer;
		return RC_OK;
	case JSONLINE_TRUE:
	case JSONLINE_FALSE:
		f->kind = VALUE_FLAG;
		f->value = m->kind == JSONLINE_TRUE;
		return RC_OK;
	case JSONLINE_NUMBER:
	case JSONLINE_NULL:
	case JSONLINE_STRINGS:
	case JSONLINE_ARRAY:
	case JSONLINE_OBJECT:
		break;
	}
	return err_set(e, "`facts`: a value is a string, a whole number, true "
	    "or false");
}

static enum rc
facts(struct v1_read *r, struct command *c, struct text t, struct err *e)
{
	struct jsonline_member	 m;
	size_t			 n = 0;
	bool			 more;
	enum rc			 rc;

	if (t.p == NULL)
		return RC_OK;
	if ((rc = jsonline_begin(&r->inner, t.p, t.len, e)) != RC_OK)
		return rc;
	while ((rc = jsonline_next(&r->inner, &m, &more, e)) == RC_OK &&
	    more) {
		if (n == COMMAND_FACTS_MAX)
			return err_set(e, "`facts`: more than %d",
			    COMMAND_FACTS_MAX);
		if ((rc = fact(&r->facts[n++], &m, e)) != RC_OK)
			return rc;
	}
	c->facts = r->facts;
	c->n_facts = n;
	return rc;
}

/* Is it one of the lines that may come here at all? */
static enum rc
line(struct v1_read *r, struct command *out, struct text t, struct extras *x,
    struct err *e)
{
	struct scenario_event	 ev;
	bool			 any;
	enum rc			 rc;

	if ((rc = extras(r, x, t, e)) != RC_OK ||
	    (rc = scenario_parse(r->parser, t.p, t.len, &ev, e)) != RC_OK ||
	    (rc = command_of_event(out, &any, &r->room, &ev, r->net, false,
	    e)) != RC_OK)
		return rc;
	if (!any)
		return err_set(e, "`type`: a header stands in files alone");
	out->t_ms = 0;
	if (x->source.p != NULL) {
		out->source = x->source;
		out->n = (uint64_t)x->n;
	}
	return RC_OK;
}

enum rc
v1_read_withdraw(struct v1_read *r, struct command *out, struct text body,
    struct err *e)
{
	struct extras	 x;
	enum rc		 rc;

	if ((rc = line(r, out, body, &x, e)) != RC_OK)
		return rc;
	if (out->type != COMMAND_WITHDRAW)
		return err_set(e, "`type`: must be withdraw");
	if ((rc = facts(r, out, x.facts, e)) != RC_OK)
		return rc;
	return command_check(out, e);
}

/*
 * C8: operators' lines come through no key at all, and a withdrawal has an
 * answer, so it is asked for where one is given.
 */
uint32_t
v1_read_roles(enum command_type t)
{
	switch (t) {
	case COMMAND_ACCOUNT:
	case COMMAND_KEY:
	case COMMAND_SECURITY_CHANGE:
	case COMMAND_LOGIN:
	case COMMAND_FACT:
	case COMMAND_DEPOSIT:
	case COMMAND_BALANCE:
	case COMMAND_HOT_BALANCE:
	case COMMAND_FUND:
	case COMMAND_CHAIN_SEEN:
	case COMMAND_ADDRESS_ADD:
	case COMMAND_ADDRESS_REMOVE:
		return DOOR_FEED;
	case COMMAND_KEY_REVOKE:
		return DOOR_FEED | DOOR_TIGHTEN;
	case COMMAND_CANCEL:
		return DOOR_DECIDE;
	case COMMAND_OUTCOME:
		return DOOR_REPORT;
	case COMMAND_WITHDRAW:
	case COMMAND_RELEASE:
	case COMMAND_DENY:
	case COMMAND_FREEZE:
	case COMMAND_UNFREEZE:
	case COMMAND_HALT:
	case COMMAND_RESUME:
	case COMMAND_TICK:
	case COMMAND_GENESIS:
	case COMMAND_POLICY:
	case COMMAND_RESTORED:
	case COMMAND_CLOCK:
	case COMMAND_CODE:
	case COMMAND_RECEIPT:
	case COMMAND_BURNED:
	case COMMAND_SECRET:
	case COMMAND_CODE_USED:
	case COMMAND_DOOR_KEY:
	case COMMAND_OPERATOR:
	case COMMAND_QUORUM:
	case COMMAND_PROPOSAL:
	case COMMAND_APPROVAL:
	case COMMAND_DISCARD:
	case COMMAND_SIGNER_HEAD:
	case COMMAND__END:
		break;
	}
	return 0;
}

enum rc
v1_read_line(struct v1_read *r, struct command *out, struct text t,
    struct err *e)
{
	struct extras	 x;
	enum rc		 rc;

	if ((rc = line(r, out, t, &x, e)) != RC_OK)
		return rc;
	if (x.facts.p != NULL)
		return err_set(e, "`facts`: they come with a withdrawal");
	if (x.source.p == NULL)
		return err_set(e, "`source` and `n` make a repeat harmless: "
		    "every line has them");
	return command_check(out, e);
}

/* Small objects */

static enum rc
set_state(struct command *c, const struct jsonline_member *m, struct err *e)
{
	static const char *const	 words[] = { "paid", "failed",
		"cancelled", "denied" };
	int				 i;

	for (i = 0; i < 4 && m->kind == JSONLINE_STRING; i++) {
		if (text_equal(text_from(m->text), text_of(words[i]))) {
			c->paid = (enum paid)i;
			return RC_OK;
		}
	}
	return err_set(e, "`state`: must be paid, failed, cancelled or "
	    "denied");
}

static enum rc
set_txid(struct command *c, const struct jsonline_member *m, struct err *e)
{
	size_t	 i;

	for (i = 0; m->kind == JSONLINE_STRING && i < m->text.len; i++) {
		if (strchr("0123456789abcdef", m->text.p[i]) == NULL ||
		    m->text.p[i] == '\0')
			break;
	}
	if (m->kind != JSONLINE_STRING || m->text.len != TXID_LEN ||
	    i != TXID_LEN)
		return err_set(e, "`txid`: must be %d hex digits, lower case",
		    TXID_LEN);
	c->order = text_from(m->text);
	return RC_OK;
}

static enum rc
set_reason(struct command *c, const struct jsonline_member *m, struct err *e)
{
	if (m->kind != JSONLINE_STRING)
		return err_set(e, "`reason`: must be a string");
	/* As in a scenario: the owner says that it was not him. */
	if (c->type == COMMAND_CANCEL &&
	    text_equal(text_from(m->text), text_of("not_me")))
		c->not_me = true;
	else if (m->text.len > 0)
		c->reason = text_from(m->text);
	return RC_OK;
}

static enum rc
member(struct command *c, const struct jsonline_member *m, bool *state,
    struct err *e)
{
	bool	 outcome = c->type == COMMAND_OUTCOME;

	if (is(m, "reason"))
		return set_reason(c, m, e);
	if (outcome && is(m, "state")) {
		*state = true;
		return set_state(c, m, e);
	}
	if (outcome && is(m, "txid"))
		return set_txid(c, m, e);
	if (outcome && is(m, "vout")) {
		if (m->kind != JSONLINE_INTEGER || m->integer < 0 ||
		    m->integer > VOUT_MAX)
			return err_set(e, "`vout`: must be a whole number");
		c->count = m->integer;
		return RC_OK;
	}
	return err_set(e, "`%.*s`: not expected",
	    (int)(m->name.len < 64 ? m->name.len : 64), m->name.p);
}

static enum command_type
type_of(enum endpoint endpoint)
{
	if (endpoint == ENDPOINT_V1_CANCEL)
		return COMMAND_CANCEL;
	if (endpoint == ENDPOINT_V1_OUTCOME)
		return COMMAND_OUTCOME;
	if (endpoint == ENDPOINT_V1_HALT)
		return COMMAND_HALT;
	return COMMAND_FREEZE;
}

static enum rc
set_part(struct v1_read *r, struct command *c, enum endpoint endpoint,
    struct text part, struct err *e)
{
	struct text	 t = { r->part, 0 };
	int		 len;

	if (endpoint == ENDPOINT_V1_HALT)
		return RC_OK;
	len = params_unescape(r->part, sizeof(r->part), part);
	if (len < 1 || len > COMMAND_NAME_MAX)
		return err_set(e, "the path: an id has 1 to %d bytes",
		    COMMAND_NAME_MAX);
	t.len = (size_t)len;
	if (endpoint == ENDPOINT_V1_FREEZE_ACCOUNT)
		c->account = t;
	else if (endpoint == ENDPOINT_V1_FREEZE_KEY)
		c->key = t;
	else
		c->id = t;
	return RC_OK;
}

enum rc
v1_read_small(struct v1_read *r, struct command *out, enum endpoint endpoint,
    struct text part, struct text body, struct text by, struct err *e)
{
	struct jsonline_member	 m;
	bool			 more, state = false;
	enum rc			 rc;

	command_clear(out, type_of(endpoint), 0);
	out->by = by;
	if ((rc = set_part(r, out, endpoint, part, e)) != RC_OK ||
	    (rc = jsonline_begin(&r->line, body.p, body.len, e)) != RC_OK)
		return rc;
	while ((rc = jsonline_next(&r->line, &m, &more, e)) == RC_OK && more)
		if ((rc = member(out, &m, &state, e)) != RC_OK)
			return rc;
	if (rc == RC_OK && out->type == COMMAND_OUTCOME && !state)
		return err_set(e, "`state`: missing");
	return rc == RC_OK ? command_check(out, e) : rc;
}
