#include "cli/told.h"

#include <arpa/inet.h>
#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cli/told_service.h"
#include "engine/history.h"
#include "lib/amount.h"
#include "lib/civil.h"
#include "policy/print.h"

/* A line that grows; what does not fit is left out. */
struct said {
	char	*buf;
	size_t	 len;
};

static void __attribute__((format(printf, 2, 3)))
put(struct said *l, const char *fmt, ...)
{
	va_list	 ap;
	int	 n;

	va_start(ap, fmt);
	n = vsnprintf(l->buf + l->len, TOLD_MAX - l->len, fmt, ap);
	va_end(ap);
	if (n > 0)
		l->len += (size_t)n;
	if (l->len >= TOLD_MAX)
		l->len = TOLD_MAX - 1;
}

static const char *
lead(const struct said *l)
{
	return l->len > 0 ? ", " : "";
}

static void
put_text_of(struct said *l, const char *what, struct text t)
{
	if (t.p != NULL)
		put(l, "%s%s%.*s", lead(l), what, (int)t.len, t.p);
}

static void
put_sat(struct said *l, const char *what, int64_t sat)
{
	char	 n[AMOUNT_TEXT_MAX];

	put(l, "%s%s%s btc", lead(l), what, amount_format_short(n, sat));
}

/* Words */

static const char *
via_text(enum via via)
{
	switch (via) {
	case VIA_API:
		return "api";
	case VIA_WEB:
		return "web";
	case VIA_MOBILE:
		return "mobile";
	case VIA_INTERNAL:
		return "internal";
	}
	return "?";
}

static const char *
paid_text(enum paid paid)
{
	switch (paid) {
	case PAID_PAID:
		return "paid";
	case PAID_FAILED:
		return "failed";
	case PAID_CANCELLED:
		return "cancelled";
	case PAID_DENIED:
		return "denied";
	}
	return "?";
}

static const char *
credential_text(enum credential what)
{
	switch (what) {
	case CREDENTIAL_PASSWORD:
		return "password";
	case CREDENTIAL_2FA:
		return "2fa";
	case CREDENTIAL_EMAIL:
		return "email";
	case CREDENTIAL_PHONE:
		return "phone";
	}
	return "?";
}

static const char *
tri_text(enum tri t, const char *yes, const char *no)
{
	return t == TRI_YES ? yes : t == TRI_NO ? no : "";
}

const char *
told_type_text(enum outcome_type t)
{
	switch (t) {
	case OUTCOME_DECIDED:
		return "decided";
	case OUTCOME_REPEATED:
		return "repeated";
	case OUTCOME_REDECIDED:
		return "redecided";
	case OUTCOME_MOVED:
		return "moved";
	case OUTCOME_HALTED:
		return "halted";
	case OUTCOME_RESUMED:
		return "resumed";
	case OUTCOME_TAKEN:
		return "taken";
	case OUTCOME_REFUSED:
		return "refused";
	}
	return "?";
}

const char *
told_cause_text(enum cause c)
{
	switch (c) {
	case CAUSE_ASKED:
		return "asked";
	case CAUSE_MATURED:
		return "matured";
	case CAUSE_RESUMED:
		return "resumed";
	case CAUSE_FACT:
		return "fact";
	case CAUSE_CODE:
		return "code";
	case CAUSE_PEOPLE:
		return "people";
	case CAUSE_CUSTOMER:
		return "customer";
	case CAUSE_EXPIRED:
		return "expired";
	case CAUSE_FROZEN:
		return "frozen";
	case CAUSE_HALT:
		return "halt";
	case CAUSE_PAYMENT:
		return "payment";
	}
	return "?";
}

/* Commands */

static const char *
ip_of(char buf[INET6_ADDRSTRLEN], const unsigned char ip[16], bool *v4_out)
{
	static const unsigned char	 mapped[12] = {
		0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };
	const char			*s;

	*v4_out = memcmp(ip, mapped, sizeof(mapped)) == 0;
	s = *v4_out ? inet_ntop(AF_INET, ip + 12, buf, INET6_ADDRSTRLEN) :
	    inet_ntop(AF_INET6, ip, buf, INET6_ADDRSTRLEN);
	assert(s != NULL);
	return s;
}

