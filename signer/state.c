/*
 * The state: what it is made of, how a record changes it, and how it comes to
 * be from the journal.
 *
 * There is one way to change it, signer_record(): what a running signer knows
 * and what it knows after a start are the same, because they are made by the
 * same calls from the same records.  Besides that only time passes
 * (state_settle()), and what time brings about can be found again.
 */
#include <assert.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/secret.h"
#include "signer/take.h"

#define ANSWER_LEAST	8192	/* any refusal, any status */

bool
refuse(struct refusal *r, enum sign_refusal why, const char *fmt, ...)
{
	va_list	 ap;

	r->why = why;
	va_start(ap, fmt);
	(void)vsnprintf(r->e.text, sizeof(r->e.text), fmt, ap);
	va_end(ap);
	return false;
}

int64_t
signer_running_ms(const struct signer *s, const struct signer_clock *now)
{
	int64_t	 run = now->boot_ms - s->boot_began_ms, all;

	all = s->running_before_ms + (run > 0 ? run : 0);
	return all > s->recorded_ms ? all : s->recorded_ms;
}

void
signer_head(const struct signer *s, unsigned char out[SIGN_HEAD_LEN])
{
	struct sign_head	 h;

	memcpy(h.signer, keys_id(s->keys), sizeof(h.signer));
	memcpy(h.deployment, s->settings.deployment, sizeof(h.deployment));
	h.seq = journal_seq(s->journal);
	journal_hash(s->journal, h.hash);
	h.height = s->height;
	h.engine_seq = s->engine_seq;
	h.epoch = s->settings.epoch;
	sign_head_sign(&h, keys_signing_secret(s->keys));
	sign_head_pack(&h, out);
}

void
record_begin(struct record *rec, enum record_kind kind, const struct ask *a)
{
	memset(rec, 0, sizeof(*rec));
	rec->kind = kind;
	rec->running_ms = a->running_ms;
}

/* ---- records ---- */

static void
forget_loaded(struct signer *s)
{
	s->n_loaded = 0;
}

static enum rc
read_settings(struct sign_settings *out, const struct record *rec,
    struct err *e)
{
	return err_wrap(e, sign_settings_parse(out, "settings", rec->body, e),
	    "record %ju", (uintmax_t)rec->seq);
}

static bool
same_cold(const struct sign_settings *a, const struct sign_settings *b)
{
	size_t	 i;

	for (i = 0; i < a->n_cold && i < b->n_cold; i++) {
		if (strcmp(a->cold[i], b->cold[i]) != 0)
			return false;
	}
	return a->n_cold == b->n_cold;
}

/* The keys know only the cold descriptors of what is in force. */
static enum rc
settings_in_force(struct signer *s, const struct sign_settings *in_force,
    struct err *e)
{
	if (s->journal != NULL && !same_cold(&s->settings, in_force) &&
	    keys_settings(s->keys, in_force, e) != RC_OK)
		return RC_FAILED;
	s->settings = *in_force;
	return RC_OK;
}

static enum rc
apply_first(struct signer *s, const struct record *rec, struct err *e)
{
	if (read_settings(&s->now, rec, e) != RC_OK)
		return RC_FAILED;
	s->settings = s->now;
	s->settings_seq = rec->seq;
	s->height = rec->height;
	s->height_running_ms = rec->running_ms;
	s->engine_seq = rec->number;
	if (rec->kind == RECORD_FOUNDED) {
		windows_rearm(&s->windows, rec->seq, rec->height,
		    rec->running_ms);
		return RC_OK;
	}
	s->floor = rec->number;
	if (windows_reserve(&s->windows, e) != RC_OK)
		return RC_FAILED;
	windows_all_spent(&s->windows, &s->settings, rec->height,
	    rec->running_ms);
	/* What the next re-arming answers: not one of the lost journal. */
	s->windows.armed_seq = rec->seq;
	return RC_OK;
}

