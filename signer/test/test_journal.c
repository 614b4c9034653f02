/*
 * The journal: what was answered is there after any crash, and nothing that
 * was changed is believed.
 */
#define _GNU_SOURCE		/* memfd_create */
#include <sodium.h>
#include <sys/wait.h>

#define HOSTILE_ALLOC
#include "bitcoin/test/hostile.h"
#include "signer/frame.h"
#include "signer/test/faults.h"
#include "signer/test/records.h"
#include "tests/check.h"
#include "wire/bytes.h"

#define SEEN_MAX	1000

static const unsigned char	 nothing[32];

/* What a pass over the journal showed. */
static struct {
	enum record_kind kind;
	uint64_t	seq;
	int64_t		running_ms;
	unsigned char	payload[4096];
	size_t		len;
} seen[SEEN_MAX];
static size_t	 n_seen, stop_at;

static enum rc
see(void *arg, const struct record *rec, struct err *e)
{
	(void)arg;
	if (stop_at != 0 && n_seen + 1 == stop_at)
		return err_set(e, "enough");
	if (n_seen == SEEN_MAX || record_room(rec) > sizeof(seen[0].payload))
		return err_set(e, "too much for this test");
	seen[n_seen].kind = rec->kind;
	seen[n_seen].seq = rec->seq;
	seen[n_seen].running_ms = rec->running_ms;
	seen[n_seen].len = record_pack(seen[n_seen].payload, rec);
	n_seen++;
	return RC_OK;
}

static struct err	 why;

static bool
reads(struct journal **j, int fd)
{
	*j = NULL;
	n_seen = 0;
	why.text[0] = '\0';
	return journal_open(j, fd, records_key, see, NULL, &why) == RC_OK;
}

/* Opens, says nothing else, and is closed: how many records of the chain. */
static int
count_of(int fd)
{
	struct journal	*j;
	int		 n = -1;

	if (reads(&j, fd))
		n = (int)journal_seq(j);
	journal_free(&j);
	return n;
}

static bool
says(const char *part)
{
	if (strstr(why.text, part) != NULL)
		return true;
	printf("# it says: %s\n", why.text);
	return false;
}

static int
new_journal(void)
{
	struct record	 rec;
	struct err	 e;
	int		 fd = records_file();

	records_kind(&rec, RECORD_FOUNDED, 0);
	CHECK(journal_create(fd, records_key, &rec, 1, &e) == RC_OK);
	return fd;
}

/* One of each kind that may follow the first: their number is kind - 1. */
static void
add_each_kind(struct journal *j)
{
	struct record	 rec;
	struct err	 e;
	unsigned	 k;

	for (k = RECORD_RUNNING; k < RECORD_HALT_LOCKED; k++) {
		records_kind(&rec, (enum record_kind)k, k);
		CHECK(journal_append(j, &rec, &e) == RC_OK);
		CHECK_INT(rec.seq, k - 1);
	}
}

static int
each_kind(void)
{
	struct journal	*j;
	int		 fd = new_journal();

	CHECK(reads(&j, fd));
	if (j != NULL)
		add_each_kind(j);
	journal_free(&j);
	return fd;
}

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
	CHECK(journal_open(&j, fd, records_key, see, NULL, &e) == RC_FAILED);
	CHECK(strstr(e.text, "record 1002: enough") != NULL);
	CHECK(j == NULL);
	stop_at = 0;
	close(fd);
}

/* ---- what was changed is found ---- */

/* Where record `seq` begins in these bytes. */
static size_t
offset_of(const unsigned char *p, size_t len, uint64_t seq)
{
	size_t		 at = FRAME_FILE_HEAD;

	while (at < len && get_le64(p + at + 5) != seq)
		at += 4 + (size_t)get_le32(p + at);
	return at;
}

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
	static const unsigned char other_key[32] = "another key, of another one....";
	struct journal	*j = NULL;
	struct record	 rec;
	struct err	 e;
	int		 fd = each_kind();

	check_case("journal: another seed's key, another file, none");
	CHECK(journal_open(&j, fd, other_key, see, NULL, &e) == RC_FAILED);
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

/* ---- what the power took away ---- */

/* A journal whose last record is longer than two sectors. */
static int
long_last(size_t *last, size_t *len)
{
	struct journal	*j;
	struct record	 rec;
	struct err	 e;
	unsigned char	*p;
	int		 fd = each_kind();

	CHECK(reads(&j, fd));
	records_signed(&rec, 50, 12);
	CHECK(journal_append(j, &rec, &e) == RC_OK);
	journal_free(&j);
	p = records_read(fd, len);
	*last = offset_of(p, *len, RECORD_HALT_LOCKED - 1);
	CHECK(*len - *last > 1100);
	free(p);
	return fd;
}

