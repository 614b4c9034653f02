/*
 * Every change to a row is found, and found at that row: every single bit of
 * every row of a small journal, every other length, every row in every other
 * one's place.
 */
#define _GNU_SOURCE		/* nftw */
#include "engine/verify.h"

#include <ftw.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "engine/heads.h"
#include "engine/journal.h"
#include "tests/check.h"

#define ROWS_MAX	128
#define T0		INT64_C(1772300000000)	/* 2026-02-28 17:33:20 UTC */
#define HOUR		INT64_C(3600000)

struct row {
	uint64_t	 seq;
	unsigned char	*bytes;
	size_t		 len;
	struct verified	 before;	/* what was found up to here */
};

struct rows {
	struct row	 list[ROWS_MAX];
	size_t		 n;
	char		 folder[64];
	char		 path[128];
	struct keyring	*keys;
	struct verifier	*v;
	struct verified	 all;
};

static void
must(enum rc rc, const struct err *e)
{
	if (rc == RC_OK)
		return;
	printf("not ok set up: %s\n", e->text);
	exit(1);
}

/* Making one */

static void
ignore(void *ctx, const struct outcome *o)
{
	(void)ctx;
	(void)o;
}

static void
take(struct journal *j, const struct command *c)
{
	const struct engine_sink sink = { ignore, NULL };
	struct err	 e;
	uint64_t	 seq;

	must(journal_take(j, c, &sink, &seq, &e), &e);
}

static void
withdraw(struct journal *j, int64_t t_ms, int n)
{
	static const unsigned char script[22] = { 0, 20, 7 };
	struct command	 c;
	char		 id[16];

	command_clear(&c, COMMAND_WITHDRAW, t_ms);
	(void)snprintf(id, sizeof(id), "w-%d", n);
	c.id = text_of(id);
	c.account = text_of("alice");
	c.script.p = (const char *)script;
	c.script.len = sizeof(script);
	c.amount_sat = INT64_C(10000000) * n;
	c.via = VIA_WEB;
	c.has_ip = n % 3 != 0;
	memset(c.ip, 0, 10);
	c.ip[10] = c.ip[11] = 0xff;
	c.ip[12] = 10;
	c.ip[15] = (unsigned char)n;
	take(j, &c);
}

static void
play(struct journal *j)
{
	struct command	 c;
	struct err	 e;
	int		 i;

	command_clear(&c, COMMAND_ACCOUNT, T0 + 1);
	c.account = text_of("alice");
	take(j, &c);
	command_clear(&c, COMMAND_HOT_BALANCE, T0 + 2);
	c.amount_sat = INT64_C(10000000000);
	take(j, &c);
	must(journal_commit(j, &e), &e);
	for (i = 1; i <= 96; i++) {
		withdraw(j, T0 + i * HOUR / 2, i);
		if (i % 3 == 0)
			must(journal_commit(j, &e), &e);
	}
	command_clear(&c, COMMAND_HALT, T0 + 60 * HOUR);
	c.by = text_of("bob");
	c.reason = text_of("a drill");
	take(j, &c);
	must(journal_commit(j, &e), &e);
}

static void
make_journal(struct rows *r)
{
	struct journal_config	 cfg = { .url = r->path, .create = true,
		.t_ms = T0 };
	struct journal		*j = NULL;
	char			 policy[128];
	struct err		 e;
	FILE			*f;

	(void)snprintf(policy, sizeof(policy), "%s/p", r->folder);
	if ((f = fopen(policy, "w")) == NULL)
		exit(1);
	(void)fputs("policy 1\ndefault allow\n"
	    "delay 1h \"much\" when sum asked by account in 24h > 2 btc\n"
	    "hold \"more\" when amount > 3 btc\n", f);
	(void)fclose(f);
	cfg.policy_path = policy;
	must(journal_open(&j, &cfg, &e), &e);
	play(j);
	must(journal_close(&j, &e), &e);
}

