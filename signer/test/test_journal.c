/*
 * The journal: what is written is read, and nothing that was changed is
 * believed.
 */
#define _GNU_SOURCE		/* memfd_create */
#include <sodium.h>

#define HOSTILE_ALLOC
#include "bitcoin/test/hostile.h"
#include "signer/test/faults.h"
#include "signer/test/seen.h"

static const unsigned char	 nothing[32];

static size_t
hand_made(unsigned char *out, unsigned kind, uint64_t seq,
    const unsigned char *payload, size_t len, const unsigned char before[32])
{
	crypto_auth_hmacsha256_state st;

	put_le32(out, (uint32_t)(17 + len + 32));
	out[4] = (unsigned char)kind;
	put_le64(out + 5, seq);
	put_le64(out + 13, 2000);
	if (len > 0)
		memcpy(out + 21, payload, len);
	(void)crypto_auth_hmacsha256_init(&st, records_key, 32);
	(void)crypto_auth_hmacsha256_update(&st, before, 32);
	(void)crypto_auth_hmacsha256_update(&st, out, 21 + len);
	(void)crypto_auth_hmacsha256_final(&st, out + 21 + len);
	return 21 + len + 32;
}

/* For records that see() has no room for. */
static enum rc
count(void *arg, const struct record *rec, struct err *e)
{
	(void)arg;
	(void)rec;
	(void)e;
	n_seen++;
	return RC_OK;
}

/* ---- what is written is read ---- */

static void
test_layout(void)
{
	struct journal	*j;
	struct record	 rec;
	unsigned char	*got, want[256];
	unsigned char	 payload[64] = { 0xb9, 0x60, 0xd0, 0xf0, 0x33, 0, 28 };
	struct err	 e;
	size_t		 len, at;
	int		 fd = new_journal();

	check_case("journal: the bytes are those of the header");
	records_kind(&rec, RECORD_FOUNDED, 0);
	memset(want, 0, sizeof(want));
	memcpy(want, "drawbridge signer journal 1\n", 28);
	memcpy(payload + 7, rec.body.p, rec.body.len);
	payload[6] = (unsigned char)rec.body.len;
	at = 32 + hand_made(want + 32, 1, 1, payload, 7 + rec.body.len,
	    nothing);
	/* Its time is 0. */
	put_le64(want + 32 + 13, 0);
	(void)crypto_auth_hmacsha256_init((void *)seen, records_key, 32);
	(void)crypto_auth_hmacsha256_update((void *)seen, nothing, 32);
	(void)crypto_auth_hmacsha256_update((void *)seen, want + 32,
	    at - 64);
	(void)crypto_auth_hmacsha256_final((void *)seen, want + at - 32);
	got = records_read(fd, &len);
	CHECK_INT(len, at);
	CHECK(len == at && memcmp(got, want, len) == 0);
	free(got);

	CHECK(reads(&j, fd));
	records_kind(&rec, RECORD_RUNNING, 2);
	CHECK(journal_append(j, &rec, &e) == RC_OK);
	at += hand_made(want + at, 3, 2, NULL, 0, want + at - 32);
	got = records_read(fd, &len);
	CHECK(len == at && memcmp(got, want, len) == 0);
	free(got);
	journal_hash(j, want);
	CHECK(memcmp(want, want + at - 32, 32) == 0);
	journal_free(&j);
	close(fd);
}

static void
test_round_trip(void)
{
	unsigned char	 packed[4096];
	struct journal	*j;
	struct record	 rec;
	unsigned	 k;
	int		 fd = each_kind();

	check_case("journal: a record of every kind comes back");
	CHECK(reads(&j, fd));
	CHECK_INT(n_seen, RECORD_HALT_LOCKED - 2);
	CHECK_INT(journal_seq(j), n_seen);
	for (k = 0; k < n_seen; k++) {
		records_kind(&rec, k == 0 ? RECORD_FOUNDED :
		    (enum record_kind)(k + 2), k == 0 ? 0 : k + 2);
		CHECK_INT(seen[k].kind, rec.kind);
		CHECK_INT(seen[k].seq, k + 1);
		CHECK_INT(seen[k].running_ms, rec.running_ms);
		CHECK_INT(seen[k].len, record_pack(packed, &rec));
		CHECK(memcmp(packed, seen[k].payload, seen[k].len) == 0);
	}
	journal_free(&j);
	close(fd);
}