static void
test_sectors(void)
{
	static const unsigned char zeros[1 << 12];
	unsigned char	*p;
	size_t		 last, len, at, share;
	int		 fd = long_last(&last, &len), other, n = 0;

	check_case("journal: sectors of the last record that never came");
	p = records_read(fd, &len);
	for (at = last; at < len; at += share) {
		share = 512 - at % 512;
		if (share > len - at)
			share = len - at;
		other = records_of(p, len);
		CHECK(pwrite(other, zeros, share, (off_t)at) ==
		    (ssize_t)share);
		CHECK_INT(count_of(other), RECORD_HALT_LOCKED - 2);
		CHECK_INT(records_size(other), last);
		close(other);
		n++;
		/* In front of another it is no accident. */
		if (at != last)
			continue;
		other = records_of(p, len);
		CHECK(pwrite(other, zeros, 40, (off_t)last - 100) == 40);
		CHECK_INT(count_of(other), -1);
		close(other);
	}
	CHECK(n >= 3);
	/* Only its length came, or nothing but the size of the file. */
	other = records_of(p, last);
	CHECK(ftruncate(other, (off_t)last + 5000) == 0);
	CHECK_INT(count_of(other), RECORD_HALT_LOCKED - 2);
	CHECK_INT(records_size(other), last);
	close(other);
	/* So much was never written at once. */
	other = records_of(p, last);
	CHECK(ftruncate(other, (off_t)(last + 2 * FRAME_MAX)) == 0);
	CHECK_INT(count_of(other), -1);
	CHECK(says("record 13: its length is wrong"));
	close(other);
	free(p);
	close(fd);
}

/* Every call of `work` goes wrong in turn, until one run needs no more. */
static void
each_fault(enum fault_how how, int number)
{
	struct journal	*j;
	struct record	 rec;
	struct err	 e;
	unsigned	 at;
	enum rc		 rc;
	int		 fd, done, k;
	bool		 hit;

	for (at = 1;; at++) {
		fd = new_journal();
		CHECK(reads(&j, fd));
		fault_set(at, how, number);
		for (done = 1, k = 2; k < 8; k++) {
			records_kind(&rec, RECORD_SIGNED, (unsigned)k);
			rc = journal_append(j, &rec, &e);
			if (rc != RC_OK)
				break;
			done++;
		}
		hit = fault_end();
		if (k < 8) {
			CHECK(rc == RC_UNCERTAIN || rc == RC_FAILED);
			/* A sync that failed is not known to have. */
			CHECK((rc == RC_UNCERTAIN) ==
			    (how == FAULT_FAILS && at % 2 == 0));
			CHECK(strstr(e.text, "journal: record ") != NULL);
			CHECK_INT(journal_seq(j), done);
			/* Sticky, with the reason. */
			CHECK(journal_append(j, &rec, &e) == RC_FAILED);
			CHECK(strstr(e.text, "not written to any more, since "
			    "record ") != NULL);
		}
		journal_free(&j);
		k = count_of(fd);
		CHECK(k == done || (rc == RC_UNCERTAIN && k == done + 1));
		close(fd);
		if (!hit)
			break;
	}
	CHECK(at > 12);
}

static void
test_faults(void)
{
	struct record	 rec;
	struct err	 e;
	int		 fd;

	check_case("journal: every write and sync fails in turn");
	each_fault(FAULT_FAILS, EIO);
	each_fault(FAULT_FAILS, ENOSPC);
	check_case("journal: the disk is full in the middle of a record");
	each_fault(FAULT_FULL, 0);
	check_case("journal: short writes are finished");
	fd = new_journal();
	each_fault(FAULT_SHORT, 0);
	fault_set(1, FAULT_FAILS, EINTR);
	CHECK(journal_halt_locked(fd, text_of("x"), &e) == RC_OK);
	CHECK(fault_end());
	close(fd);
	check_case("journal: founding fails");
	records_kind(&rec, RECORD_FOUNDED, 0);
	fd = records_file();
	fault_set(1, FAULT_FAILS, ENOSPC);
	CHECK(journal_create(fd, records_key, &rec, 1, &e) == RC_FAILED);
	CHECK(strstr(e.text, "No space left") != NULL);
	fault_set(2, FAULT_FAILS, EIO);
	CHECK(journal_create(fd, records_key, &rec, 1, &e) == RC_UNCERTAIN);
	(void)fault_end();
	close(fd);
}

