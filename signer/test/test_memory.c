/*
 * What was signed is known for ever, exactly, and growing is the only thing
 * that can fail.
 */
#include <sodium.h>

#define HOSTILE_ALLOC
#include "bitcoin/test/hostile.h"
#include "signer/test/coins.h"

static void
test_carriers(void)
{
	static const struct trial t1 = { 1, { { 1000, 0 } }, 1,
	    { "w1", "x2" }, 2 };
	static const struct trial t2 = { 2, { { 1000, 0 }, { 1001, 7 } }, 2,
	    { "w1" }, 1 };
	struct memory	*m = coins_memory();
	const struct memory_id *id;
	const struct memory_tx *t;
	struct outpoint	 o;
	size_t		 link = 0;
	unsigned char	 txid[32];

	check_case("memory: who carries an id, the newest first");
	CHECK(memory_find_id(m, text_of("w1")) == NULL);
	coins_txid(txid, 1);
	CHECK(memory_find_tx(m, txid) == NULL);
	coins_sign(m, &t1);
	coins_sign(m, &t2);
	CHECK_INT(memory_n_tx(m), 2);
	id = memory_find_id(m, text_of("w1"));
	CHECK(id != NULL && !id->burned && !id->written_off);
	CHECK(id != NULL && id->commitment[0] == 0xcc);
	CHECK_INT(memory_next_carrier(m, id, &link), 1);
	CHECK_INT(memory_next_carrier(m, id, &link), 0);
	CHECK_INT(memory_next_carrier(m, id, &link), UINT32_MAX);
	CHECK_INT(memory_next_carrier(m, id, &link), UINT32_MAX);
	id = memory_find_id(m, text_of("x2"));
	link = 0;
	CHECK_INT(memory_next_carrier(m, id, &link), 0);
	CHECK_INT(memory_next_carrier(m, id, &link), UINT32_MAX);
	t = memory_find_tx(m, txid);
	CHECK(t == memory_tx_at(m, 0));
	CHECK_INT(memory_tx_number(m, t), 0);
	t = memory_tx_at(m, 1);
	CHECK_INT(t->seq, 2);
	CHECK_INT(t->n_in, 2);
	o = coins_outpoint((struct coin){ 1001, 7 });
	CHECK(outpoint_equal(&memory_in(m, t)[1], &o));
	memory_free(&m);
	CHECK(m == NULL);
	memory_free(&m);
}

static void
test_same_again(void)
{
	static const struct trial t = { 1, { { 1000, 0 } }, 1, { "w1" }, 1 };
	static const struct trial more = { 1, { { 1000, 0 } }, 1,
	    { "w1", "x2" }, 2 };
	struct memory	*m = coins_memory();
	size_t		 link = 0;

	check_case("memory: the same transaction again is not another");
	coins_sign(m, &t);
	coins_sign(m, &more);
	CHECK_INT(memory_n_tx(m), 1);
	CHECK_INT(memory_next_carrier(m, memory_find_id(m, text_of("w1")),
	    &link), 0);
	CHECK_INT(memory_next_carrier(m, memory_find_id(m, text_of("w1")),
	    &link), UINT32_MAX);
	link = 0;
	CHECK_INT(memory_next_carrier(m, memory_find_id(m, text_of("x2")),
	    &link), 0);
	memory_free(&m);
}

static void
test_burned(void)
{
	struct memory	*m = coins_memory();
	const struct memory_id *id;
	struct record	 rec;

	check_case("C1: a burned id stays burned");
	memset(&rec, 0, sizeof(rec));
	rec.kind = RECORD_BURNED;
	rec.id = text_of("w1");
	memset(rec.commitment, 0xb1, 32);
	coins_add(m, &rec);
	id = memory_find_id(m, text_of("w1"));
	CHECK(id != NULL && id->burned && id->commitment[31] == 0xb1);
	CHECK(id != NULL && id->first == UINT32_MAX);
	coins_write_off(m, "w1", (struct coin){ 1000, 0 }, 9);
	id = memory_find_id(m, text_of("w1"));
	CHECK(id->burned && id->written_off);
	memory_free(&m);
}