/* Everything in a signed record, not only that it packs the same. */
static void
test_fields(void)
{
	struct record	 rec, back;
	struct record_lists lists = { 0 };
	unsigned char	 packed[8192];
	struct err	 e;
	size_t		 i, len;

	check_case("journal: every field of a signed record");
	records_signed(&rec, 5, 10);
	len = record_pack(packed, &rec);
	CHECK(record_unpack(&back, &lists, RECORD_SIGNED, packed, len,
	    &e) == RC_OK);
	CHECK_INT(back.height, rec.height);
	CHECK(memcmp(back.txid, rec.txid, 32) == 0);
	CHECK(memcmp(back.hash, rec.hash, 32) == 0);
	CHECK_INT(back.cost_sat, rec.cost_sat);
	CHECK_INT(back.fee_sat, rec.fee_sat);
	CHECK_INT(back.engine_seq, rec.engine_seq);
	CHECK_INT(back.index_max, rec.index_max);
	CHECK_INT(back.n_in, 2);
	CHECK(memcmp(back.in, rec.in, 2 * sizeof(*rec.in)) == 0);
	CHECK_INT(back.n_ids, 10);
	for (i = 0; i < back.n_ids; i++) {
		CHECK(text_equal(back.ids[i].id, rec.ids[i].id));
		CHECK(memcmp(back.ids[i].commitment, rec.ids[i].commitment,
		    32) == 0);
		CHECK(memcmp(back.ids[i].account_tag,
		    rec.ids[i].account_tag, 16) == 0);
		CHECK_INT(back.ids[i].amount_sat, rec.ids[i].amount_sat);
		CHECK_INT(back.ids[i].receipt_seq, rec.ids[i].receipt_seq);
	}
	CHECK_INT(back.n_change, 1);
	CHECK_INT(back.change[0].vout, 10);
	CHECK_INT(back.change[0].amount_sat, 99999999);
	CHECK_INT(back.change[0].branch, 1);
	CHECK_INT(back.change[0].index, 70000);
	/* Two inputs and a change for ten: what it takes for ever. */
	printf("# %zu bytes a withdrawal in a batch of ten\n",
	    (len + FRAME_MIN) / 10);
	CHECK((len + FRAME_MIN) / 10 <= 120);
	record_lists_free(&lists);
}

static void
test_unpack_strict(void)
{
	struct record	 rec, back;
	struct record_lists lists = { 0 };
	unsigned char	 packed[4096], again[4096], *p;
	struct err	 e;
	size_t		 len, cut, i;
	unsigned	 k;

	check_case("journal: a payload cut, longer or changed");
	for (k = RECORD_FOUNDED; k <= RECORD_HALT_LOCKED; k++) {
		records_kind(&rec, (enum record_kind)k, k);
		len = record_pack(packed, &rec);
		CHECK(len <= record_room(&rec));
		for (cut = 0; cut < len; cut++) {
			p = hostile_place(packed, cut);
			CHECK(record_unpack(&back, &lists, rec.kind, p, cut,
			    &e) == RC_FAILED);
		}
		packed[len] = 0;
		CHECK(record_unpack(&back, &lists, rec.kind, packed, len + 1,
		    &e) == RC_FAILED);
		/* What it reads is what it would write. */
		for (i = 0; i < len * 8; i++) {
			p = hostile_place(packed, len);
			p[i / 8] ^= (unsigned char)(1 << i % 8);
			if (record_unpack(&back, &lists, rec.kind, p, len,
			    &e) == RC_OK)
				CHECK(record_pack(again, &back) == len &&
				    memcmp(again, p, len) == 0);
		}
	}
	record_lists_free(&lists);
}

static void
test_huge_counts(void)
{
	struct record	 back;
	struct record_lists lists = { 0 };
	unsigned char	 packed[256] = { 0 };
	unsigned char	*p = packed;
	struct err	 e;

	check_case("journal: a number alone allocates nothing");
	p = put_varint(p, 1) + 64;
	p = put_varint(put_varint(put_varint(put_varint(p, 1), 1), 1), 1);
	p = put_varint(p, UINT64_MAX);
	hostile_live = 0;
	CHECK(record_unpack(&back, &lists, RECORD_SIGNED, packed,
	    (size_t)(p - packed), &e) == RC_FAILED);
	CHECK_INT(hostile_live, 0);
	record_lists_free(&lists);
}

