/*
 * Two passes: the first finds the theft and whose keys it needs, the second
 * teaches.
 */
#include "cli/founding.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auth/apikey.h"
#include "auth/totp.h"
#include "lib/term.h"
#include "sim/command.h"
#include "sim/scenario.h"
#include "wire/cidr.h"

#define BATCH	1000

struct founding {
	struct founding_config c;
	int64_t		first_ms;
	int64_t		end_ms;		/* the first line not taught */
	int64_t		last_ms;	/* of what the drill plays */
	int64_t		shift_ms;
	enum network	net;
	json_t		*keys;		/* the scenario's id: what it became */
	json_t		*codes;		/* account: its second factor's seed */
	struct command_room room;
};

/* The first pass */

static enum rc
each(struct founding *f, enum rc (*see)(struct founding *f,
    const struct scenario_event *ev, void *ctx, struct err *e), void *ctx,
    struct err *e)
{
	struct scenario_reader	*r = NULL;
	struct scenario_event	 ev;
	bool			 more = true;
	enum rc			 rc;

	rc = scenario_reader_open(&r, f->c.scenario, e);
	while (rc == RC_OK && (rc = scenario_read(r, &ev, &more, e)) ==
	    RC_OK && more) {
		if (see(f, &ev, ctx, e) != RC_OK)
			rc = scenario_reader_blame(r,
			    scenario_reader_line(r), NULL, e);
	}
	scenario_reader_free(&r);
	return rc;
}

static enum rc
find_times(struct founding *f, const struct scenario_event *ev, void *ctx,
    struct err *e)
{
	(void)ctx;
	(void)e;
	if (ev->type == SCENARIO_HEADER) {
		f->net = ev->network;
		return RC_OK;
	}
	if (f->first_ms < 0)
		f->first_ms = ev->t_ms;
	if (ev->label == LABEL_ATTACK && f->c.drill) {
		if (f->end_ms == INT64_MAX)
			f->end_ms = ev->t_ms;
		f->last_ms = ev->t_ms + DRILL_AFTER_MS;
	}
	if (f->end_ms == INT64_MAX)
		f->last_ms = ev->t_ms;
	return RC_OK;
}

/* One of the drill's keys gets a real name and a real secret. */
static enum rc
name_key(struct founding *f, const char *id,
    const struct scenario_event *ev, struct err *e)
{
	char	 key[APIKEY_MAX], secret[APIKEY_MAX];
	json_t	*one;

	if (json_object_get(f->keys, id) != NULL)
		return RC_OK;
	apikey_make(key, APIKEY_KEY);
	apikey_make(secret, APIKEY_SECRET);
	one = json_pack("{s:s,s:s,s:s%}", "api_key", key, "secret", secret,
	    "account", ev->account.p, ev->account.len);
	/* A key that the scenario has not is bound to where it is used. */
	if (one != NULL && ev->key.p == NULL)
		(void)json_object_set_new(one, "ip",
		    json_stringn(ev->ip.p, ev->ip.len));
	sodium_memzero(secret, sizeof(secret));
	return json_object_set_new(f->keys, id, one) == 0 ? RC_OK :
	    err_set(e, "no memory");
}

static enum rc
name_code(struct founding *f, const struct scenario_event *ev, struct err *e)
{
	char		 account[COMMAND_NAME_MAX + 1];
	char		 seed[TOTP_BASE32_LEN(TOTP_SEED_MAX) + 1];
	struct totp	 t;
	int		 bad;

	(void)snprintf(account, sizeof(account), "%.*s",
	    (int)ev->account.len, ev->account.p);
	if (json_object_get(f->codes, account) != NULL)
		return RC_OK;
	totp_make(&t, TOTP_SHA1, 6);
	totp_base32(seed, t.seed, t.seed_len);
	bad = json_object_set_new(f->codes, account, json_string(seed));
	sodium_memzero(&t, sizeof(t));
	sodium_memzero(seed, sizeof(seed));
	return bad == 0 ? RC_OK : err_set(e, "no memory");
}

static enum rc
find_keys(struct founding *f, const struct scenario_event *ev, void *ctx,
    struct err *e)
{
	char	 id[FOUNDING_ID_MAX];

	(void)ctx;
	if (ev->type != SCENARIO_WITHDRAW ||
	    ev->t_ms < f->end_ms - DRILL_BEFORE_MS || ev->t_ms > f->last_ms ||
	    (ev->key.p == NULL && ev->ip.p == NULL))
		return RC_OK;
	if (ev->code == TRI_YES && name_code(f, ev, e) != RC_OK)
		return RC_FAILED;
	return name_key(f, founding_key_id(id, ev->key, ev->account), ev, e);
}

