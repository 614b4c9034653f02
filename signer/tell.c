/*
 * What the signer says of itself; nothing here changes anything.
 *
 * Status is lines of `name value`: names are only added.  Money is in
 * satoshi, time in milliseconds, hashes as they are in hex.
 */
#include <assert.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "signer/take.h"

#define STATUS_MAX	6144

struct tell {
	char		*p;
	size_t		 len, room;
	bool		 full;		/* signed: there is more */
};

static void	tell(struct tell *t, const char *fmt, ...) PRINTF(2, 3);

static void
tell(struct tell *t, const char *fmt, ...)
{
	va_list	 ap;
	int	 n;

	va_start(ap, fmt);
	n = vsnprintf(t->p + t->len, t->room - t->len, fmt, ap);
	va_end(ap);
	/* Room is made for the longest of each. */
	assert(n >= 0 && (size_t)n < t->room - t->len);
	t->len += (size_t)n;
}

static void
tell_hex(struct tell *t, const char *name, const unsigned char *bytes,
    size_t len)
{
	char	 hex[65];

	assert(len <= 32);
	(void)sodium_bin2hex(hex, sizeof(hex), bytes, len);
	tell(t, "%s %s\n", name, hex);
}

/* One line, whatever somebody gave for a reason. */
static void
tell_safe(struct tell *t, const char *name, const char *text)
{
	tell(t, "%s ", name);
	for (; *text != '\0'; text++) {
		if (*text >= ' ' && *text <= '~')
			tell(t, "%c", *text);
		else
			tell(t, "\\x%02x", (unsigned char)*text);
	}
	tell(t, "\n");
}

static const char *
yes(bool b)
{
	return b ? "yes" : "no";
}

static bool
tell_begin(struct tell *t, size_t room, struct reply *out, struct refusal *r)
{
	t->len = 0;
	t->room = room;
	t->full = false;
	t->p = malloc(room);
	out->owned = (unsigned char *)t->p;
	if (t->p == NULL)
		return refuse(r, SIGN_REFUSE_FAILED, "no memory");
	return true;
}

static void
tell_end(const struct tell *t, struct reply *out)
{
	out->body.p = t->p;
	out->body.len = t->len;
}

/* ---- status ---- */

static void
tell_who(struct tell *t, const struct signer *s)
{
	const struct sign_settings	*f = &s->settings;

	tell_hex(t, "signer", keys_id(s->keys), 16);
	tell_hex(t, "public-key", keys_signing_public(s->keys), 32);
	tell_hex(t, "deployment", f->deployment, sizeof(f->deployment));
	tell(t, "network %s\n", network_text((enum network)f->network));
	tell(t, "epoch %u\n", f->epoch);
	tell_hex(t, "engine", f->engine_key, sizeof(f->engine_key));
	tell(t, "quorum %u\n", f->quorum);
}

static void
tell_where(struct tell *t, const struct signer *s, int64_t running_ms)
{
	unsigned char	 hash[32];

	tell(t, "sequence %ju\n", (uintmax_t)journal_seq(s->journal));
	journal_hash(s->journal, hash);
	tell_hex(t, "journal", hash, sizeof(hash));
	tell(t, "signed-sequence %ju\n", (uintmax_t)s->signed_seq);
	tell(t, "height %u\n", s->height);
	tell(t, "height-limit %u\n", height_limit(s->height,
	    s->height_running_ms, running_ms, s->settings.network));
	tell(t, "running %jd\n", (intmax_t)running_ms);
	tell(t, "engine-sequence %ju\n", (uintmax_t)s->engine_seq);
	tell(t, "floor %ju\n", (uintmax_t)s->floor);
	tell(t, "loaded %zu\n", s->n_loaded);
}

static void
tell_ceilings(struct tell *t, const struct signer *s)
{
	const struct sign_settings	*f = &s->settings;
	const struct windows		*w = &s->windows;

	tell(t, "per-transaction %jd\n", (intmax_t)f->tx_max_sat);
	tell(t, "short-spent %jd\n", (intmax_t)w->short_sat);
	tell(t, "short-max %jd\n", (intmax_t)f->short_max_sat);
	tell(t, "short-blocks %u\n", f->short_blocks);
	tell(t, "armed %s\n", yes(w->armed));
	tell(t, "armed-sequence %ju\n", (uintmax_t)w->armed_seq);
	tell(t, "armed-height %u\n", w->armed_height);
	tell(t, "armed-running %jd\n", (intmax_t)w->armed_running_ms);
	tell(t, "rearm-waits %s\n", yes(w->rearm_waits));
	tell(t, "long-spent %jd\n", (intmax_t)w->long_sat);
	tell(t, "long-max %jd\n", (intmax_t)f->long_max_sat);
	tell(t, "long-blocks %u\n", f->long_blocks);
	tell(t, "fee-max %jd\n", (intmax_t)f->fee_max_sat);
	tell(t, "approve-above %jd\n", (intmax_t)f->approve_above_sat);
}