static void
test_looking_back(void)
{
	unsigned char	 hash[32], macs[300][32];
	struct journal	*j;
	struct record	 rec;
	struct err	 e;
	uint64_t	 i;
	int		 fd = records_file();

	check_case("journal: hashes and walks from any record");
	records_kind(&rec, RECORD_RECOVERED, 0);
	CHECK(journal_create(fd, records_key, &rec, 1000, &e) == RC_OK);
	CHECK(reads(&j, fd));
	CHECK_INT(journal_seq(j), 1000);
	journal_hash(j, macs[0]);
	for (i = 1; i < 300; i++) {
		records_signed(&rec, (unsigned)i, i % 10);
		CHECK(journal_append(j, &rec, &e) == RC_OK);
		journal_hash(j, macs[i]);
		if (i % 50 != 0)
			continue;
		/* Reopened, and halted meanwhile. */
		journal_free(&j);
		CHECK(journal_halt_locked(fd, text_of("x"), &e) == RC_OK);
		CHECK(reads(&j, fd));
	}
	for (i = 0; i < 300; i++) {
		CHECK(journal_hash_at(j, 1000 + i, hash, &e));
		CHECK(memcmp(hash, macs[i], 32) == 0);
	}
	CHECK(!journal_hash_at(j, 999, hash, &e));
	CHECK(!journal_hash_at(j, 1300, hash, &e));
	CHECK(!journal_hash_at(j, 0, hash, &e));
	CHECK(!journal_hash_at(j, UINT64_MAX, hash, &e));
	for (i = 0; i < 310; i++) {
		n_seen = 0;
		CHECK(journal_walk(j, 990 + i, see, NULL, &e) == RC_OK);
		CHECK(i > 9 ? n_seen >= 309 - i : n_seen == 305);
		CHECK(n_seen == 0 || seen[n_seen - 1].seq == 1299);
		if (n_seen > 0 && seen[0].kind != RECORD_HALT_LOCKED)
			CHECK_INT(seen[0].seq, i < 10 ? 1000 : 991 + i);
	}
	n_seen = 0;
	stop_at = 3;
	CHECK(journal_walk(j, 1001, see, NULL, &e) == RC_FAILED);
	CHECK(n_seen == 2 && strstr(e.text, "record 1004: enough") != NULL);
	journal_free(&j);
	n_seen = 0;
	CHECK(journal_load(&j, fd, records_key, see, NULL, &e) == RC_FAILED);
	CHECK(strstr(e.text, "record 1002: enough") != NULL);
	CHECK(j == NULL);
	stop_at = 0;
	close(fd);
}

/* Many times as long as the buffer. */
static void
test_long(void)
{
	static char	 body[RECORD_BODY_MAX];
	struct journal	*j;
	struct record	 rec;
	struct err	 e;
	unsigned char	 hash[32], newest[32];
	int		 fd = new_journal(), i;

	check_case("journal: longer than what is read at once");
	CHECK(reads(&j, fd));
	memset(body, 'x', sizeof(body));
	for (i = 2; i < 300; i++) {
		records_kind(&rec, i % 3 == 0 ? RECORD_SETTINGS :
		    RECORD_SIGNED, (unsigned)i);
		rec.body.p = i % 3 == 0 ? body : NULL;
		rec.body.len = i % 3 == 0 ? sizeof(body) - (size_t)i : 0;
		CHECK(journal_append(j, &rec, &e) == RC_OK);
	}
	CHECK(records_size(fd) > 3 * FRAME_MAX / 2);
	journal_hash(j, newest);
	journal_free(&j);
	n_seen = 0;
	CHECK(journal_load(&j, fd, records_key, count, NULL, &e) == RC_OK);
	CHECK_INT(n_seen, 299);
	CHECK_INT(journal_seq(j), 299);
	journal_hash(j, hash);
	CHECK(memcmp(hash, newest, 32) == 0);
	n_seen = 0;
	CHECK(journal_walk(j, 100, count, NULL, &e) == RC_OK);
	CHECK_INT(n_seen, 199);
	journal_free(&j);
	close(fd);
}

