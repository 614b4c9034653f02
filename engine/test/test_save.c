/*
 * A state that was saved and loaded again goes on as if nothing had
 * happened; what does not fit is refused with a reason.
 */
#include "engine/inner.h"
#include "engine/test/play.h"

#define STEPS	3000

/* Bytes in memory, as a file would be. */
struct tape {
	unsigned char	*bytes;
	size_t		 len, max;
	size_t		 at;		/* read so far */
	size_t		 fail_at;	/* writing or reading; 0: never */
};

static enum rc
tape_write(void *ctx, const void *bytes, size_t len, struct err *e)
{
	struct tape	*t = ctx;

	if (t->fail_at != 0 && t->len + len > t->fail_at)
		return err_set(e, "the tape is full");
	if (t->len + len > t->max) {
		t->max = (t->len + len) * 2;
		t->bytes = realloc(t->bytes, t->max);
	}
	memcpy(t->bytes + t->len, bytes, len);
	t->len += len;
	return RC_OK;
}

static enum rc
tape_read(void *ctx, void *bytes, size_t len, struct err *e)
{
	struct tape	*t = ctx;

	if (t->at + len > t->len ||
	    (t->fail_at != 0 && t->at + len > t->fail_at))
		return err_set(e, "the tape ends");
	memcpy(bytes, t->bytes + t->at, len);
	t->at += len;
	return RC_OK;
}

static bool
same_hash(const struct engine *a, const struct engine *b)
{
	unsigned char	 ha[32], hb[32];

	engine_state_hash(a, ha);
	engine_state_hash(b, hb);
	return memcmp(ha, hb, sizeof(ha)) == 0;
}

static bool
same_outcomes(const struct rig *a, const struct rig *b)
{
	struct outcome	 x, y;
	size_t		 i;

	if (a->n_out != b->n_out)
		return false;
	for (i = 0; i < a->n_out; i++) {
		x = a->out[i];
		y = b->out[i];
		if ((x.joined == NULL) != (y.joined == NULL))
			return false;
		x.joined = y.joined = NULL;
		x.env = y.env = NULL;
		if (memcmp(&x, &y, sizeof(x)) != 0)
			return false;
	}
	return true;
}

static struct rig *
begin(const char *text, struct play *p, uint64_t seed)
{
	struct rig	*r = rig_new(text, 1, false);
	struct input	 in;
	int		 i;

	for (i = 0; play_begin(p, r, seed, i, &in); i++)
		rig_apply(r, &in);
	return r;
}

/* Save `from` and load it into `to`. */
static void
copy(const struct rig *from, struct rig *to)
{
	struct tape	 t = { 0 };
	unsigned char	 saved[32], loaded[32], now[32];
	struct err	 e = { "" };

	CHECK(engine_save(from->engine, tape_write, &t, saved, &e) == RC_OK);
	CHECK_STR(e.text, "");
	CHECK(engine_load(to->engine, tape_read, &t, loaded, &e) == RC_OK);
	CHECK_STR(e.text, "");
	CHECK(t.at == t.len);
	engine_state_hash(from->engine, now);
	CHECK(memcmp(now, saved, sizeof(now)) == 0);
	CHECK(memcmp(now, loaded, sizeof(now)) == 0);
	CHECK(same_hash(from->engine, to->engine));
	free(t.bytes);
}

/* Else the rings of taint are all empty, and nothing of them is tested. */
static bool
tainted(const struct engine *e)
{
	int		 i;

	for (i = 0; i < e->p->n_rules; i++)
		if (e->taint[i].last > 0)
			return true;
	return false;
}

/* Now and then the second engine is made anew from the first. */
static void
goes_on(const char *text, uint64_t seed, bool receipts, bool other_size)
{
	struct play	 p;
	struct rig	*a = begin(text, &p, seed), *b;
	struct rng	 when = { seed + 99 };
	struct input	 in;
	int		 i, copies = 0;

	a->engine->cfg.receipt_at_release = receipts;
	b = rig_new(text, 1, other_size);
	b->engine->cfg.receipt_at_release = receipts;
	copy(a, b);
	for (i = 0; i < STEPS && check_case_failed < 5; i++) {
		in = play_step(&p, a);
		rig_apply(a, &in);
		rig_apply(b, &in);
		CHECK(same_outcomes(a, b));
		if (rng_below(&when, 150) == 0) {
			CHECK(same_hash(a->engine, b->engine));
			rig_free(b);
			b = rig_new(text, 1, other_size);
			b->engine->cfg.receipt_at_release = receipts;
			copy(a, b);
			copies++;
		}
	}
	CHECK(copies > 5);
	CHECK(tainted(a->engine));
	CHECK(same_hash(a->engine, b->engine));
	rig_free(a);
	rig_free(b);
}