static const char *
cidr_of(char buf[64], const struct cidr *c)
{
	char	 ip[INET6_ADDRSTRLEN];
	bool	 v4;

	(void)ip_of(ip, c->ip, &v4);
	if (v4 && c->bits < 96)
		(void)snprintf(buf, 64, "::ffff:%s/%d", ip, c->bits);
	else
		(void)snprintf(buf, 64, "%s/%d", ip,
		    v4 ? c->bits - 96 : c->bits);
	return buf;
}

static const char *
address_of(char buf[ADDRESS_TEXT_MAX], const struct command *c,
    const struct told *t)
{
	if (!address_encode(buf, t->net, (const unsigned char *)c->script.p,
	    c->script.len))
		(void)snprintf(buf, ADDRESS_TEXT_MAX, "a script without an "
		    "address");
	return buf;
}

static void
put_place(struct said *l, const struct command *c, const struct told *t)
{
	char	 ip[INET6_ADDRSTRLEN], net[64];
	size_t	 i;
	bool	 v4;

	if (c->forgotten)
		put(l, "%sfrom a network that is not to be read", lead(l));
	if (!t->personal)
		return;
	if (c->has_ip)
		put(l, "%sfrom %s", lead(l), ip_of(ip, c->ip, &v4));
	for (i = 0; i < c->n_cidrs; i++)
		put(l, "%s%s", i == 0 && l->len > 0 ? ", only from " : " ",
		    cidr_of(net, &c->cidrs[i]));
}

static void
put_value(struct said *l, const struct command_fact *f)
{
	put(l, "%s%.*s = ", lead(l), (int)f->name.len, f->name.p);
	switch (f->kind) {
	case VALUE_TEXT:
		put(l, "%.*s", (int)f->text.len, f->text.p);
		return;
	case VALUE_INTEGER:
		put(l, "%" PRId64, f->value);
		return;
	case VALUE_FLAG:
		put(l, "%s", f->value != 0 ? "true" : "false");
		return;
	}
}

static void
put_withdraw(struct said *l, const struct command *c, const struct told *t)
{
	char	 address[ADDRESS_TEXT_MAX];
	size_t	 i;

	put_sat(l, "", c->amount_sat);
	put(l, " to %s, via %s", address_of(address, c, t),
	    via_text(c->via));
	put_text_of(l, "key ", c->key);
	if (c->code != TRI_UNKNOWN)
		put(l, ", %s", tri_text(c->code, "with a code", "no code"));
	if (c->history)
		put(l, ", before go-live");
	for (i = 0; i < c->n_facts; i++)
		put_value(l, &c->facts[i]);
	put_place(l, c, t);
}

static void
put_account(struct said *l, const struct command *c)
{
	if (c->limit_sat >= 0)
		put_sat(l, "limit ", c->limit_sat);
	if (c->tier >= 0)
		put(l, "%stier %" PRId64, lead(l), c->tier);
	put_text_of(l, "group ", c->group);
}

static void
put_key(struct said *l, const struct command *c, const struct told *t)
{
	put_text_of(l, "key ", c->key);
	put(l, "%s", c->withdraw ? ", may withdraw" : "");
	put_text_of(l, "partner ", c->partner);
	if (!c->forgotten && c->n_cidrs > 0)
		put(l, ", from %zu network%s only", c->n_cidrs,
		    c->n_cidrs == 1 ? "" : "s");
	put_place(l, c, t);
}

static void
put_hash(struct said *l, const unsigned char *hash, size_t len)
{
	size_t	 i;

	for (i = 0; i < len; i++)
		put(l, "%02x", hash[i]);
}

static void
put_login(struct said *l, const struct command *c, const struct told *t)
{
	if (c->device_new != TRI_UNKNOWN)
		put(l, "%s", tri_text(c->device_new, "a new device",
		    "a known device"));
	put_place(l, c, t);
}

static void
put_chain_seen(struct said *l, const struct command *c, const struct told *t)
{
	char	 address[ADDRESS_TEXT_MAX], when[CIVIL_TEXT_MAX];

	put(l, "%s first seen %s UTC", address_of(address, c, t),
	    civil_format(when, c->first_seen_ms));
	put_sat(l, "received ", c->amount_sat);
}

static void
put_journal(struct said *l, const struct command *c, const struct told *t)
{
	if (c->type == COMMAND_GENESIS)
		put(l, "the journal begins, network %s",
		    network_text(t->net));
	if (c->type == COMMAND_POLICY) {
		put_hash(l, c->hash, 8);
		put(l, " is in force");
	}
	if (c->type == COMMAND_RESTORED)
		put(l, "put back from a backup");
	if (c->type == COMMAND_CLOCK)
		put(l, "the time is right");
}