/* Tries to cut the end off, and cannot. */
static void
test_faults_open(void)
{
	unsigned	 at;
	int		 fd, size;

	check_case("journal: an incomplete end that cannot be cut off");
	for (at = 1; at < 3; at++) {
		fd = each_kind();
		size = (int)records_size(fd);
		CHECK(ftruncate(fd, size - 1) == 0);
		fault_set(at, FAULT_FAILS, EIO);
		CHECK_INT(count_of(fd), -1);
		CHECK(fault_end());
		CHECK(says("cannot be cut off"));
		CHECK_INT(count_of(fd), RECORD_HALT_LOCKED - 3);
		close(fd);
	}
}

/* A child that appends, says so for each, and dies at its call `at`. */
static int
killed(int fd, unsigned at, enum fault_how how, int *status)
{
	struct journal	*j = NULL;
	struct record	 rec;
	struct err	 e;
	unsigned char	 one = 1;
	int		 ends[2], said = 0, i;
	pid_t		 pid;

	if (pipe(ends) != 0 || (pid = fork()) < 0)
		exit(2);
	if (pid == 0) {
		close(ends[0]);
		fault_set(at, how, 0);
		if (journal_open(&j, fd, records_key, see, NULL, &e) != RC_OK)
			_exit(1);
		for (i = 0; i < 5; i++) {
			records_signed(&rec, (unsigned)i + 2, 3);
			if (journal_append(j, &rec, &e) != RC_OK ||
			    write(ends[1], &one, 1) != 1)
				_exit(1);
		}
		_exit(0);
	}
	close(ends[1]);
	while (read(ends[0], &one, 1) == 1)
		said++;
	close(ends[0]);
	(void)waitpid(pid, status, 0);
	return said;
}

static void
test_killed(void)
{
	static const enum fault_how how[] = { FAULT_DIES, FAULT_DIES_TORN };
	int		 status = 0, said, n, fd, i;
	unsigned	 at;

	check_case("journal: killed at every write and sync, all that was "
	    "answered is there");
	fflush(stdout);
	for (i = 0; i < 2; i++) {
		for (at = 1;; at++) {
			/* With an end to be cut off first. */
			fd = each_kind();
			CHECK(ftruncate(fd, (off_t)records_size(fd) - 7) == 0);
			said = killed(fd, at, how[i], &status);
			n = count_of(fd) - (RECORD_HALT_LOCKED - 3);
			CHECK(n == said || n == said + 1);
			close(fd);
			if (WEXITSTATUS(status) == 0)
				break;
			CHECK_INT(WEXITSTATUS(status), 77);
		}
		CHECK_INT(said, 5);
		CHECK_INT(at, 13);
	}
}

/* ---- halted while locked ---- */

static void
test_halts(void)
{
	struct journal	*j;
	struct record	 rec;
	struct err	 e;
	char		 longer[400];
	uint64_t	 records;
	size_t		 size;
	bool		 halted;
	int		 fd = each_kind();

	check_case("journal: halted while locked");
	CHECK(journal_peek(fd, &records, &halted, &e) == RC_OK);
	CHECK(!halted && records == RECORD_HALT_LOCKED - 2);
	/* Behind an incomplete record, which was never answered. */
	size = records_size(fd);
	CHECK(ftruncate(fd, (off_t)size - 3) == 0);
	CHECK(journal_halt_locked(fd, text_of("the pager rang"), &e) ==
	    RC_OK);
	CHECK(journal_peek(fd, &records, &halted, &e) == RC_OK);
	CHECK(halted && records == RECORD_HALT_LOCKED - 3);
	memset(longer, 'x', sizeof(longer));
	rec.body.p = longer;
	rec.body.len = sizeof(longer);
	CHECK(journal_halt_locked(fd, rec.body, &e) == RC_OK);
	rec.body.len = 0;
	CHECK(journal_halt_locked(fd, rec.body, &e) == RC_OK);
	CHECK(reads(&j, fd));
	CHECK_INT(n_seen, RECORD_HALT_LOCKED);
	CHECK_INT(journal_seq(j), RECORD_HALT_LOCKED - 3);
	CHECK_INT(seen[n_seen - 3].kind, RECORD_HALT_LOCKED);
	CHECK_INT(seen[n_seen - 3].seq, 0);
	CHECK(memcmp(seen[n_seen - 3].payload, "\x0e" "the pager rang",
	    15) == 0);
	CHECK_INT(seen[n_seen - 2].len, 2 + 255);
	/* In the chain it does not show; a resume ends it. */
	records_kind(&rec, RECORD_RESUMED, 1);
	CHECK(journal_append(j, &rec, &e) == RC_OK);
	journal_free(&j);
	CHECK(journal_peek(fd, &records, &halted, &e) == RC_OK);
	CHECK(!halted);
	CHECK_INT(count_of(fd), RECORD_HALT_LOCKED - 2);
	CHECK(journal_halt_locked(fd, text_of("again"), &e) == RC_OK);
	CHECK(journal_peek(fd, &records, &halted, &e) == RC_OK && halted);
	close(fd);
	fd = records_file();
	CHECK(journal_halt_locked(fd, text_of("x"), &e) == RC_FAILED);
	CHECK(journal_peek(fd, &records, &halted, &e) == RC_FAILED);
	close(fd);
}

