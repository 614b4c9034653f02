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
#include "lib/term.h"
#include "sim/command.h"
#include "sim/scenario.h"

#define BATCH	1000

struct founding {
	struct founding_config c;
	int64_t		first_ms;
	int64_t		end_ms;		/* the first line not taught */
	int64_t		last_ms;	/* of what the drill plays */
	int64_t		shift_ms;
	enum network	net;
	json_t		*keys;		/* the scenario's id: what it became */
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
name_key(struct founding *f, const struct scenario_event *ev, struct err *e)
{
	char	 id[COMMAND_NAME_MAX + 1], key[APIKEY_MAX],
		 secret[APIKEY_MAX];
	json_t	*one;

	(void)snprintf(id, sizeof(id), "%.*s", (int)ev->key.len, ev->key.p);
	if (json_object_get(f->keys, id) != NULL)
		return RC_OK;
	apikey_make(key, APIKEY_KEY);
	apikey_make(secret, APIKEY_SECRET);
	one = json_pack("{s:s,s:s,s:s%}", "api_key", key, "secret", secret,
	    "account", ev->account.p, ev->account.len);
	sodium_memzero(secret, sizeof(secret));
	return json_object_set_new(f->keys, id, one) == 0 ? RC_OK :
	    err_set(e, "no memory");
}

static enum rc
find_keys(struct founding *f, const struct scenario_event *ev, void *ctx,
    struct err *e)
{
	(void)ctx;
	if (ev->type != SCENARIO_WITHDRAW || ev->key.p == NULL ||
	    ev->t_ms < f->end_ms - DRILL_BEFORE_MS || ev->t_ms > f->last_ms)
		return RC_OK;
	return name_key(f, ev, e);
}

enum rc
founding_new(struct founding **out, const struct founding_config *c,
    struct err *e)
{
	struct founding	*f = calloc(1, sizeof(*f));
	enum rc		 rc;

	if (f == NULL || (f->keys = json_object()) == NULL) {
		free(f);
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
	if (*f != NULL)
		json_decref((*f)->keys);
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

/* The key's own name in this journal, and the secret it is made with. */
static enum rc
rename_key(struct command *c, const struct founding *f,
    const struct vault *vault, unsigned char *blob, struct err *e)
{
	struct vault_about	 about = { .kind = VAULT_KEY };
	char			 id[COMMAND_NAME_MAX + 1];
	const char		*secret;
	json_t			*one;

	if (c->key.p == NULL)
		return RC_OK;
	(void)snprintf(id, sizeof(id), "%.*s", (int)c->key.len, c->key.p);
	if ((one = json_object_get(f->keys, id)) == NULL)
		return RC_OK;
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
teach(struct founding *f, const struct scenario_event *ev, void *ctx,
    struct err *e)
{
	struct teaching	*t = ctx;
	unsigned char	 blob[APIKEY_MAX + VAULT_OVERHEAD];
	struct command	 c;
	uint64_t	 seq;
	bool		 any;

	if (ev->t_ms >= f->end_ms)
		return RC_OK;
	if (command_of_event(&c, &any, &f->room, ev, f->net, true, e) != RC_OK)
		return RC_FAILED;
	if (!any)
		return RC_OK;
	c.t_ms += f->shift_ms;
	if (rename_key(&c, f, t->vault, blob, e) != RC_OK ||
	    journal_take(t->journal, &c, NULL, &seq, e) != RC_OK)
		return RC_FAILED;
	t->n++;
	if (++t->behind < BATCH)
		return RC_OK;
	t->behind = 0;
	progress_at(&t->progress, t->n);
	return journal_commit(t->journal, e);
}

static enum rc
write_keys(const struct founding *f, struct err *e)
{
	char	 path[512];
	json_t	*all;
	int	 fd;
	bool	 ok;

	if (!f->c.drill)
		return RC_OK;
	(void)snprintf(path, sizeof(path), "%s/drill.keys", f->c.data);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd == -1)
		return err_set(e, "%s: %s", path, strerror(errno));
	all = json_pack("{s:s,s:I,s:I,s:O}", "scenario", f->c.scenario,
	    "from", (json_int_t)(f->end_ms - DRILL_BEFORE_MS), "until",
	    (json_int_t)f->last_ms, "keys", f->keys);
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
	if ((rc = each(f, teach, &t, e)) == RC_OK)
		rc = journal_flush(j, e);
	progress_end(&t.progress);
	*n_out = t.n;
	return rc == RC_OK ? write_keys(f, e) : rc;
}