static void
test_floor(void)
{
	static const struct trial t = { 1, { { 1000, 0 } }, 1, { "w1" }, 1 };
	struct memory	*m = coins_memory();
	const struct memory_id *id;

	check_case("C4: written off without having been seen, it is known");
	CHECK(memory_find_id(m, text_of("w1")) == NULL);
	coins_write_off(m, "w1", (struct coin){ 1000, 0 }, 9);
	id = memory_find_id(m, text_of("w1"));
	CHECK(id != NULL && id->written_off && !id->burned);
	CHECK(id != NULL && sodium_is_zero(id->commitment, 32));
	check_case("C4: and is bound to what is signed next");
	coins_sign(m, &t);
	id = memory_find_id(m, text_of("w1"));
	CHECK(id != NULL && id->commitment[0] == 0xcc && id->first == 0);
	memory_free(&m);
}

/* The first commitment stays. */
static void
test_commitment(void)
{
	static const struct trial t = { 1, { { 1000, 0 } }, 1, { "w1" }, 1 };
	struct memory	*m = coins_memory();
	struct record	 rec;

	check_case("memory: bound at first sight, and never otherwise");
	coins_sign(m, &t);
	memset(&rec, 0, sizeof(rec));
	rec.kind = RECORD_BURNED;
	rec.id = text_of("w1");
	memset(rec.commitment, 0xdd, 32);
	coins_add(m, &rec);
	CHECK(memory_find_id(m, text_of("w1"))->commitment[0] == 0xcc);
	memory_free(&m);
}

static void
test_seq(void)
{
	static const struct trial t1 = { 1, { { 1000, 0 } }, 1,
	    { "w1" }, 1 };
	static const struct trial t2 = { 2, { { 1000, 0 } }, 1,
	    { "w2" }, 1 };
	struct memory	*m = coins_memory();

	check_case("H5: a receipt's sequence belongs to its first id");
	CHECK(!memory_seq_taken(m, 'w', text_of("w1")));
	coins_sign(m, &t1);
	CHECK(!memory_seq_taken(m, 'w', text_of("w1")));
	CHECK(memory_seq_taken(m, 'w', text_of("w2")));
	CHECK(!memory_seq_taken(m, 'x', text_of("w2")));
	coins_sign(m, &t2);
	CHECK(!memory_seq_taken(m, 'w', text_of("w1")));
	CHECK(memory_seq_taken(m, 'w', text_of("w2")));
	memory_free(&m);
}

static void
test_change(void)
{
	static const struct record_change change[2] = {
		{ 1, 5000, 1, 17 }, { 3, 6000, 2, 0 },
	};
	struct memory	*m = coins_memory();
	const struct record_change *c;
	struct outpoint	 o = { { 0 }, 1 };
	struct record	 rec;

	check_case("H9: change of ours is known with its amount and index");
	memset(&rec, 0, sizeof(rec));
	rec.kind = RECORD_SIGNED;
	coins_txid(rec.txid, 5);
	rec.in = &o;
	rec.n_in = 1;
	rec.change = change;
	rec.n_change = 2;
	coins_add(m, &rec);
	o = coins_outpoint((struct coin){ 5, 1 });
	c = memory_change(m, &o);
	CHECK(c != NULL && c->amount_sat == 5000 && c->branch == 1 &&
	    c->index == 17);
	o.vout = 3;
	c = memory_change(m, &o);
	CHECK(c != NULL && c->amount_sat == 6000 && c->branch == 2);
	o.vout = 0;
	CHECK(memory_change(m, &o) == NULL);
	o = coins_outpoint((struct coin){ 6, 1 });
	CHECK(memory_change(m, &o) == NULL);
	memory_free(&m);
}