/* All of a halt is checked but its reason, which nobody signs. */
static void
test_halts_changed(void)
{
	unsigned char	*p;
	struct journal	*j;
	struct record	 rec;
	struct err	 e;
	size_t		 len, at, i;
	unsigned	 bit;
	int		 fd = each_kind(), other, behind, n;

	for (behind = 0; behind < 2; behind++) {
		check_case(behind == 0 ? "journal: a halt at the end, changed"
		    : "journal: a halt in the middle, changed");
		at = records_size(fd);
		CHECK(journal_halt_locked(fd, text_of("why"), &e) == RC_OK);
		if (behind == 1) {
			CHECK(reads(&j, fd));
			records_kind(&rec, RECORD_RUNNING, 5);
			CHECK(journal_append(j, &rec, &e) == RC_OK);
			journal_free(&j);
		}
		p = records_read(fd, &len);
		for (i = at; i < at + FRAME_MIN + 4; i++)
			for (bit = 0; bit < 8; bit++) {
				p[i] ^= (unsigned char)(1 << bit);
				other = records_of(p, len);
				n = count_of(other);
				if (i >= at + 22 && i < at + 25)
					CHECK(n > 0);
				else
					CHECK_INT(n, -1);
				close(other);
				p[i] ^= (unsigned char)(1 << bit);
			}
		free(p);
	}
	close(fd);
}

static void
test_no_memory(void)
{
	struct journal	*j;
	struct record	 rec;
	struct err	 e;
	unsigned long	 k;
	long		 live;
	bool		 halted;
	uint64_t	 records;
	int		 fd = each_kind(), fresh, i;
	enum rc		 rc;

	check_case("journal: every allocation fails in turn");
	for (k = 1;; k++) {
		fresh = records_file();
		live = hostile_live;
		hostile_fail(k);
		records_kind(&rec, RECORD_FOUNDED, 0);
		j = NULL;
		n_seen = 0;
		rc = journal_create(fresh, records_key, &rec, 1, &e);
		if (rc == RC_OK)
			rc = journal_peek(fd, &records, &halted, &e);
		if (rc == RC_OK)
			rc = journal_open(&j, fresh, records_key, see, NULL,
			    &e);
		for (i = 2; rc == RC_OK && i < 200; i++) {
			records_signed(&rec, (unsigned)i, 2);
			rc = journal_append(j, &rec, &e);
		}
		n_seen = 0;
		if (rc == RC_OK)
			rc = journal_walk(j, 1, see, NULL, &e);
		journal_free(&j);
		if (rc == RC_OK)
			rc = journal_open(&j, fd, records_key, see, NULL, &e);
		journal_free(&j);
		close(fresh);
		if (!hostile_end())
			break;
		CHECK(rc == RC_FAILED && hostile_live == live);
		CHECK(strstr(e.text, "no memory") != NULL);
	}
	CHECK(rc == RC_OK && hostile_live == live);
	CHECK(k > 10);
	CHECK_INT(count_of(fd), RECORD_HALT_LOCKED - 2);
	close(fd);
}

static void
test_too_long(void)
{
	struct journal	*j;
	struct record	 rec;
	struct err	 e;
	char		*body = calloc(1, RECORD_BODY_MAX + 1);
	int		 fd = new_journal();

	check_case("journal: the longest body, and one that is longer");
	CHECK(reads(&j, fd));
	records_kind(&rec, RECORD_SETTINGS, 2);
	rec.body.p = body;
	rec.body.len = RECORD_BODY_MAX;
	CHECK(journal_append(j, &rec, &e) == RC_OK);
	rec.body.len++;
	CHECK(journal_append(j, &rec, &e) == RC_FAILED);
	CHECK(strstr(e.text, "record 3: too long") != NULL);
	journal_free(&j);
	free(body);
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
	test_every_byte();
	test_cut();
	test_moved();
	test_foreign();
	test_impossible();
	test_sectors();
	test_faults();
	test_faults_open();
	test_killed();
	test_halts();
	test_halts_changed();
	test_no_memory();
	test_too_long();
	return check_done();
}
