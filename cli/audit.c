/*
 * drawbridge audit: is a journal whole, what is its head, what stands in it.
 */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/audit.h"
#include "cli/commands.h"
#include "engine/history.h"
#include "engine/rebuild.h"
#include "lib/json.h"
#include "lib/term.h"

/* A log of heads for a century, one an hour. */
#define HEADS_FILE_MAX	((size_t)256 << 20)

enum {
	OPT_DB = 256,
	OPT_HEAD,
	OPT_DECISIONS,
	OPT_FROM,
	OPT_UNTIL,
	OPT_ACCOUNT,
	OPT_BY,
	OPT_PERSONAL,
	OPT_JSON,
	OPT_QUIET,
	OPT_HELP,
};

static const struct option longopts[] = {
	{ "db", required_argument, NULL, OPT_DB },
	{ "head", required_argument, NULL, OPT_HEAD },
	{ "decisions", no_argument, NULL, OPT_DECISIONS },
	{ "from", required_argument, NULL, OPT_FROM },
	{ "until", required_argument, NULL, OPT_UNTIL },
	{ "account", required_argument, NULL, OPT_ACCOUNT },
	{ "by", required_argument, NULL, OPT_BY },
	{ "personal", no_argument, NULL, OPT_PERSONAL },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "quiet", no_argument, NULL, OPT_QUIET },
	{ "help", no_argument, NULL, OPT_HELP },
	{ NULL, 0, NULL, 0 }
};

/* What may be asked of, and which options go with it. */
enum what { WHAT_VERIFY, WHAT_HEAD, WHAT_LOG, WHAT_ASKED, WHAT__COUNT };

#define BIT(opt)	(1u << ((opt) - OPT_DB))
#define EVERY		(BIT(OPT_DB) | BIT(OPT_JSON) | BIT(OPT_HELP))

static const struct {
	const char	*name;
	unsigned	 options;
} whats[WHAT__COUNT] = {
	[WHAT_VERIFY] = { "verify", EVERY | BIT(OPT_HEAD) |
	    BIT(OPT_DECISIONS) | BIT(OPT_FROM) | BIT(OPT_QUIET) },
	[WHAT_HEAD] = { "head", EVERY },
	[WHAT_ASKED] = { "asked", EVERY },
	[WHAT_LOG] = { "log", EVERY | BIT(OPT_FROM) | BIT(OPT_UNTIL) |
	    BIT(OPT_ACCOUNT) | BIT(OPT_BY) | BIT(OPT_PERSONAL) },
};

static const char *
option_name(int opt)
{
	size_t	 i;

	for (i = 0; longopts[i].name != NULL; i++)
		if (longopts[i].val == opt)
			return longopts[i].name;
	return "?";
}

static enum rc
event_number(uint64_t *out, const char *text, struct err *e)
{
	char	*end;

	errno = 0;
	*out = strtoull(text, &end, 10);
	if (errno != 0 || *text < '0' || *text > '9' || *end != '\0' ||
	    *out == 0 || *out > INT64_MAX)
		return err_set(e, "want the number of an event, from 1");
	return RC_OK;
}

static enum rc
option(struct audit *a, int opt, struct err *e)
{
	switch (opt) {
	case OPT_DB:
		a->db = optarg;
		return RC_OK;
	case OPT_HEAD:
		a->head = optarg;
		return RC_OK;
	case OPT_DECISIONS:
		a->decisions = true;
		return RC_OK;
	case OPT_FROM:
		return err_wrap(e, event_number(&a->from, optarg, e),
		    "--from");
	case OPT_UNTIL:
		return err_wrap(e, event_number(&a->until, optarg, e),
		    "--until");
	case OPT_ACCOUNT:
		a->account = optarg;
		return RC_OK;
	case OPT_BY:
		a->by = optarg;
		return RC_OK;
	case OPT_PERSONAL:
		a->personal = true;
		return RC_OK;
	case OPT_JSON:
		a->json = true;
		return RC_OK;
	case OPT_QUIET:
		a->quiet = true;
		return RC_OK;
	case OPT_HELP:
		a->help = true;
		return RC_OK;
	}
	/* getopt has said what is wrong. */
	return err_set(e, "%s", "");
}

static enum rc
options(struct audit *a, enum what *what, int argc, char **argv,
    struct err *e)
{
	unsigned	 given = 0;
	int		 opt;