static void
tell_settings(struct tell *t, const struct signer *s)
{
	unsigned char	 hash[32];

	tell(t, "settings-sequence %ju\n", (uintmax_t)s->settings_seq);
	sign_settings_hash(hash, &s->now);
	tell_hex(t, "settings", hash, sizeof(hash));
	tell(t, "settings-wait %s\n", yes(s->waits));
	if (!s->waits)
		return;
	tell(t, "waiting-sequence %ju\n", (uintmax_t)s->waits_seq);
	sign_settings_hash(hash, &s->next);
	tell_hex(t, "waiting", hash, sizeof(hash));
	tell(t, "waiting-until-height %ju\n", (uintmax_t)s->waits_height +
	    s->settings.delay_blocks);
	tell(t, "waiting-until-running %jd\n", (intmax_t)
	    (s->waits_running_ms + (int64_t)s->settings.delay_blocks *
	    sign_block_ms(s->settings.network)));
}

static void
tell_halt(struct tell *t, const struct signer *s)
{
	bool	 halted = s->halted_seq != 0 || s->halted_locked;

	tell(t, "halted %s\n", yes(halted));
	if (s->halted_seq != 0)
		tell(t, "halt-sequence %ju\n", (uintmax_t)s->halted_seq);
	if (halted)
		tell_safe(t, "halt-reason", s->halted_why);
}

bool
status_take(struct signer *s, const struct ask *a, struct reply *out,
    struct refusal *r)
{
	struct tell	 t;

	if (!tell_begin(&t, STATUS_MAX, out, r))
		return false;
	tell(&t, "version %d\n", SIGN_VERSION);
	tell(&t, "locked %s\n", yes(s->journal == NULL));
	tell_halt(&t, s);
	if (s->journal != NULL) {
		tell(&t, "behind %s\n", yes(s->behind));
		tell(&t, "journal-failed %s\n", yes(s->broken));
		tell_who(&t, s);
		tell_where(&t, s, a->running_ms);
		tell_ceilings(&t, s);
		tell_settings(&t, s);
	}
	tell_end(&t, out);
	return true;
}

/* ---- descriptors ---- */

bool
descriptors_take(struct signer *s, const struct ask *a, struct reply *out,
    struct refusal *r)
{
	struct tell	 t;
	struct err	 e;
	unsigned	 branch;

	(void)a;
	if (!tell_begin(&t, (size_t)2 * (DESCRIPTOR_TEXT_MAX + 1), out, r))
		return false;
	for (branch = 0; branch < 2; branch++) {
		if (keys_descriptor(s->keys, branch, t.p + t.len,
		    DESCRIPTOR_TEXT_MAX, &e) != RC_OK)
			return refuse(r, SIGN_REFUSE_FAILED, "%s", e.text);
		t.len += strlen(t.p + t.len);
		tell(&t, "\n");
	}
	tell_end(&t, out);
	return true;
}

/* ---- what was signed ---- */

static enum rc
tell_record(void *arg, const struct record *rec, struct err *e)
{
	struct sign_entry	 n;
	struct tell		*t = arg;
	size_t			 i;

	if (rec->kind != RECORD_SIGNED)
		return RC_OK;
	/* Whole records only: the next question begins behind one. */
	if (rec->n_ids > (t->room - t->len) / SIGN_ENTRY_LEN) {
		t->full = true;
		return err_set(e, "no room for more");
	}
	for (i = 0; i < rec->n_ids; i++) {
		n.seq = rec->seq;
		n.id = rec->ids[i].id;
		memcpy(n.account_tag, rec->ids[i].account_tag,
		    sizeof(n.account_tag));
		n.amount_sat = rec->ids[i].amount_sat;
		n.receipt_seq = rec->ids[i].receipt_seq;
		memcpy(n.txid, rec->txid, sizeof(n.txid));
		sign_entry_pack(&n, (unsigned char *)t->p + t->len);
		t->len += SIGN_ENTRY_LEN;
	}
	return RC_OK;
}

bool
signed_take(struct signer *s, const struct ask *a, struct reply *out,
    struct refusal *r)
{
	struct tell	 t;
	struct err	 e;

	_Static_assert(OUTPUTS_MAX <= SIGN_ENTRIES_MAX,
	    "a transaction's withdrawals fit into one answer");
	if (!tell_begin(&t, (size_t)SIGN_ENTRIES_MAX * SIGN_ENTRY_LEN, out,
	    r))
		return false;
	if (journal_walk(s->journal, a->m->number, tell_record, &t,
	    &e) != RC_OK && !t.full)
		return refuse(r, SIGN_REFUSE_STORE, "%s", e.text);
	tell_end(&t, out);
	return true;
}