/* All rows, each with what was found before it. */
static void
read_rows(struct rows *r)
{
	const unsigned char	*bytes;
	struct verified		 found;
	struct verify_row	 vr;
	struct row		*row;
	struct db		*db = NULL;
	struct err		 e;

	memset(&found, 0, sizeof(found));
	found.from = 1;
	must(db_open(&db, r->path, DB_READ, &e), &e);
	must(keyring_open(&r->keys, db_keyring_path(db), true, &e), &e);
	must(verifier_new(&r->v, r->keys, &e), &e);
	must(db_walk(db, 1, &e), &e);
	for (;;) {
		row = &r->list[r->n];
		must(db_next(db, &row->seq, &bytes, &row->len, &e), &e);
		if (bytes == NULL)
			break;
		row->bytes = malloc(row->len + 1);
		memcpy(row->bytes, bytes, row->len);
		row->before = found;
		must(verifier_row(r->v, &vr, row->seq, bytes, row->len,
		    found.seq + 1, found.hash, &e), &e);
		must(verified_row(&found, &vr, &e), &e);
		if (++r->n == ROWS_MAX)
			exit(1);
	}
	r->all = found;
	db_close(&db);
}

static void
make(struct rows *r)
{
	memset(r, 0, sizeof(*r));
	(void)snprintf(r->folder, sizeof(r->folder), "/tmp/verify-XXXXXX");
	if (mkdtemp(r->folder) == NULL)
		exit(1);
	(void)snprintf(r->path, sizeof(r->path), "%s/j", r->folder);
	make_journal(r);
	read_rows(r);
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path);
}

static void
unmake(struct rows *r)
{
	size_t	 i;

	for (i = 0; i < r->n; i++)
		free(r->list[i].bytes);
	verifier_free(&r->v);
	keyring_free(&r->keys);
	if (nftw(r->folder, remove_one, 16, FTW_DEPTH | FTW_PHYS) != 0)
		printf("# %s is left\n", r->folder);
}

/* Is it taken in the place of row i? */
static bool
stands(struct rows *r, size_t i, uint64_t seq, const unsigned char *bytes,
    size_t len)
{
	struct verified		 s = r->list[i].before;
	struct verify_row	 vr;
	struct err		 e;

	return verifier_row(r->v, &vr, seq, bytes, len, s.seq + 1, s.hash,
	    &e) == RC_OK && verified_row(&s, &vr, &e) == RC_OK;
}

/* Asking */

static void
test_whole(struct rows *r)
{
	size_t	 i, good = 0;

	check_case("what was written stands");
	CHECK(r->n >= 30);
	CHECK(r->all.policies == 1 && r->all.has_genesis);
	CHECK(r->all.sealed_rows > 8 && r->all.unread_rows == 0);
	for (i = 0; i < r->n; i++)
		good += stands(r, i, r->list[i].seq, r->list[i].bytes,
		    r->list[i].len);
	CHECK_INT(good, r->n);
}

static void
test_bits(struct rows *r)
{
	struct row	*row;
	size_t		 i, bit, bits = 0, missed = 0;

	check_case("every bit of every row");
	for (i = 0; i < r->n; i++) {
		row = &r->list[i];
		for (bit = 0; bit < row->len * 8; bit++, bits++) {
			row->bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
			missed += stands(r, i, row->seq, row->bytes,
			    row->len);
			row->bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
		}
	}
	printf("# %zu bits in %zu rows\n", bits, r->n);
	CHECK(bits > 100000);
	CHECK_INT(missed, 0);
}

static void
test_lengths(struct rows *r)
{
	struct row	*row;
	size_t		 i, len, missed = 0;

	check_case("every other length");
	for (i = 0; i < r->n; i++) {
		row = &r->list[i];
		row->bytes[row->len] = 0;
		for (len = 0; len <= row->len + 1; len++)
			if (len != row->len)
				missed += stands(r, i, row->seq, row->bytes,
				    len);
	}
	CHECK_INT(missed, 0);
}

static void
test_places(struct rows *r, struct rows *other)
{
	size_t	 i, k, missed = 0, foreign = 0, numbers = 0;

	check_case("every row in every other one's place");
	for (i = 0; i < r->n; i++) {
		for (k = 0; k < r->n; k++) {
			if (k == i)
				continue;
			missed += stands(r, i, r->list[i].seq,
			    r->list[k].bytes, r->list[k].len);
			missed += stands(r, i, r->list[k].seq,
			    r->list[k].bytes, r->list[k].len);
		}
		for (k = 0; k < other->n; k++)
			foreign += stands(r, i, r->list[i].seq,
			    other->list[k].bytes, other->list[k].len);
		for (k = 0; k < 4; k++)
			if (k != 1)
				numbers += stands(r, i, r->list[i].seq + k -
				    1, r->list[i].bytes, r->list[i].len);
	}
	CHECK_INT(missed, 0);
	check_case("every row of another journal in every place");
	CHECK_INT(foreign, 0);
	check_case("a row under another number");
	CHECK_INT(numbers, 0);
}