	memset(a, 0, sizeof(*a));
	while ((opt = getopt_long(argc, argv, "", longopts, NULL)) != -1) {
		if (option(a, opt, e) != RC_OK)
			return RC_FAILED;
		given |= BIT(opt);
	}
	if (a->help)
		return RC_OK;
	if (optind == argc)
		return err_set(e, "what? `verify`, `head`, `asked` or `log`");
	for (*what = 0; *what < WHAT__COUNT; ++*what)
		if (strcmp(argv[optind], whats[*what].name) == 0)
			break;
	if (*what == WHAT__COUNT)
		return err_set(e, "no `%.40s`; there are `verify`, `head`, "
		    "`asked` and `log`", argv[optind]);
	if (optind + 1 < argc)
		return err_set(e, "`%s` takes no `%.40s`", whats[*what].name,
		    argv[optind + 1]);
	for (opt = OPT_DB; opt <= OPT_HELP; opt++)
		if ((given & BIT(opt) & ~whats[*what].options) != 0)
			return err_set(e, "--%s does not go with `%s`",
			    option_name(opt), whats[*what].name);
	return RC_OK;
}

/* Heads */

static enum rc
read_file(char **out, size_t *len_out, const char *path, struct err *e)
{
	FILE	*f = fopen(path, "re");
	char	*buf = NULL, *more;
	size_t	 room = 0, len = 0;

	if (f == NULL)
		return err_set(e, "%s", strerror(errno));
	do {
		if (len == room) {
			room = room * 2 + 4096;
			if (room > HEADS_FILE_MAX ||
			    (more = realloc(buf, room)) == NULL) {
				free(buf);
				(void)fclose(f);
				return err_set(e, "too long");
			}
			buf = more;
		}
		len += fread(buf + len, 1, room - len, f);
	} while (!feof(f) && !ferror(f));
	if (ferror(f)) {
		free(buf);
		(void)fclose(f);
		return err_set(e, "%s", strerror(errno));
	}
	(void)fclose(f);
	*out = buf;
	*len_out = len;
	return RC_OK;
}

static enum rc
heads_of(struct heads *out, const char *head, struct err *e)
{
	static const char	 word[] = "drawbridge-head-";
	char			*text = NULL;
	size_t			 len = 0;
	enum rc			 rc;

	memset(out, 0, sizeof(*out));
	if (head == NULL)
		return RC_OK;
	if (strncmp(head, word, strlen(word)) == 0)
		return err_wrap(e, heads_parse(out, head, strlen(head), e),
		    "--head");
	if ((rc = read_file(&text, &len, head, e)) == RC_OK)
		rc = heads_parse(out, text, len, e);
	free(text);
	return err_wrap(e, rc, "--head %s", head);
}

/* Verify */

struct verifying {
	struct heads	 heads;
	struct progress	 progress;
	bool		 quiet;
};

static void
on_row(void *ctx, const struct verify_row *r)
{
	struct verifying	*v = ctx;

	heads_row(&v->heads, r);
}

static void
on_progress(void *ctx, uint64_t done, uint64_t total)
{
	struct verifying	*v = ctx;

	v->progress.total = total;
	if (!v->quiet)
		progress_at(&v->progress, done);
}

static enum rc
again(struct rebuilt *out, struct opened *op, struct verifying *v,
    bool snapshots, uint64_t until, struct err *e)
{
	struct rebuild_options	 o = {
		.snapshots = snapshots,
		.until = until,
		.progress = on_progress,
		.ctx = v,
	};
	enum rc			 rc;

	if (!v->quiet)
		progress_begin(&v->progress, "deciding again", 0);
	rc = rebuild(out, op->db, op->keys, &o, e);
	if (!v->quiet)
		progress_end(&v->progress);
	return rc;
}

/*
 * Every event applied again.  After the first that can only be followed all
 * are; but what a snapshot of later covers can be judged on from there.
 */
static enum rc
decide_again(struct audit_decisions *out, struct opened *op,
    struct verifying *v, uint64_t until, struct err *e)
{
	struct rebuilt	 r;
	enum rc		 rc;

