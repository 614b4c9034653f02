#include "cli/playing.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/opened.h"
#include "cli/played.h"
#include "engine/head.h"
#include "engine/journal.h"
#include "lib/term.h"
#include "policy/against.h"
#include "policy/ast.h"
#include "sim/record.h"

#define BATCH		100
#define BATCH_MAX	50000
#define PATH_ROOM	4096

struct options {
	const char	*name;		/* of the command */
	const char	*db;
	const char	*policy;
	const char	*acks;
	const char	*as;
	const char	*reason;
	const char	*scenario;
	uint64_t	batch;
	uint64_t	snapshot_every;
	uint64_t	from;
	enum network	network;
	bool		network_given;
	bool		history;
	bool		json;
	bool		quiet;
	bool		help;
};

struct playing {
	struct options	 o;
	char		 path[PATH_ROOM];	/* of the database */
	struct record	*record;
	struct journal	*journal;
	struct record_options ro;
	struct played	 said;
	struct progress	 progress;
	int		 acks;		/* -1: none */
	atomic_int	 acks_failed;	/* errno, from the other thread */
	bool		 waits;		/* the policy loosens */
};

enum {
	OPT_DB = 256, OPT_POLICY, OPT_BATCH, OPT_SNAPSHOT_EVERY, OPT_NETWORK,
	OPT_ACKS, OPT_FROM, OPT_AS, OPT_REASON, OPT_JSON, OPT_QUIET, OPT_HELP,
};

static const struct option longopts[] = {
	{ "db", required_argument, NULL, OPT_DB },
	{ "policy", required_argument, NULL, OPT_POLICY },
	{ "batch", required_argument, NULL, OPT_BATCH },
	{ "snapshot-every", required_argument, NULL, OPT_SNAPSHOT_EVERY },
	{ "network", required_argument, NULL, OPT_NETWORK },
	{ "acks", required_argument, NULL, OPT_ACKS },
	{ "from", required_argument, NULL, OPT_FROM },
	{ "as", required_argument, NULL, OPT_AS },
	{ "reason", required_argument, NULL, OPT_REASON },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "quiet", no_argument, NULL, OPT_QUIET },
	{ "help", no_argument, NULL, OPT_HELP },
	{ NULL, 0, NULL, 0 }
};

/* Options */

static enum rc
number(uint64_t *out, const char *option, const char *text, uint64_t min,
    uint64_t max, struct err *e)
{
	unsigned long long	 n;
	char			*end;

	errno = 0;
	n = strtoull(text, &end, 10);
	if (errno != 0 || *text < '0' || *text > '9' || *end != '\0' ||
	    n < min || n > max)
		return err_set(e, "%s: want a number from %ju to %ju", option,
		    (uintmax_t)min, (uintmax_t)max);
	*out = n;
	return RC_OK;
}

static enum rc
network(struct options *o, struct err *e)
{
	o->network_given = true;
	if (!network_of(&o->network, optarg, strlen(optarg)))
		return err_set(e, "--network: want main, test, signet or "
		    "regtest");
	return RC_OK;
}

static enum rc
option(struct options *o, int c, struct err *e)
{
	switch (c) {
	case OPT_DB:
		o->db = optarg;
		return RC_OK;
	case OPT_POLICY:
		o->policy = optarg;
		return RC_OK;
	case OPT_BATCH:
		return number(&o->batch, "--batch", optarg, 1, BATCH_MAX, e);
	case OPT_SNAPSHOT_EVERY:
		return number(&o->snapshot_every, "--snapshot-every", optarg,
		    1, INT64_MAX, e);
	case OPT_NETWORK:
		return network(o, e);
	case OPT_ACKS:
		o->acks = optarg;
		return RC_OK;
	case OPT_FROM:
		return number(&o->from, "--from", optarg, 1, INT64_MAX, e);
	case OPT_AS:
		o->as = optarg;
		return RC_OK;
	case OPT_REASON:
		o->reason = optarg;
		return RC_OK;
	case OPT_JSON:
		o->json = true;
		return RC_OK;
	case OPT_QUIET:
		o->quiet = true;
		return RC_OK;
	case OPT_HELP:
		o->help = true;
		return RC_OK;
	}
	/* getopt has said what is wrong. */
	return err_set(e, "%s", "");
}

static enum rc
options(struct options *o, int argc, char **argv, struct err *e)
{
	int	 c;

	o->batch = BATCH;
	while ((c = getopt_long(argc, argv, "", longopts, NULL)) != -1) {
		if (option(o, c, e) != RC_OK)
			return RC_FAILED;
	}
	if (o->help)
		return RC_OK;
	if (argc - optind != 1)
		return err_set(e, argc == optind ? "no scenario" :
		    "more than one scenario");
	o->scenario = argv[optind];
	return RC_OK;
}

/* Callbacks of the journal */