/* What only this type has. */
static void
put_own(struct said *l, const struct command *c, const struct told *t)
{
	char	 address[ADDRESS_TEXT_MAX], own[256];

	switch (c->type) {
	case COMMAND_GENESIS:
	case COMMAND_POLICY:
	case COMMAND_RESTORED:
	case COMMAND_CLOCK:
		put_journal(l, c, t);
		break;
	case COMMAND_ACCOUNT:
		put_account(l, c);
		break;
	case COMMAND_KEY:
		put_key(l, c, t);
		break;
	case COMMAND_SECURITY_CHANGE:
		put(l, "%s", credential_text(c->what));
		break;
	case COMMAND_LOGIN:
		put_login(l, c, t);
		break;
	case COMMAND_FACT:
		put_value(l, &c->fact);
		break;
	case COMMAND_DEPOSIT:
	case COMMAND_BALANCE:
	case COMMAND_HOT_BALANCE:
	case COMMAND_FUND:
		put_sat(l, "", c->amount_sat);
		break;
	case COMMAND_CHAIN_SEEN:
		put_chain_seen(l, c, t);
		break;
	case COMMAND_ADDRESS_ADD:
	case COMMAND_ADDRESS_REMOVE:
		put(l, "%s", address_of(address, c, t));
		break;
	case COMMAND_WITHDRAW:
		put_withdraw(l, c, t);
		break;
	case COMMAND_OUTCOME:
		put(l, "%s", paid_text(c->paid));
		break;
	case COMMAND_KEY_REVOKE:
	case COMMAND_FREEZE:
	case COMMAND_UNFREEZE:
		put_text_of(l, "key ", c->key);
		break;
	case COMMAND_TICK:
	case COMMAND_CODE:
	case COMMAND_RECEIPT:
	case COMMAND_BURNED:
	case COMMAND_RELEASE:
	case COMMAND_DENY:
	case COMMAND_CANCEL:
	case COMMAND_HALT:
	case COMMAND_RESUME:
	case COMMAND__END:
	case COMMAND_SECRET:
	case COMMAND_CODE_USED:
	case COMMAND_DOOR_KEY:
	case COMMAND_OPERATOR:
	case COMMAND_QUORUM:
	case COMMAND_PROPOSAL:
	case COMMAND_APPROVAL:
	case COMMAND_DISCARD:
	case COMMAND_SIGNER_HEAD:
		put(l, "%s", told_service(own, sizeof(own), c));
		break;
	}
}

char *
told_command(char buf[TOLD_MAX], const struct command *c,
    const struct told *t)
{
	struct said	 l = { buf, 0 };

	buf[0] = '\0';
	put_own(&l, c, t);
	if (c->reason.p != NULL && c->reason.len > 0)
		put(&l, "%s\"%.*s\"", l.len > 0 ? " " : "",
		    (int)c->reason.len, c->reason.p);
	return buf;
}

/* Commands as JSON */

static void
json_text(struct json *j, const char *name, struct text t)
{
	if (t.p != NULL)
		json_put_bytes(j, name, t.p, t.len);
}

static void
json_value(struct json *j, const char *name, const struct command_fact *f)
{
	switch (f->kind) {
	case VALUE_TEXT:
		json_put_bytes(j, name, f->text.p, f->text.len);
		return;
	case VALUE_INTEGER:
		json_put_int(j, name, f->value);
		return;
	case VALUE_FLAG:
		json_put_bool(j, name, f->value != 0);
		return;
	}
}

static void
json_place(struct json *j, const struct command *c, const struct told *t)
{
	char	 ip[INET6_ADDRSTRLEN], net[64];
	size_t	 i;
	bool	 v4;

	if (c->forgotten)
		json_put_bool(j, "forgotten", true);
	if (!t->personal)
		return;
	if (c->has_ip)
		json_put_text(j, "ip", ip_of(ip, c->ip, &v4));
	if (c->n_cidrs == 0)
		return;
	json_open_array(j, "ips");
	for (i = 0; i < c->n_cidrs; i++)
		json_put_text(j, NULL, cidr_of(net, &c->cidrs[i]));
	json_close(j);
}