/* Everything that may fail comes before anything is changed. */
static enum rc
apply_signed(struct signer *s, const struct record *rec, struct err *e)
{
	int64_t	 accounted = s->height_running_ms;

	if (rec->height > s->height && !height_possible(s->height,
	    s->height_running_ms, rec->height, rec->running_ms,
	    s->settings.network, &accounted))
		return err_set(e, "record %ju: a height that could not be",
		    (uintmax_t)rec->seq);
	if (memory_reserve(s->memory, rec, e) != RC_OK ||
	    windows_reserve(&s->windows, e) != RC_OK)
		return RC_FAILED;
	if (s->journal != NULL && rec->index_max > s->index_max &&
	    keys_reach(s->keys, rec->index_max, e) != RC_OK)
		return RC_FAILED;
	if (rec->height > s->height) {
		s->height = rec->height;
		s->height_running_ms = accounted;
	}
	state_settle(s, rec->running_ms);
	windows_add(&s->windows, s->height, rec->running_ms, rec->cost_sat);
	memory_add(s->memory, rec);
	if (rec->engine_seq > s->engine_seq)
		s->engine_seq = rec->engine_seq;
	if (rec->index_max > s->index_max)
		s->index_max = rec->index_max;
	s->signed_seq = rec->seq;
	return RC_OK;
}

static enum rc
apply_remembered(struct signer *s, const struct record *rec, struct err *e)
{
	if (memory_reserve(s->memory, rec, e) != RC_OK)
		return RC_FAILED;
	memory_add(s->memory, rec);
	if (rec->kind == RECORD_BURNED) {
		s->signed_seq = rec->seq;
		s->free_records++;
	}
	return RC_OK;
}

/* What tightens is in force; what loosens waits, and of it only what is
 * stricter is in force meanwhile. */
static enum rc
apply_settings(struct signer *s, const struct record *rec, struct err *e)
{
	struct sign_settings	 next, both;
	bool			 loosens;

	if (read_settings(&next, rec, e) != RC_OK)
		return RC_FAILED;
	if (sign_settings_compare(&s->settings, &next, &loosens, e) != RC_OK)
		return err_wrap(e, RC_FAILED, "record %ju",
		    (uintmax_t)rec->seq);
	forget_loaded(s);
	if (!loosens) {
		if (settings_in_force(s, &next, e) != RC_OK)
			return RC_FAILED;
		s->now = next;
		s->settings_seq = rec->seq;
		s->waits = false;
		return RC_OK;
	}
	sign_settings_stricter(&both, &s->now, &next);
	if (settings_in_force(s, &both, e) != RC_OK)
		return RC_FAILED;
	s->next = next;
	s->waits = true;
	s->waits_seq = rec->seq;
	s->waits_height = s->height;
	s->waits_running_ms = rec->running_ms;
	return RC_OK;
}

static void
set_engine(struct sign_settings *s, const struct record *rec)
{
	s->epoch = (uint32_t)rec->number;
	memcpy(s->engine_key, rec->hash, sizeof(s->engine_key));
}

static void
apply_epoch(struct signer *s, const struct record *rec)
{
	set_engine(&s->settings, rec);
	set_engine(&s->now, rec);
	set_engine(&s->next, rec);
	forget_loaded(s);
}

static void
apply_halt(struct signer *s, const struct record *rec)
{
	/* One that was written while locked is not in the chain: a record
	 * that is follows it as soon as there is a key. */
	s->halted_locked = rec->kind == RECORD_HALT_LOCKED;
	if (rec->kind == RECORD_HALTED) {
		s->halted_seq = rec->seq;
		s->free_records++;
	}
	(void)snprintf(s->halted_why, sizeof(s->halted_why), "%.*s",
	    (int)(rec->body.len < 255 ? rec->body.len : 255),
	    rec->body.p != NULL ? rec->body.p : "");
}

static enum rc
apply_kind(struct signer *s, const struct record *rec, struct err *e)
{
	switch (rec->kind) {
	case RECORD_FOUNDED:
	case RECORD_RECOVERED:
		return apply_first(s, rec, e);
	case RECORD_RUNNING:
		return RC_OK;
	case RECORD_SIGNED:
		return apply_signed(s, rec, e);
	case RECORD_BURNED:
	case RECORD_WRITTEN_OFF:
		return apply_remembered(s, rec, e);
	case RECORD_HALTED:
	case RECORD_HALT_LOCKED:
		apply_halt(s, rec);
		return RC_OK;
	case RECORD_RESUMED:
		s->halted_seq = 0;
		s->halted_locked = false;
		s->halted_why[0] = '\0';
		return RC_OK;
	case RECORD_REARMED:
		windows_rearm(&s->windows, rec->seq, s->height,
		    rec->running_ms);
		return RC_OK;
	case RECORD_SETTINGS:
		return apply_settings(s, rec, e);
	case RECORD_EPOCH:
		apply_epoch(s, rec);
		return RC_OK;
	case RECORD_ADOPTED:
		s->engine_seq = rec->number;
		memory_forget_seqs(s->memory);
		return RC_OK;
	case RECORD_BEHIND:
		s->behind = true;
		return RC_OK;
	}
	return err_set(e, "record %ju: of no known kind (%d)",
	    (uintmax_t)rec->seq, (int)rec->kind);
}