	if ((rc = again(&r, op, v, false, until, e)) != RC_OK)
		return rc;
	out->done = true;
	out->followed = r.followed;
	out->judged = r.seq - r.followed;
	rebuilt_free(&r);
	if (out->followed == 0)
		return RC_OK;
	if ((rc = again(&r, op, v, true, until, e)) != RC_OK)
		return rc;
	if (r.snapshot_seq > 0 && r.followed == 0 && r.seq > r.snapshot_seq) {
		out->tail_from = r.snapshot_seq + 1;
		out->judged += r.seq - r.snapshot_seq;
		out->followed -= r.seq - r.snapshot_seq;
	}
	rebuilt_free(&r);
	return RC_OK;
}

static void
say_wrong(const struct audit_report *r)
{
	const struct verified	*v = r->v;
	char			 name[VERIFY_NAME_MAX];

	(void)fprintf(stderr, "drawbridge audit: %s: %s: %s\n", r->path,
	    verified_name(name, v), v->why.text);
	if (v->seq == 0)
		(void)fputs("nothing before it is certain\n", stderr);
	else if (v->from <= 1)
		(void)fprintf(stderr, "everything up to event %ju is whole\n",
		    (uintmax_t)v->seq);
	else
		(void)fprintf(stderr, "events %ju to %ju are whole\n",
		    (uintmax_t)v->from, (uintmax_t)v->seq);
}

/* All heads that do not hold, as far as one can tell; how many. */
static int
say_heads(const struct audit_report *r, const struct audit *a)
{
	const struct heads	*h = r->heads;
	const struct heads_one	*one;
	struct err		 e;
	int			 bad = 0;

	for (one = h->list; one < h->list + h->n; one++) {
		if (one->state == HEADS_HOLDS ||
		    (one->state == HEADS_BEYOND && r->v->wrong))
			continue;
		bad++;
		if (bad > 3)
			continue;
		heads_why(one, r->v->seq, &e);
		(void)fprintf(stderr, "drawbridge audit: %s: ", r->path);
		if (h->n > 1)
			(void)fprintf(stderr, "%s:%d: ", a->head, one->line);
		(void)fprintf(stderr, "%s\n", e.text);
	}
	if (bad > 3)
		(void)fprintf(stderr, "and %d more heads that do not hold\n",
		    bad - 3);
	return bad;
}

static enum rc
verify_rows(struct verified *out, const struct audit *a, struct opened *op,
    struct verifying *v, struct err *e)
{
	const struct verify_options	 o = {
		.from = a->from,
		.on_row = on_row,
		.progress = on_progress,
		.ctx = v,
	};
	enum rc				 rc;

	v->quiet = a->quiet;
	if (!v->quiet)
		progress_begin(&v->progress, "checking", 0);
	rc = verify(out, op->db, op->keys, &o, e);
	if (!v->quiet)
		progress_end(&v->progress);
	if (rc == RC_OK && out->has_genesis)
		heads_settle(&v->heads, &out->genesis);
	if (rc == RC_OK && out->rows == 0 && !out->wrong)
		return err_set(e, "%s: the journal has no rows",
		    db_url(op->db));
	return rc;
}

static enum rc
report(const struct audit *a, const struct audit_report *r, struct err *e)
{
	if (a->json)
		return audit_json(r, stdout, e);
	if (!a->quiet && !r->v->wrong)
		audit_text(r, stdout);
	return RC_OK;
}

static enum rc
verify_opened(const struct audit *a, struct opened *op, bool *good_out,
    struct err *e)
{
	struct verified		 found;
	struct verifying	 v;
	struct audit_report	 r = {
		.path = db_url(op->db),
		.v = &found,
		.heads = &v.heads,
	};
	struct err		 differs = { "" };
	enum rc			 rc;

	memset(&v, 0, sizeof(v));
	if ((rc = heads_of(&v.heads, a->head, e)) != RC_OK ||
	    (rc = verify_rows(&found, a, op, &v, e)) != RC_OK) {
		heads_free(&v.heads);
		return rc;
	}
	*good_out = !found.wrong;
	if (a->decisions && *good_out && decide_again(&r.decisions, op, &v,
	    found.seq, &differs) != RC_OK)
		*good_out = false;
	if ((rc = report(a, &r, e)) == RC_OK) {
		(void)fflush(stdout);
		if (found.wrong)
			say_wrong(&r);
		if (differs.text[0] != '\0')
			(void)fprintf(stderr, "drawbridge audit: %s: %s\n",
			    r.path, differs.text);
		if (say_heads(&r, a) > 0)
			*good_out = false;
	}
	heads_free(&v.heads);
	return rc;
}