/* Many, against what they were made from. */
static void
test_many(void)
{
	struct memory	*m = coins_memory();
	struct record_id id;
	struct record	 rec;
	struct outpoint	 in;
	const struct memory_tx *t;
	const struct memory_id *known;
	char		 name[32];
	unsigned	 i, wrong = 0;
	size_t		 link;

	check_case("memory: 50000 transactions, each found again");
	memset(&rec, 0, sizeof(rec));
	memset(&id, 0, sizeof(id));
	rec.kind = RECORD_SIGNED;
	rec.in = &in;
	rec.n_in = 1;
	rec.ids = &id;
	rec.n_ids = 1;
	for (i = 0; i < 50000; i++) {
		coins_txid(rec.txid, i);
		in = coins_outpoint((struct coin){ i, 1 });
		(void)snprintf(name, sizeof(name), "w%u", i / 2);
		id.id = text_of(name);
		id.receipt_seq = i * UINT64_C(0x100000001);
		id.commitment[0] = (unsigned char)(i / 2 | 1);
		rec.seq = i;
		coins_add(m, &rec);
	}
	for (i = 0; i < 50000; i++) {
		coins_txid(rec.txid, i);
		in = coins_outpoint((struct coin){ i, 1 });
		(void)snprintf(name, sizeof(name), "w%u", i / 2);
		t = memory_find_tx(m, rec.txid);
		known = memory_find_id(m, text_of(name));
		link = 0;
		wrong += t == NULL || known == NULL || t->seq != i ||
		    !outpoint_equal(memory_in(m, t), &in) ||
		    known->commitment[0] != (unsigned char)(i / 2 | 1) ||
		    memory_next_carrier(m, known, &link) != (i | 1) ||
		    memory_next_carrier(m, known, &link) != (i & ~1u) ||
		    memory_next_carrier(m, known, &link) != UINT32_MAX ||
		    memory_seq_taken(m, i * UINT64_C(0x100000001),
		    text_of(name)) ||
		    !memory_seq_taken(m, i * UINT64_C(0x100000001),
		    text_of("w"));
	}
	CHECK_INT(wrong, 0);
	memory_free(&m);
}

static void
test_no_memory(void)
{
	struct memory	*m = NULL;
	struct record_change change = { 1, 5000, 1, 17 };
	struct record_id ids[3];
	struct record	 rec;
	struct outpoint	 in = { { 1 }, 1 };
	struct err	 e;
	char		 names[3][16];
	unsigned long	 k, failed = 0;
	size_t		 n, i;

	check_case("memory: every allocation fails in turn, and then it is "
	    "as before");
	hostile_live = 0;
	hostile_fail(1);
	CHECK(memory_new(&m, &e) == RC_FAILED && m == NULL);
	(void)hostile_end();
	CHECK(memory_new(&m, &e) == RC_OK);
	memset(&rec, 0, sizeof(rec));
	memset(ids, 0, sizeof(ids));
	rec.in = &in;
	rec.n_in = 1;
	rec.ids = ids;
	rec.n_ids = 3;
	rec.change = &change;
	rec.n_change = 1;
	for (n = 0; n < 400; n++) {
		rec.kind = n % 10 == 9 ? RECORD_BURNED : RECORD_SIGNED;
		coins_txid(rec.txid, (unsigned)n);
		for (i = 0; i < 3; i++) {
			(void)snprintf(names[i], sizeof(names[i]),
			    "w%zu-%zu", n, i);
			ids[i].id = text_of(names[i]);
			ids[i].receipt_seq = 3 * n + i;
		}
		rec.id = ids[0].id;
		for (k = 1;; k++) {
			hostile_fail(k);
			if (memory_reserve(m, &rec, &e) == RC_OK)
				break;
			CHECK(hostile_end());
			CHECK(strstr(e.text, "no memory") != NULL);
			CHECK_INT(memory_n_tx(m), n - n / 10);
			CHECK(memory_find_id(m, ids[0].id) == NULL);
			CHECK(n == 0 ||
			    memory_find_id(m, text_of("w0-0")) != NULL);
			failed++;
		}
		/* Now it cannot fail. */
		hostile_fail(1);
		memory_add(m, &rec);
		CHECK(!hostile_end());
		CHECK(memory_find_id(m, ids[0].id) != NULL);
	}
	CHECK(failed > 30);
	memory_free(&m);
	CHECK_INT(hostile_live, 0);
}

int
main(void)
{
	if (sodium_init() < 0)
		return 1;
	test_carriers();
	test_same_again();
	test_burned();
	test_floor();
	test_commitment();
	test_seq();
	test_change();
	test_many();
	test_no_memory();
	return check_done();
}