static void
json_facts(struct json *j, const struct command *c)
{
	char	 name[COMMAND_NAME_MAX + 1];
	size_t	 i;

	if (c->n_facts == 0)
		return;
	json_open_object(j, "facts");
	for (i = 0; i < c->n_facts; i++) {
		(void)snprintf(name, sizeof(name), "%.*s",
		    (int)c->facts[i].name.len, c->facts[i].name.p);
		json_value(j, name, &c->facts[i]);
	}
	json_close(j);
}

static void
json_withdraw(struct json *j, const struct command *c)
{
	json_put_text(j, "via", via_text(c->via));
	if (c->code != TRI_UNKNOWN)
		json_put_bool(j, "second_factor", c->code == TRI_YES);
	if (c->history)
		json_put_bool(j, "history", true);
	json_facts(j, c);
	json_put_sat(j, "amount", c->amount_sat);
}

static void
json_policy(struct json *j, const struct command *c)
{
	char		 hex[TOLD_MAX];
	struct said	 l = { hex, 0 };

	put_hash(&l, c->hash, sizeof(c->hash));
	json_put_text(j, "hash", hex);
}

static void
json_account(struct json *j, const struct command *c)
{
	if (c->limit_sat >= 0)
		json_put_sat(j, "limit_24h", c->limit_sat);
	if (c->tier >= 0)
		json_put_int(j, "tier", c->tier);
}