char *
founding_key_id(char id[FOUNDING_ID_MAX], struct text key,
    struct text account)
{
	if (key.p != NULL)
		(void)snprintf(id, FOUNDING_ID_MAX, "%.*s", (int)key.len,
		    key.p);
	else
		(void)snprintf(id, FOUNDING_ID_MAX, "account %.*s",
		    (int)account.len, account.p);
	return id;
}

enum rc
founding_new(struct founding **out, const struct founding_config *c,
    struct err *e)
{
	struct founding	*f = calloc(1, sizeof(*f));
	enum rc		 rc;

	if (f == NULL || (f->keys = json_object()) == NULL ||
	    (f->codes = json_object()) == NULL) {
		founding_free(&f);
		return err_set(e, "no memory");
	}
	f->c = *c;
	f->first_ms = -1;
	f->end_ms = INT64_MAX;
	rc = each(f, find_times, NULL, e);
	if (rc == RC_OK && f->first_ms < 0)
		rc = err_set(e, "%s: nothing in it", c->scenario);
	if (rc == RC_OK && c->drill && f->end_ms == INT64_MAX)
		rc = err_set(e, "%s: no line is labelled `attack`",
		    c->scenario);
	/* A drill's coins go to nobody: its addresses become the network's. */
	if (rc == RC_OK && !c->drill && f->net != c->net)
		rc = err_set(e, "%s: its addresses are of network %s",
		    c->scenario, network_text(f->net));
	if (rc == RC_OK && c->drill) {
		f->shift_ms = c->now_ms - f->end_ms;
		rc = each(f, find_keys, NULL, e);
	}
	if (rc != RC_OK)
		founding_free(&f);
	*out = f;
	return rc;
}

void
founding_free(struct founding **f)
{
	if (*f != NULL) {
		json_decref((*f)->keys);
		json_decref((*f)->codes);
	}
	free(*f);
	*f = NULL;
}

int64_t
founding_first_ms(const struct founding *f)
{
	return f->first_ms + f->shift_ms;
}

/* The second pass */

struct teaching {
	struct journal	*journal;
	const struct vault *vault;
	uint64_t	 n;
	uint64_t	 behind;	/* taken since the last commit */
	struct progress	 progress;
};

#define BLOB_MAX	(APIKEY_MAX + TOTP_PACKED_MAX + VAULT_OVERHEAD)

/* The key's own name in this journal, and the secret it is made with. */
static enum rc
rename_key(struct command *c, const json_t *one, const struct vault *vault,
    unsigned char blob[BLOB_MAX], struct err *e)
{
	struct vault_about	 about = { .kind = VAULT_KEY };
	const char		*secret;

	c->key = text_of(json_string_value(json_object_get(one, "api_key")));
	if (c->type != COMMAND_KEY)
		return RC_OK;
	secret = json_string_value(json_object_get(one, "secret"));
	about.account = c->account;
	about.key = c->key;
	vault_seal(vault, blob, (const unsigned char *)secret,
	    strlen(secret), &about);
	c->key_type = KEY_TYPE_HMAC;
	c->blob.p = (const char *)blob;
	c->blob.len = strlen(secret) + VAULT_OVERHEAD;
	return command_check(c, e);
}

static enum rc
put(struct teaching *t, const struct command *c, struct err *e)
{
	uint64_t	 seq;

	if (journal_take(t->journal, c, NULL, &seq, e) != RC_OK)
		return RC_FAILED;
	t->n++;
	if (++t->behind < BATCH)
		return RC_OK;
	t->behind = 0;
	progress_at(&t->progress, t->n);
	return journal_commit(t->journal, e);
}

/*
 * A customer whom the scenario lets withdraw without a key gets one as old as
 * his account, good only where the scenario has him, so that he can take part.
 */
static enum rc
put_extra_key(struct teaching *t, const struct founding *f,
    const struct command *account, struct err *e)
{
	unsigned char	 blob[BLOB_MAX];
	char		 id[FOUNDING_ID_MAX];
	struct command	 c;
	struct cidr	 from;
	json_t		*one;

	one = json_object_get(f->keys, founding_key_id(id, text_of(NULL),
	    account->account));
	if (one == NULL || json_object_get(one, "taught") != NULL)
		return RC_OK;
	(void)json_object_set_new(one, "taught", json_true());
	command_clear(&c, COMMAND_KEY, account->t_ms);
	c.history = true;
	c.account = account->account;
	c.withdraw = true;
	c.cidrs = &from;
	c.n_cidrs = 1;
	if (cidr_parse(&from, text_of(json_string_value(json_object_get(one,
	    "ip"))), e) != RC_OK ||
	    rename_key(&c, one, t->vault, blob, e) != RC_OK)
		return RC_FAILED;
	return put(t, &c, e);
}