enum rc
signer_apply(struct signer *s, const struct record *rec, struct err *e)
{
	/* Without a key, and so without a time that counts. */
	if (rec->kind == RECORD_HALT_LOCKED)
		return apply_kind(s, rec, e);
	if (rec->kind != RECORD_FOUNDED && rec->kind != RECORD_RECOVERED)
		state_settle(s, rec->running_ms);
	if (apply_kind(s, rec, e) != RC_OK)
		return RC_FAILED;
	s->fresh = rec->kind == RECORD_FOUNDED;
	if (rec->running_ms > s->recorded_ms)
		s->recorded_ms = rec->running_ms;
	return RC_OK;
}

bool
signer_record(struct signer *s, const struct record *rec, struct refusal *r)
{
	struct record	 copy = *rec;
	struct err	 e;

	if (s->broken)
		return refuse(r, SIGN_REFUSE_STORE, "the journal failed "
		    "before: nothing more until the signer is started again");
	/* What has no room is refused before it is written. */
	if (memory_reserve(s->memory, &copy, &e) != RC_OK ||
	    windows_reserve(&s->windows, &e) != RC_OK)
		return refuse(r, SIGN_REFUSE_FAILED, "%s", e.text);
	if (journal_append(s->journal, &copy, &e) != RC_OK) {
		s->broken = true;
		return refuse(r, SIGN_REFUSE_STORE, "%s", e.text);
	}
	if (signer_apply(s, &copy, &e) != RC_OK) {
		s->broken = true;
		return refuse(r, SIGN_REFUSE_STORE, "%s: start the signer "
		    "again", e.text);
	}
	return true;
}

/* ---- time ---- */

bool
state_free_record(const struct signer *s, int64_t running_ms)
{
	return s->free_records < FREE_RECORDS + (uint64_t)running_ms / 1000;
}

static bool
wait_is_over(const struct signer *s, int64_t running_ms)
{
	uint32_t	 delay = s->settings.delay_blocks;

	return (uint64_t)s->height >= (uint64_t)s->waits_height + delay &&
	    running_ms - s->waits_running_ms >= (int64_t)delay *
	    sign_block_ms(s->settings.network);
}

void
state_settle(struct signer *s, int64_t running_ms)
{
	struct err	 e;

	/* Without memory for it, it waits for the next occasion. */
	if (s->waits && wait_is_over(s, running_ms) &&
	    settings_in_force(s, &s->next, &e) == RC_OK) {
		s->now = s->next;
		s->settings_seq = s->waits_seq;
		s->waits = false;
		forget_loaded(s);
	}
	windows_advance(&s->windows, &s->settings, s->height, running_ms);
}

/* ---- from nothing to unlocked, and back ---- */

enum rc
signer_new(struct signer **out, int journal_fd, int seed_fd,
    const struct signer_clock *now, struct err *e)
{
	struct signer	*s = calloc(1, sizeof(*s));
	uint64_t	 records;

	*out = NULL;
	if (s == NULL || (s->answer = malloc(ANSWER_LEAST)) == NULL) {
		free(s);
		return err_set(e, "no memory for a signer");
	}
	s->answer_room = ANSWER_LEAST;
	s->journal_fd = journal_fd;
	s->seed_fd = seed_fd;
	s->boot_began_ms = now->boot_ms;
	if (journal_peek(journal_fd, &records, &s->halted_locked,
	    e) != RC_OK) {
		signer_free(&s);
		return RC_FAILED;
	}
	*out = s;
	return RC_OK;
}

void
state_lock(struct signer *s, const struct signer_clock *now)
{
	unsigned char	*answer = s->answer;
	size_t		 room = s->answer_room;
	int		 journal_fd = s->journal_fd, seed_fd = s->seed_fd;
	bool		 halted = s->halted_locked;
	uint64_t	 halted_seq = s->halted_seq;
	char		 why[sizeof(s->halted_why)];

	memcpy(why, s->halted_why, sizeof(why));
	keys_wipe(&s->keys);
	journal_free(&s->journal);
	memory_free(&s->memory);
	windows_free(&s->windows);
	free(s->loaded);
	free(s->loaded_bytes);
	sodium_memzero(s, sizeof(*s));
	s->answer = answer;
	s->answer_room = room;
	s->journal_fd = journal_fd;
	s->seed_fd = seed_fd;
	/* For the status; the next unlocking reads it again. */
	s->halted_locked = halted;
	s->halted_seq = halted_seq;
	memcpy(s->halted_why, why, sizeof(why));
	s->boot_began_ms = now->boot_ms;
}