/* The whole way, with threads: the same is found, at the same row. */
static void
test_threads(struct rows *r)
{
	struct verify_options	 o = { .threads = 0 };
	struct verified		 found;
	struct db		*db = NULL;
	struct err		 e;

	check_case("all at once, on one thread and on many");
	must(db_open(&db, r->path, DB_READ, &e), &e);
	for (o.threads = 1; o.threads <= 20; o.threads += 6) {
		must(verify(&found, db, r->keys, &o, &e), &e);
		CHECK(!found.wrong);
		CHECK_INT(found.rows, r->all.rows);
		CHECK_INT(found.seq, r->all.seq);
		CHECK(memcmp(found.hash, r->all.hash, 32) == 0);
	}
	check_case("from the middle on");
	o.from = r->list[5].seq + 1;
	must(verify(&found, db, r->keys, &o, &e), &e);
	CHECK(!found.wrong);
	CHECK_INT(found.from, r->list[5].seq);
	CHECK_INT(found.rows, r->n - 5);
	CHECK_INT(found.seq, r->all.seq);
	check_case("without a keyring");
	o.from = 0;
	must(verify(&found, db, NULL, &o, &e), &e);
	CHECK(!found.wrong);
	CHECK_INT(found.unread_rows, r->all.sealed_rows);
	db_close(&db);
}

static void
test_heads(struct rows *r)
{
	struct heads		 h;
	struct verify_row	 vr;
	struct head		 head;
	struct err		 e;
	char			 text[HEAD_TEXT_MAX];
	size_t			 i;

	check_case("a head");
	memset(&head, 0, sizeof(head));
	memcpy(head.deployment, r->all.genesis.deployment, 16);
	head.seq = r->all.seq;
	head.t_ms = r->all.t_ms;
	memcpy(head.hash, r->all.hash, 32);
	head_sign(&head, r->keys);
	(void)head_format(text, &head);
	for (i = 0; i < 2; i++) {
		must(heads_parse(&h, text, strlen(text), &e), &e);
		memset(&vr, 0, sizeof(vr));
		vr.head.seq = r->list[r->n - 1].seq;
		vr.head.events = (uint32_t)(r->all.seq - vr.head.seq + 1);
		memcpy(vr.hash, r->all.hash, 32);
		vr.hash[7] ^= (unsigned char)i;
		heads_row(&h, &vr);
		heads_settle(&h, &r->all.genesis);
		CHECK_INT(h.list[0].state, i == 0 ? HEADS_HOLDS :
		    HEADS_DIFFERS);
		heads_free(&h);
	}
	check_case("a head whose signature is of another key");
	head.signature[3] ^= 1;
	must(heads_parse(&h, head_format(text, &head), strlen(text), &e), &e);
	heads_settle(&h, &r->all.genesis);
	CHECK_INT(h.list[0].state, HEADS_FORGED);
	heads_free(&h);
}

/* After the last one: the keys of its first month go. */
static void
test_forgotten(struct rows *r)
{
	struct verify_row	 vr;
	struct err		 e;
	struct row		*row;
	size_t			 i, bit, missed = 0, gone = 0;
	int			 n;

	check_case("what was forgotten stands, and its every bit is found");
	must(keyring_destroy_before(r->keys, row_month(T0) + 1, &n, &e), &e);
	CHECK_INT(n, 1);
	for (i = 0; i < r->n; i++) {
		row = &r->list[i];
		CHECK(stands(r, i, row->seq, row->bytes, row->len));
		must(verifier_row(r->v, &vr, row->seq, row->bytes, row->len,
		    row->before.seq + 1, row->before.hash, &e), &e);
		gone += vr.forgotten;
		for (bit = 0; vr.forgotten && bit < row->len * 8; bit++) {
			row->bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
			missed += stands(r, i, row->seq, row->bytes,
			    row->len);
			row->bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
		}
	}
	CHECK(gone > 0 && gone < r->all.sealed_rows);
	CHECK_INT(missed, 0);
}

int
main(void)
{
	static struct rows	 r, other;

	if (sodium_init() == -1)
		return 1;
	make(&r);
	make(&other);
	test_whole(&r);
	test_bits(&r);
	test_lengths(&r);
	test_places(&r, &other);
	test_threads(&r);
	test_heads(&r);
	test_forgotten(&r);
	unmake(&r);
	unmake(&other);
	return check_done();
}