/* From the committer's thread: what was promised is on the disk. */
static void
on_durable(void *ctx, uint64_t seq)
{
	struct playing	*p = ctx;
	char		 line[32];
	int		 n;

	/* After half a line no other may follow. */
	if (p->acks == -1 || atomic_load(&p->acks_failed) != 0)
		return;
	n = snprintf(line, sizeof(line), "ack %" PRIu64 "\n", seq);
	errno = ENOSPC;
	if (write(p->acks, line, (size_t)n) != n)
		atomic_store(&p->acks_failed, errno);
}

static void
on_restart(void *ctx, uint64_t done, uint64_t total)
{
	struct playing	*p = ctx;

	p->progress.total = total;
	progress_at(&p->progress, done);
}

static void
on_play(void *ctx, int permille, uint64_t taken)
{
	struct playing	*p = ctx;

	progress_at(&p->progress, permille >= 0 ? (uint64_t)permille : taken);
}

static int64_t
now_ms(void)
{
	struct timespec	 t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* The journal */

/* How far an earlier run had come. */
static enum rc
find_place(struct playing *p, struct err *e)
{
	struct opened	 old;
	enum rc		 rc;

	if (access(p->path, F_OK) != 0)
		return RC_OK;
	if ((rc = opened_new(&old, p->path, false, e)) != RC_OK)
		return rc;
	rc = record_place(&p->ro.place, old.db,
	    text_of(record_source(p->record)), e);
	if (rc == RC_OK && p->o.history)
		rc = record_live(&p->ro.live_seq, old.db, e);
	opened_free(&old);
	return rc;
}

static enum rc
check_network(struct playing *p, uint8_t net, struct err *e)
{
	if (net == (uint8_t)record_network(p->record))
		return RC_OK;
	return err_set(e, "%s is of network %s, the journal of %s",
	    p->o.scenario, network_text(record_network(p->record)),
	    network_text((enum network)net));
}

static enum rc
open_journal(struct playing *p, struct err *e)
{
	struct journal_config	 c = {
		.url = p->path,
		.create = true,
		.network = (uint8_t)record_network(p->record),
		.policy_path = p->o.policy,
		.t_ms = record_first_ms(p->record),
		.snapshot_every = p->o.snapshot_every,
		.receipt_at_release = true,
		.progress = p->o.quiet ? NULL : on_restart,
		.durable = p->acks != -1 ? on_durable : NULL,
		.ctx = p,
	};
	const struct rebuilt	*s;
	enum rc			 rc;

	if (p->o.policy == NULL && access(p->path, F_OK) != 0)
		return err_set(e, "%s: there is no such database; --policy "
		    "says under which policy a new one begins", p->path);
	if (!p->o.quiet)
		progress_begin(&p->progress, "restarting", 0);
	rc = journal_open(&p->journal, &c, e);
	if (!p->o.quiet)
		progress_end(&p->progress);
	if (rc != RC_OK)
		return rc;
	s = journal_state(p->journal);
	/* Between looking and locking another engine may have been here. */
	if (p->ro.place.last_seq != 0 && p->ro.place.last_seq != s->seq)
		return err_set(e, "%s: it grew while it was opened; another "
		    "engine has just used it", p->path);
	return check_network(p, s->genesis.network, e);
}

/* The policy: what is in force is the journal's; the file is a proposal */

static void
say_loosening(void *ctx, const struct against_change *c)
{
	const struct playing	*p = ctx;

	if (c->direction == AGAINST_LOOSENS)
		(void)fprintf(stderr, "drawbridge %s: loosens %s: %s: %s\n",
		    p->o.name, c->where, c->subject, c->reason);
}

static enum rc
put_in_force(struct playing *p, struct policy **policy, struct err *e)
{
	uint64_t	 before = journal_state(p->journal)->policy_seq;
	struct command	 by;
	enum rc		 rc;

	command_clear(&by, COMMAND_POLICY, record_first_ms(p->record));
	by.by = text_of(p->o.as);
	by.reason = text_of(p->o.reason);
	rc = journal_policy_loaded(p->journal, policy, &by, e);
	if (journal_state(p->journal)->policy_seq != before)
		p->said.policy = PLAYED_POLICY_NEW;
	return rc;
}

/*
 * A policy file that differs from the policy in force comes into force only
 * if it loosens nothing: else whoever can write the file and restart would
 * be a whole quorum (C7).
 */
static enum rc
propose(struct playing *p, struct err *e)
{
	const struct rebuilt	*s = journal_state(p->journal);
	struct against_counts	 n;
	struct policy		*policy = NULL;
	enum rc			 rc;

	if (p->o.policy == NULL)
		return RC_OK;
	if ((rc = policy_load(&policy, p->o.policy, stderr, e)) != RC_OK)
		return rc;
	against_compare(s->policy, policy, NULL, NULL, &n);
	if (n.loosens == 0) {
		rc = put_in_force(p, &policy, e);
	} else {
		p->waits = true;
		p->said.policy = PLAYED_POLICY_WAITS;
		against_compare(s->policy, policy, say_loosening, p, &n);
		(void)fprintf(stderr, "drawbridge %s: %s loosens the policy "
		    "in force, which stays; this waits for a second person\n",
		    p->o.name, p->o.policy);
	}
	policy_free(&policy);
	return rc;
}

/* All of it */

static enum rc
open_acks(struct playing *p, struct err *e)
{
	p->acks = -1;
	if (p->o.acks == NULL)
		return RC_OK;
	p->acks = strcmp(p->o.acks, "-") == 0 ? STDOUT_FILENO :
	    open(p->o.acks, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	if (p->acks == -1)
		return err_set(e, "%s: %s", p->o.acks, strerror(errno));
	return RC_OK;
}

static enum rc
begin(struct playing *p, struct err *e)
{
	const char	*path;
	enum rc		 rc;

	path = opened_url(p->o.db, p->path, sizeof(p->path));
	if (path == NULL)
		return err_set(e, "which database? give --db PATH or set "
		    "DRAWBRIDGE_DATA");
	if (path != p->path &&
	    snprintf(p->path, sizeof(p->path), "%s", path) >=
	    (int)sizeof(p->path))
		return err_set(e, "--db: the path is too long");
	if ((rc = record_new(&p->record, p->o.scenario, p->o.history, e)) !=
	    RC_OK)
		return rc;
	if (p->o.network_given &&
	    p->o.network != record_network(p->record))
		return err_set(e, "%s is of network %s, not %s",
		    p->o.scenario, network_text(record_network(p->record)),
		    network_text(p->o.network));
	if ((rc = open_acks(p, e)) != RC_OK ||
	    (rc = find_place(p, e)) != RC_OK ||
	    (rc = open_journal(p, e)) != RC_OK)
		return rc;
	return propose(p, e);
}

static enum rc
play(struct playing *p, struct err *e)
{
	int64_t	 start_ms = now_ms();
	enum rc	 rc;

	p->ro.batch = p->o.batch;
	p->ro.from = p->o.from;
	p->ro.by = text_of(p->o.as);
	p->ro.reason = text_of(p->o.reason);
	p->ro.progress = p->o.quiet ? NULL : on_play;
	p->ro.ctx = p;
	if (!p->o.quiet)
		progress_begin(&p->progress, p->o.history ? "importing" :
		    "recording", 1000);
	rc = record_play(p->record, p->journal, &p->ro, &p->said.counts, e);
	if (!p->o.quiet)
		progress_end(&p->progress);
	p->said.elapsed_ms = now_ms() - start_ms;
	return rc;
}

/* What the journal says of itself, and its end. */
static enum rc
finish(struct playing *p, struct err *e)
{
	struct db_stats	 stats;
	struct opened	 whole;
	struct head	 head;
	enum rc		 rc;

	if ((rc = journal_head(p->journal, &head, e)) != RC_OK)
		return rc;
	p->said.scenario = p->o.scenario;
	p->said.history = p->o.history;
	p->said.seq = head.seq;
	(void)head_format(p->said.head, &head);
	(void)sodium_bin2hex(p->said.policy_hash,
	    sizeof(p->said.policy_hash),
	    journal_state(p->journal)->policy_hash, 32);
	journal_stats(p->journal, &stats);
	p->said.commits = stats.appends;
	if ((rc = journal_close(&p->journal, e)) != RC_OK ||
	    (rc = opened_new(&whole, p->path, false, e)) != RC_OK)
		return rc;
	p->said.bytes = db_bytes(whole.db);
	opened_free(&whole);
	return RC_OK;
}

static enum rc
run(struct playing *p, struct err *e)
{
	struct err	 second;
	enum rc		 rc;

	if ((rc = begin(p, e)) == RC_OK && (rc = play(p, e)) == RC_OK &&
	    (rc = finish(p, e)) == RC_OK)
		rc = played_print(&p->said, p->o.json, e);
	if (rc == RC_OK && atomic_load(&p->acks_failed) != 0)
		rc = err_set(e, "%s: %s", p->o.acks,
		    strerror(atomic_load(&p->acks_failed)));
	/* The first reason is the one that is said. */
	if (p->journal != NULL && journal_close(&p->journal, &second) !=
	    RC_OK && rc == RC_OK) {
		*e = second;
		rc = RC_FAILED;
	}
	return rc;
}

int
playing(const char *name, bool history, int argc, char **argv)
{
	struct playing	*p = calloc(1, sizeof(*p));
	struct err	 e = { "" };
	int		 status = STATUS_DONE;

	if (p == NULL) {
		perror("drawbridge");
		return STATUS_FAILED;
	}
	p->acks = -1;
	p->o.name = name;
	p->o.history = history;
	if (options(&p->o, argc, argv, &e) != RC_OK) {
		if (e.text[0] != '\0')
			(void)fprintf(stderr, "drawbridge %s: %s\n", name,
			    e.text);
		status = usage(name);
	} else if (p->o.help) {
		status = help(name);
	} else if (run(p, &e) != RC_OK) {
		(void)fprintf(stderr, "drawbridge %s: %s\n", name, e.text);
		status = STATUS_FAILED;
	} else if (p->waits) {
		status = STATUS_WAITING;
	}
	record_free(&p->record);
	if (p->acks > STDERR_FILENO)
		(void)close(p->acks);
	free(p);
	return status;
}