/* Head */

/* The last row, and the time that it has come to. */
static enum rc
last_row(struct opened *op, struct head *out, struct err *e)
{
	struct history		*h = NULL;
	struct history_row	 row;
	struct history_event	 ev;
	uint64_t		 last;
	bool			 more = true, any = false;
	enum rc			 rc;

	if ((rc = db_last(op->db, &last, e)) != RC_OK)
		return rc;
	if (last == 0)
		return err_set(e, "the journal has no rows");
	if ((rc = history_new(&h, op->db, op->keys, e)) != RC_OK)
		return rc;
	rc = history_seek(h, last, e);
	while (rc == RC_OK &&
	    (rc = history_row(h, &row, &more, e)) == RC_OK && more) {
		any = true;
		out->seq = row.head.seq + row.head.events - 1;
		out->t_ms = row.head.t_ms;
		memcpy(out->hash, row.hash, sizeof(out->hash));
		while ((rc = history_event(h, &ev, &more, e)) == RC_OK && more)
			if (ev.c.t_ms > out->t_ms)
				out->t_ms = ev.c.t_ms;
	}
	history_free(&h);
	if (rc == RC_OK && !any)
		return err_set(e, "the journal has no rows");
	return rc;
}

static void
head_json(const struct head *h, const char *text)
{
	struct json	 j;
	char		 hash[2 * ROW_HASH_LEN + 1];
	size_t		 i;

	for (i = 0; i < sizeof(h->hash); i++)
		(void)snprintf(hash + 2 * i, 3, "%02x", h->hash[i]);
	json_to_file(&j, stdout, true);
	json_open_object(&j, NULL);
	json_put_uint(&j, "seq", h->seq);
	json_put_int(&j, "t", h->t_ms);
	json_put_text(&j, "hash", hash);
	json_put_text(&j, "head", text);
	json_close(&j);
	/* What could not be written main() tells. */
	if (json_end(&j) != RC_OK)
		return;
}

static enum rc
print_head(const struct audit *a, struct opened *op, struct err *e)
{
	struct head	 h;
	char		 text[HEAD_TEXT_MAX];
	enum rc		 rc;

	memset(&h, 0, sizeof(h));
	if ((rc = last_row(op, &h, e)) != RC_OK)
		return err_wrap(e, rc, "%s", db_url(op->db));
	memcpy(h.deployment, keyring_secrets(op->keys)->deployment,
	    sizeof(h.deployment));
	head_sign(&h, op->keys);
	(void)head_format(text, &h);
	if (a->json)
		head_json(&h, text);
	else
		(void)puts(text);
	return RC_OK;
}

static enum rc
run(const struct audit *a, enum what what, bool *good_out, struct err *e)
{
	struct opened	 op;
	bool		 keys = what == WHAT_HEAD || a->decisions;
	enum rc		 rc;

	*good_out = true;
	if ((rc = opened_new(&op, a->db, keys, e)) != RC_OK)
		return rc;
	switch (what) {
	case WHAT_VERIFY:
		rc = verify_opened(a, &op, good_out, e);
		break;
	case WHAT_HEAD:
		rc = print_head(a, &op, e);
		break;
	case WHAT_ASKED:
		rc = audit_asked(a, &op, good_out, e);
		break;
	case WHAT_LOG:
		rc = audit_log(a, &op, e);
		break;
	case WHAT__COUNT:
		break;
	}
	opened_free(&op);
	return rc;
}

int
cmd_audit(int argc, char **argv)
{
	struct audit	 a;
	enum what	 what = WHAT_VERIFY;
	struct err	 e = { "" };
	bool		 good;

	if (options(&a, &what, argc, argv, &e) != RC_OK) {
		if (e.text[0] != '\0')
			(void)fprintf(stderr, "drawbridge audit: %s\n",
			    e.text);
		return usage("audit");
	}
	if (a.help)
		return help("audit");
	if (run(&a, what, &good, &e) != RC_OK) {
		(void)fprintf(stderr, "drawbridge audit: %s\n", e.text);
		return STATUS_FAILED;
	}
	return good ? STATUS_DONE : STATUS_FAILED;
}