/* What only this type has, under the names of drawbridge.scenario(5). */
static void
json_own(struct json *j, const struct command *c)
{
	switch (c->type) {
	case COMMAND_POLICY:
		json_policy(j, c);
		break;
	case COMMAND_ACCOUNT:
		json_account(j, c);
		break;
	case COMMAND_KEY:
		json_put_bool(j, "withdraw", c->withdraw);
		break;
	case COMMAND_SECURITY_CHANGE:
		json_put_text(j, "what", credential_text(c->what));
		break;
	case COMMAND_LOGIN:
		if (c->device_new != TRI_UNKNOWN)
			json_put_text(j, "device", tri_text(c->device_new,
			    "new", "known"));
		break;
	case COMMAND_FACT:
		json_text(j, "name", c->fact.name);
		json_value(j, "value", &c->fact);
		break;
	case COMMAND_CHAIN_SEEN:
		json_put_int(j, "first_seen", c->first_seen_ms);
		json_put_sat(j, "received", c->amount_sat);
		break;
	case COMMAND_WITHDRAW:
		json_withdraw(j, c);
		break;
	case COMMAND_DEPOSIT:
	case COMMAND_BALANCE:
	case COMMAND_HOT_BALANCE:
	case COMMAND_FUND:
		json_put_sat(j, "amount", c->amount_sat);
		break;
	case COMMAND_OUTCOME:
		json_put_text(j, "state", paid_text(c->paid));
		break;
	case COMMAND_CANCEL:
		json_put_bool(j, "not_me", c->not_me);
		break;
	case COMMAND_GENESIS:
	case COMMAND_RESTORED:
	case COMMAND_CLOCK:
	case COMMAND_KEY_REVOKE:
	case COMMAND_ADDRESS_ADD:
	case COMMAND_ADDRESS_REMOVE:
	case COMMAND_FREEZE:
	case COMMAND_UNFREEZE:
	case COMMAND_TICK:
	case COMMAND_CODE:
	case COMMAND_RECEIPT:
	case COMMAND_BURNED:
	case COMMAND_RELEASE:
	case COMMAND_DENY:
	case COMMAND_HALT:
	case COMMAND_RESUME:
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
}

void
told_command_json(struct json *j, const struct command *c,
    const struct told *t)
{
	char	 address[ADDRESS_TEXT_MAX];

	json_put_text(j, "type", command_type_text(c->type));
	json_put_int(j, "t", c->t_ms);
	json_text(j, "source", c->source);
	if (c->source.p != NULL)
		json_put_uint(j, "n", c->n);
	json_text(j, "by", c->by);
	json_text(j, "reason", c->reason);
	json_text(j, "account", c->account);
	json_text(j, "key", c->key);
	json_text(j, "id", c->id);
	json_text(j, "group", c->group);
	json_text(j, "partner", c->partner);
	if (c->script.p != NULL)
		json_put_text(j, "address", address_of(address, c, t));
	json_own(j, c);
	told_service_json(j, c);
	json_place(j, c, t);
}

/* Outcomes */

char *
told_asks(char buf[TOLD_MAX], const struct outcome_record *r)
{
	struct said	 l = { buf, 0 };
	char		 d[PRINT_TEXT_MAX];

	buf[0] = '\0';
	if (r->delay_ms > 0)
		put(&l, "delay %s", print_duration(d, sizeof(d),
		    r->delay_ms));
	if (r->code)
		put(&l, "%sa code", l.len > 0 ? " and " : "");
	if (r->people > 0)
		put(&l, "%shold for %d %s", l.len > 0 ? " and " : "",
		    r->people, r->people == 1 ? "person" : "people");
	if (r->deny)
		put(&l, "%sdeny", l.len > 0 ? " and " : "");
	if (r->halt)
		put(&l, "%shalt", l.len > 0 ? " and " : "");
	if (l.len == 0)
		put(&l, "%s", verdict_text(r->would));
	return buf;
}

char *
told_outcome(char buf[TOLD_MAX], const struct outcome_record *r)
{
	struct said	 l = { buf, 0 };
	char		 asks[TOLD_MAX];

	buf[0] = '\0';
	switch (r->type) {
	case OUTCOME_DECIDED:
	case OUTCOME_REDECIDED:
		if (r->why != WHY_NONE)
			put(&l, "%s (%s)", verdict_text(r->verdict),
			    why_text(r->why));
		/* A halt answers, or it was before go-live. */
		else if (!r->judged) {
			put(&l, "%s", state_text(r->state));
			break;
		}
		/* A delay that it has sat out asks for nothing any more. */
		else if (r->type == OUTCOME_REDECIDED &&
		    r->state == STATE_RELEASED)
			put(&l, "allow");
		else
			put(&l, "%s", r->verdict == r->would ?
			    told_asks(asks, r) : verdict_text(r->verdict));
		put(&l, ", %s", state_text(r->state));
		break;
	case OUTCOME_REPEATED:
		put(&l, "the same again: %s", state_text(r->state));
		break;
	case OUTCOME_MOVED:
		put(&l, "%s", state_text(r->state));
		break;
	case OUTCOME_HALTED:
		put(&l, "everything stopped");
		break;
	case OUTCOME_RESUMED:
		put(&l, "everything goes on");
		break;
	case OUTCOME_TAKEN:
		break;
	case OUTCOME_REFUSED:
		put(&l, "refused: %s", why_text(r->why));
		break;
	}
	return buf;
}

void
told_outcome_json(struct json *j, const struct outcome_record *r)
{
	json_put_text(j, "outcome", told_type_text(r->type));
	json_put_text(j, "cause", told_cause_text(r->cause));
	json_put_int(j, "t", r->t_ms);
	if (r->why != WHY_NONE)
		json_put_text(j, "why", why_text(r->why));
	if (r->type == OUTCOME_HALTED || r->type == OUTCOME_RESUMED ||
	    r->type == OUTCOME_TAKEN || r->type == OUTCOME_REFUSED)
		return;
	json_put_text(j, "state", state_text(r->state));
	if (r->type == OUTCOME_MOVED)
		return;
	json_put_text(j, "verdict", verdict_text(r->verdict));
	if (r->would != r->verdict)
		json_put_text(j, "would", verdict_text(r->would));
	if (r->due_ms != INT64_MAX)
		json_put_int(j, "due", r->due_ms);
	if (!r->judged)
		return;
	if (r->delay_ms > 0)
		json_put_int(j, "delay_ms", r->delay_ms);
	if (r->people > 0)
		json_put_int(j, "people", r->people);
	json_put_bool(j, "code", r->code);
}

/* The beginning of a journal */

enum rc
told_genesis(struct genesis *out, struct opened *op, struct err *e)
{
	struct history		*h = NULL;
	struct history_row	 row;
	struct history_event	 ev;
	bool			 more;
	enum rc			 rc;

	if ((rc = history_new(&h, op->db, op->keys, e)) != RC_OK)
		return rc;
	if ((rc = history_seek(h, 1, e)) == RC_OK &&
	    (rc = history_row(h, &row, &more, e)) == RC_OK) {
		if (!more)
			rc = err_set(e, "the journal has no rows");
		else if ((rc = history_event(h, &ev, &more, e)) == RC_OK)
			rc = more && ev.c.type == COMMAND_GENESIS ?
			    genesis_unpack(out, ev.c.body, e) :
			    err_set(e, "event 1 is not the beginning of a "
			    "journal");
	}
	history_free(&h);
	return err_wrap(e, rc, "%s", db_url(op->db));
}