static enum rc
teach(struct founding *f, const struct scenario_event *ev, void *ctx,
    struct err *e)
{
	struct teaching	*t = ctx;
	unsigned char	 blob[BLOB_MAX];
	char		 id[FOUNDING_ID_MAX];
	struct command	 c;
	json_t		*one;
	bool		 any;

	if (ev->t_ms >= f->end_ms)
		return RC_OK;
	if (command_of_event(&c, &any, &f->room, ev, f->net, true, e) != RC_OK)
		return RC_FAILED;
	if (!any)
		return RC_OK;
	c.t_ms += f->shift_ms;
	if (c.key.p != NULL && (one = json_object_get(f->keys,
	    founding_key_id(id, c.key, c.account))) != NULL &&
	    rename_key(&c, one, t->vault, blob, e) != RC_OK)
		return RC_FAILED;
	if (put(t, &c, e) != RC_OK)
		return RC_FAILED;
	return c.type == COMMAND_ACCOUNT ? put_extra_key(t, f, &c, e) : RC_OK;
}

/* Those who give a code in the scenario have a telephone that makes it. */
static enum rc
put_code(struct teaching *t, const char *account, const char *seed,
    int64_t t_ms, struct err *e)
{
	unsigned char		 blob[BLOB_MAX], packed[TOTP_PACKED_MAX];
	struct totp		 totp = { TOTP_SHA1, 6, 30, 0, { 0 } };
	struct vault_about	 about = { .kind = VAULT_TOTP,
		.account = text_of(account), .version = t_ms };
	struct command		 c;
	size_t			 len;

	totp.seed_len = (size_t)totp_unbase32(totp.seed, sizeof(totp.seed),
	    text_of(seed));
	len = totp_pack(&totp, packed);
	vault_seal(t->vault, blob, packed, len, &about);
	sodium_memzero(&totp, sizeof(totp));
	sodium_memzero(packed, sizeof(packed));
	command_clear(&c, COMMAND_SECRET, t_ms);
	c.account = about.account;
	c.secret = SECRET_TOTP;
	c.step = about.version;
	c.blob.p = (const char *)blob;
	c.blob.len = len + VAULT_OVERHEAD;
	return command_check(&c, e) == RC_OK ? put(t, &c, e) : RC_FAILED;
}

static enum rc
put_codes(struct teaching *t, const struct founding *f, struct err *e)
{
	const char	*account;
	json_t		*seed;
	enum rc		 rc = RC_OK;

	json_object_foreach(f->codes, account, seed) {
		if (rc == RC_OK)
			rc = put_code(t, account, json_string_value(seed),
			    f->c.now_ms, e);
	}
	return rc;
}

static enum rc
write_keys(const struct founding *f, struct err *e)
{
	char	 path[512], *scenario;
	json_t	*all;
	int	 fd;
	bool	 ok;

	if (!f->c.drill)
		return RC_OK;
	/* The drill may be started from another folder. */
	if ((scenario = realpath(f->c.scenario, NULL)) == NULL)
		return err_set(e, "%s: %s", f->c.scenario, strerror(errno));
	(void)snprintf(path, sizeof(path), "%s/drill.keys", f->c.data);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd == -1) {
		free(scenario);
		return err_set(e, "%s: %s", path, strerror(errno));
	}
	all = json_pack("{s:s,s:I,s:I,s:O,s:O}", "scenario", scenario,
	    "from", (json_int_t)(f->end_ms - DRILL_BEFORE_MS), "until",
	    (json_int_t)f->last_ms, "keys", f->keys, "codes", f->codes);
	free(scenario);
	ok = all != NULL && json_dumpfd(all, fd, JSON_COMPACT) == 0 &&
	    fsync(fd) == 0;
	json_decref(all);
	(void)close(fd);
	return ok ? RC_OK : err_set(e, "%s: not written", path);
}

enum rc
founding_teach(struct founding *f, struct journal *j,
    const struct vault *vault, uint64_t *n_out, struct err *e)
{
	struct teaching	 t = { .journal = j, .vault = vault };
	enum rc		 rc;

	progress_begin(&t.progress, "teaching what happened before", 0);
	if ((rc = each(f, teach, &t, e)) == RC_OK &&
	    (rc = put_codes(&t, f, e)) == RC_OK)
		rc = journal_flush(j, e);
	progress_end(&t.progress);
	*n_out = t.n;
	return rc == RC_OK ? write_keys(f, e) : rc;
}