static struct tape
full_tape(struct rig **from)
{
	struct play	 p;
	struct input	 in;
	struct tape	 t = { 0 };
	unsigned char	 hash[32];
	int		 i;

	*from = begin(PLAY_POLICY, &p, 5);
	for (i = 0; i < 500; i++) {
		in = play_step(&p, *from);
		rig_apply(*from, &in);
	}
	CHECK(engine_save((*from)->engine, tape_write, &t, hash, NULL) ==
	    RC_OK);
	return t;
}

/* The reason why this engine does not take that tape; frees the engine. */
static const char *
refusal(struct rig *r, struct tape *t)
{
	static struct err e;
	unsigned char	 hash[32];

	t->at = 0;
	CHECK(engine_load(r->engine, tape_read, t, hash, &e) == RC_FAILED);
	rig_free(r);
	return e.text;
}

/* The same engine with room for fewer accounts. */
static void
tighten(struct rig *r, size_t accounts)
{
	struct engine_config c = r->engine->cfg;

	c.accounts = accounts;
	engine_free(&r->engine);
	CHECK(engine_new(&r->engine, r->program, &c, NULL) == RC_OK);
}

static void
refusals(void)
{
	struct rig	*from, *r;
	struct tape	 t = full_tape(&from), small = { 0 };
	unsigned char	 hash[32];
	struct err	 e;
	size_t		 i;

	CHECK_STR(refusal(rig_new("policy 1\ndefault deny\n", 1,
	    false), &t), "the engine's state: it belongs to another policy");
	CHECK_STR(refusal(rig_new(PLAY_POLICY, 2, false), &t),
	    "the engine's state: it was made with other keys of ids");
	t.bytes[8]++;
	CHECK_STR(refusal(rig_new(PLAY_POLICY, 1, false), &t),
	    "the engine's state: it is of layout 2, this program knows "
	    "layout 1");
	t.bytes[8]--;
	t.bytes[0]++;
	CHECK_STR(refusal(rig_new(PLAY_POLICY, 1, false), &t),
	    "the engine's state: these are not the bytes of a state");
	t.bytes[0]--;
	r = rig_new(PLAY_POLICY, 1, false);
	tighten(r, 7);
	CHECK_STR(refusal(r, &t),
	    "the engine's state: accounts: 25 of them, and there is room "
	    "for 7");
	for (i = 1; i < t.len; i += t.len / 50 + 1) {
		t.fail_at = i;
		CHECK_STR(refusal(rig_new(PLAY_POLICY, 1, false), &t),
		    "the engine's state: the tape ends");
		small.len = 0;
		small.fail_at = i;
		CHECK(engine_save(from->engine, tape_write, &small, hash,
		    &e) == RC_FAILED);
		CHECK_STR(e.text, "the engine's state: the tape is full");
	}
	free(small.bytes);
	free(t.bytes);
	rig_free(from);
}

/* Whatever a bit of the state is, the hash sees it; the head and the table
 * are looked at, and nothing makes a load go astray. */
static void
bits(void)
{
	struct rig	*from, *r;
	struct tape	 t = full_tape(&from);
	unsigned char	 good[32], hash[32];
	size_t		 i, caught = 0, refused = 0, tried = 0;

	engine_state_hash(from->engine, good);
	for (i = 0; i < t.len; i += i < 3000 ? 23 : t.len / 150, tried++) {
		t.bytes[i] ^= 1 << i % 8;
		r = rig_new(PLAY_POLICY, 1, false);
		t.at = 0;
		if (engine_load(r->engine, tape_read, &t, hash, NULL) !=
		    RC_OK)
			refused++;
		else if (memcmp(good, hash, sizeof(hash)) != 0)
			caught++;
		rig_free(r);
		t.bytes[i] ^= 1 << i % 8;
	}
	CHECK(refused > 50);
	CHECK(caught > 20);
	/* The rest are slots of indexes: no state, but authentic. */
	CHECK(caught + refused > tried * 6 / 10);
	free(t.bytes);
	rig_free(from);
}

int
main(void)
{
	uint64_t	 seed;

	check_case("saved, loaded and gone on with: no difference");
	for (seed = 0; seed < 4; seed++)
		goes_on(PLAY_POLICY, seed, true, false);
	check_case("the same with receipts apart");
	for (seed = 0; seed < 2; seed++)
		goes_on(PLAY_POLICY, seed, false, false);
	check_case("what does not fit is refused with a reason");
	refusals();
	check_case("a changed bit is refused or changes the hash");
	bits();
	return check_done();
}