void
signer_free(struct signer **sp)
{
	const struct signer_clock	 none = { 0, 0 };

	if (*sp == NULL)
		return;
	state_lock(*sp, &none);
	sodium_memzero((*sp)->answer, (*sp)->answer_room);
	free((*sp)->answer);
	free(*sp);
	*sp = NULL;
}

static bool
open_seed(struct signer *s, struct text passphrase, struct refusal *r)
{
	unsigned char	 sealed[SEED_FILE_LEN], *seed;
	struct err	 e;
	bool		 good;

	if (pread(s->seed_fd, sealed, sizeof(sealed), 0) !=
	    (ssize_t)sizeof(sealed))
		return refuse(r, SIGN_REFUSE_FAILED,
		    "the seed's file: shorter than it must be");
	if ((seed = secret_new(SEED_LEN)) == NULL)
		return refuse(r, SIGN_REFUSE_FAILED, "no locked memory");
	if (seed_open(seed, sealed, passphrase, &e) != RC_OK)
		good = refuse(r, SIGN_REFUSE_PASSPHRASE, "%s", e.text);
	else if (keys_make(&s->keys, seed, NULL, &e) != RC_OK)
		good = refuse(r, SIGN_REFUSE_FAILED, "%s", e.text);
	else
		good = true;
	secret_free(seed, SEED_LEN);
	return good;
}

static enum rc
apply_each(void *arg, const struct record *rec, struct err *e)
{
	return signer_apply(arg, rec, e);
}

static bool
open_journal(struct signer *s, struct refusal *r)
{
	struct journal	*j = NULL;
	struct err	 e;

	/* Until it is open, s->journal is NULL: no look-ups are made that the
	 * next record outdates. */
	if (memory_new(&s->memory, &e) != RC_OK ||
	    journal_load(&j, s->journal_fd, keys_journal(s->keys), apply_each,
	    s, &e) != RC_OK)
		return refuse(r, SIGN_REFUSE_STORE, "%s", e.text);
	s->journal = j;
	if (keys_settings(s->keys, &s->settings, &e) != RC_OK ||
	    keys_reach(s->keys, s->index_max, &e) != RC_OK)
		return refuse(r, SIGN_REFUSE_FAILED, "%s", e.text);
	return true;
}

/* What was stopped while nobody had the key is now in the chain. */
static bool
record_halt(struct signer *s, const struct signer_clock *now,
    struct refusal *r)
{
	struct ask	 a = { NULL, now, signer_running_ms(s, now) };
	struct record	 rec;
	char		 why[sizeof(s->halted_why)];

	if (!s->halted_locked)
		return true;
	memcpy(why, s->halted_why, sizeof(why));
	record_begin(&rec, RECORD_HALTED, &a);
	rec.body = text_of(why);
	return signer_record(s, &rec, r);
}

bool
state_unlock(struct signer *s, struct text passphrase,
    const struct signer_clock *now, struct refusal *r)
{
	struct signer_clock	 began = { s->boot_began_ms, 0 };
	bool			 halted = s->halted_locked;
	uint64_t		 halted_seq = s->halted_seq;

	if (s->journal != NULL)
		return true;
	/* The journal says it again. */
	s->halted_locked = false;
	s->halted_seq = 0;
	if (open_seed(s, passphrase, r) && open_journal(s, r)) {
		s->running_before_ms = s->recorded_ms;
		/* What time brings about is written down at the first
		 * request. */
		if (record_halt(s, now, r))
			return true;
	}
	s->halted_locked = halted;
	s->halted_seq = halted_seq;
	state_lock(s, &began);
	return false;
}

enum rc
signer_unlock(struct signer *s, struct text passphrase,
    const struct signer_clock *now, struct err *e)
{
	struct refusal	 r;

	if (!state_unlock(s, passphrase, now, &r))
		return err_set(e, "%s", r.e.text);
	return RC_OK;
}