/* As many inputs and outputs as one transaction may have. */
static void
test_largest(void)
{
	static struct outpoint in[2000];
	static struct record_id ids[4000];
	static char	 names[4000][65];
	struct journal	*j;
	struct record	 rec;
	struct err	 e;
	size_t		 i;
	int		 fd = new_journal();

	check_case("journal: 2000 inputs and 4000 ids of 64 bytes");
	records_kind(&rec, RECORD_SIGNED, 2);
	memset(in, 0xff, sizeof(in));
	memset(ids, 0, sizeof(ids));
	for (i = 0; i < 4000; i++) {
		(void)snprintf(names[i], sizeof(names[i]), "%064zu", i);
		ids[i].id = text_of(names[i]);
		ids[i].amount_sat = INT64_MAX;
		ids[i].receipt_seq = UINT64_MAX;
	}
	rec.in = in;
	rec.n_in = 2000;
	rec.ids = ids;
	rec.n_ids = 4000;
	CHECK(record_room(&rec) <= RECORD_PAYLOAD_MAX);
	CHECK(reads(&j, fd));
	CHECK(journal_append(j, &rec, &e) == RC_OK);
	journal_free(&j);
	n_seen = 0;
	CHECK(journal_load(&j, fd, records_key, count, NULL, &e) == RC_OK);
	CHECK_INT(n_seen, 2);
	journal_free(&j);
	close(fd);
}

/* ---- what was changed is found ---- */

static void
test_every_byte(void)
{
	unsigned char	*p;
	char		 name[40];
	uint64_t	 seq = 0;
	size_t		 len, i, next = FRAME_FILE_HEAD;
	unsigned	 bit;
	int		 fd = each_kind(), other;

	check_case("C4: every byte changed is found, and its record named");
	p = records_read(fd, &len);
	for (i = 0; i < len; i++) {
		if (i == next) {
			seq++;
			next += 4 + (size_t)get_le32(p + i);
		}
		for (bit = 0; bit < 9; bit++) {
			p[i] ^= (unsigned char)(bit < 8 ? 1 << bit : 0xff);
			other = records_of(p, len);
			CHECK_INT(count_of(other), -1);
			(void)snprintf(name, sizeof(name), "record %ju:",
			    (uintmax_t)seq);
			CHECK(says(seq == 0 ? "is not the journal" :
			    seq == 1 ? "its first record: " : name));
			/* Nothing is cut off because of it. */
			CHECK_INT(records_size(other), len);
			close(other);
			p[i] ^= (unsigned char)(bit < 8 ? 1 << bit : 0xff);
		}
	}
	free(p);
	close(fd);
}

static void
test_cut(void)
{
	struct journal	*j;
	struct record	 rec;
	struct err	 e;
	unsigned char	*p;
	size_t		 len, cut, at = FRAME_FILE_HEAD;
	int		 whole = 0, fd = each_kind(), other;
	bool		 halted;
	uint64_t	 records;

	check_case("journal: cut at every length, what was whole is there");
	p = records_read(fd, &len);
	for (cut = 0; cut <= len; cut++) {
		if (cut >= FRAME_FILE_HEAD + 4 &&
		    cut == at + 4 + (size_t)get_le32(p + at)) {
			whole++;
			at = cut;
		}
		other = records_of(p, cut);
		CHECK(journal_peek(other, &records, &halted, &e) ==
		    (whole > 0 ? RC_OK : RC_FAILED));
		if (whole > 0) {
			CHECK_INT(records, whole);
			CHECK(reads(&j, other));
			CHECK_INT(records_size(other), at);
			records_kind(&rec, RECORD_RUNNING, 99);
			CHECK(j != NULL &&
			    journal_append(j, &rec, &e) == RC_OK);
			journal_free(&j);
			CHECK_INT(count_of(other), whole + 1);
		} else
			CHECK_INT(count_of(other), -1);
		close(other);
	}
	CHECK_INT(whole, RECORD_HALT_LOCKED - 2);
	free(p);
	close(fd);
}

static void
test_moved(void)
{
	struct journal	*j;
	struct record	 rec;
	struct err	 e;
	unsigned char	*p, *q;
	size_t		 len, a, b, c;
	int		 fd = new_journal(), i;

	check_case("C4: records swapped, taken out, put in twice");
	CHECK(reads(&j, fd));
	for (i = 2; i < 6; i++) {
		records_kind(&rec, RECORD_RESUMED, (unsigned)i);
		CHECK(journal_append(j, &rec, &e) == RC_OK);
	}
	journal_free(&j);
	p = records_read(fd, &len);
	close(fd);
	a = offset_of(p, len, 3);
	b = offset_of(p, len, 4);
	c = offset_of(p, len, 5);
	q = malloc(len * 2);

	memcpy(q, p, len);
	memcpy(q + a, p + b, c - b);
	memcpy(q + a + (c - b), p + a, b - a);
	fd = records_of(q, len);
	CHECK_INT(count_of(fd), -1);
	CHECK(says("record 3: its number is another"));
	close(fd);
	/* With their numbers put right. */
	put_le64(q + a + 5, 3);
	put_le64(q + a + (c - b) + 5, 4);
	fd = records_of(q, len);
	CHECK_INT(count_of(fd), -1);
	CHECK(says("record 3: was changed"));
	close(fd);

	memcpy(q, p, a);
	memcpy(q + a, p + b, len - b);
	fd = records_of(q, len - (b - a));
	CHECK_INT(count_of(fd), -1);
	CHECK(says("record 3: its number is another"));
	close(fd);

	memcpy(q, p, b);
	memcpy(q + b, p + a, len - a);
	fd = records_of(q, len + (b - a));
	CHECK_INT(count_of(fd), -1);
	CHECK(says("record 4: its number is another"));
	close(fd);
	free(q);
	free(p);
}

static void
test_foreign(void)
{
	static const unsigned char other_key[32] =
	    "another key, of another one....";
	struct journal	*j = NULL;
	struct record	 rec;
	struct err	 e;
	int		 fd = each_kind();

	check_case("journal: another seed's key, another file, none");
	CHECK(journal_load(&j, fd, other_key, see, NULL, &e) == RC_FAILED);
	CHECK(strstr(e.text, "another seed's") != NULL && j == NULL);
	records_kind(&rec, RECORD_FOUNDED, 0);
	CHECK(journal_create(fd, records_key, &rec, 1, &e) == RC_FAILED);
	CHECK_INT(count_of(fd), RECORD_HALT_LOCKED - 2);
	close(fd);
	fd = records_of((const unsigned char *)"#!/bin/sh\n", 10);
	CHECK_INT(count_of(fd), -1);
	CHECK(says("is not the journal of a signer"));
	close(fd);
	CHECK_INT(count_of(-1), -1);
}

/* Records that the key made, and that still cannot be. */
static void
test_impossible(void)
{
	static const struct {
		unsigned kind;
		uint64_t seq;
		const char *payload;
		size_t len;
		const char *says;
	} bad[] = {
		{ RECORD_FOUNDED, 2, "\0\0\0\0", 4, "founds a second" },
		{ 0, 2, "", 0, "of a kind that does not exist" },
		{ 15, 2, "", 0, "of a kind that does not exist" },
		{ 255, 2, "", 0, "of a kind that does not exist" },
		{ RECORD_RUNNING, 3, "", 0, "its number is another" },
		{ RECORD_RUNNING, 2, "\0", 1, "cannot be read" },
		{ RECORD_RESUMED, 2, "", 0, "cannot be read" },
		{ RECORD_RESUMED, 2, "\x80\0", 2, "cannot be read" },
		{ RECORD_HALTED, 2, "\0\x02x", 3, "cannot be read" },
	};
	unsigned char	*p, more[256];
	size_t		 len, n, i;
	int		 fd;

	check_case("journal: what could not have been written");
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		fd = new_journal();
		p = records_read(fd, &len);
		n = hand_made(more, bad[i].kind, bad[i].seq,
		    (const unsigned char *)bad[i].payload, bad[i].len,
		    p + len - 32);
		CHECK(pwrite(fd, more, n, (off_t)len) == (ssize_t)n);
		CHECK_INT(count_of(fd), -1);
		CHECK(says(bad[i].says) && says("record 2"));
		free(p);
		close(fd);
	}
	fd = new_journal();
	CHECK(ftruncate(fd, 32) == 0);
	n = hand_made(more, RECORD_RUNNING, 1, NULL, 0, nothing);
	CHECK(pwrite(fd, more, n, 32) == (ssize_t)n);
	CHECK_INT(count_of(fd), -1);
	CHECK(says("its first record: does not found a signer"));
	close(fd);
}

int
main(void)
{
	if (sodium_init() < 0)
		return 1;
	test_layout();
	test_round_trip();
	test_fields();
	test_unpack_strict();
	test_huge_counts();
	test_looking_back();
	test_long();
	test_largest();
	test_every_byte();
	test_cut();
	test_moved();
	test_foreign();
	test_impossible();
	return check_done();
}
