/*
 * The signer's journal: what reads is written the same, what was signed can
 * be remembered and compared, and whatever the file is, what is appended to
 * it is there afterwards.
 *
 * The first byte says what the others are: 0 the file as it is; else records
 * (kind, le16 length, payload) that get their frames and MACs here, since a
 * fuzzer will not find a MAC, and then so many bytes less at the end.
 */
#define _GNU_SOURCE		/* memfd_create */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "signer/frame.h"
#include "signer/memory.h"
#include "wire/bytes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const unsigned char	 key[32] = "fuzz";

static void
must(bool good)
{
	if (!good)
		abort();
}

struct seen {
	struct memory	*memory;
	uint64_t	seq;
	size_t		n;
};

static void
compare(const struct memory *m, const struct record *rec)
{
	struct conflict	*c = NULL;
	uint32_t	 i;

	must(conflict_begin(&c, m, rec->txid, rec->in, rec->n_in,
	    NULL) == RC_OK);
	for (i = 0; i < memory_n_tx(m) && i < 16; i++)
		(void)conflict_with(c, memory_tx_at(m, i));
	conflict_free(&c);
}

static enum rc
see(void *arg, const struct record *rec, struct err *e)
{
	unsigned char	*packed = malloc(record_room(rec));
	struct record_lists lists = { 0 };
	struct seen	*s = arg;
	struct record	 back;
	size_t		 i, len;

	must(packed != NULL && record_fits(rec));
	len = record_pack(packed, rec);
	must(len <= record_room(rec));
	must(record_unpack(&back, &lists, rec->kind, packed, len, e) ==
	    RC_OK);
	must(back.n_in == rec->n_in && back.n_ids == rec->n_ids &&
	    back.number == rec->number && back.cost_sat == rec->cost_sat);
	record_lists_free(&lists);
	free(packed);
	if (rec->kind != RECORD_HALT_LOCKED) {
		must(s->n == 0 || rec->seq == s->seq + 1);
		s->seq = rec->seq;
	}
	s->n++;
	if (rec->kind == RECORD_SIGNED)
		compare(s->memory, rec);
	must(memory_reserve(s->memory, rec, e) == RC_OK);
	memory_add(s->memory, rec);
	for (i = 0; i < rec->n_ids; i++)
		must(memory_find_id(s->memory, rec->ids[i].id) != NULL);
	for (i = 0; i < rec->n_change; i++)
		must(rec->change[i].amount_sat >= 0);
	return RC_OK;
}

/* Opened, appended to, and opened again: one more. */
static void
use(int fd)
{
	struct seen	 s = { NULL, 0, 0 };
	struct journal	*j = NULL;
	struct record	 rec = { .kind = RECORD_RUNNING };
	struct err	 e;
	bool		 halted;
	uint64_t	 records, seq;
	size_t		 n;

	must(memory_new(&s.memory, &e) == RC_OK);
	must(journal_peek(fd, &records, &halted, &e) != RC_UNCERTAIN);
	if (journal_load(&j, fd, key, see, &s, &e) == RC_OK) {
		must(journal_seq(j) == s.seq);
		must(journal_append(j, &rec, &e) == RC_OK);
		must(rec.seq == s.seq + 1);
		journal_free(&j);
		must(journal_halt_locked(fd, text_of("x"), &e) == RC_OK);
		n = s.n;
		seq = s.seq;
		memory_free(&s.memory);
		memset(&s, 0, sizeof(s));
		must(memory_new(&s.memory, &e) == RC_OK);
		must(journal_load(&j, fd, key, see, &s, &e) == RC_OK);
		must(s.n == n + 2 && s.seq == seq + 1);
		must(journal_peek(fd, &records, &halted, &e) == RC_OK &&
		    halted);
		journal_free(&j);
	}
	memory_free(&s.memory);
}

static size_t
frame(unsigned char *out, unsigned kind, uint64_t seq, const uint8_t *p,
    size_t len, unsigned char mac[32])
{
	crypto_auth_hmacsha256_state st;
	size_t		 n = FRAME_HEAD + len;

	put_le32(out, (uint32_t)(n - 4 + FRAME_MAC));
	out[4] = (unsigned char)kind;
	put_le64(out + 5, kind == RECORD_HALT_LOCKED ? 0 : seq);
	put_le64(out + 13, kind == RECORD_HALT_LOCKED ? 0 : seq * 1000);
	if (len > 0)
		memcpy(out + FRAME_HEAD, p, len);
	if (kind == RECORD_HALT_LOCKED)
		memset(out + n, 0, FRAME_MAC);
	else {
		(void)crypto_auth_hmacsha256_init(&st, key, 32);
		(void)crypto_auth_hmacsha256_update(&st, mac, FRAME_MAC);
		(void)crypto_auth_hmacsha256_update(&st, out, n);
		(void)crypto_auth_hmacsha256_final(&st, mac);
		memcpy(out + n, mac, FRAME_MAC);
	}
	return n + FRAME_MAC;
}

static void
put(int fd, const unsigned char *p, size_t len)
{
	must(len == 0 || write(fd, p, len) == (ssize_t)len);
}

/* At most 64 records. */
static void
put_records(int fd, const uint8_t *p, size_t len, unsigned less)
{
	static unsigned char buf[FRAME_MIN + 65536];
	unsigned char	 mac[32] = { 0 };
	uint64_t	 seq = 1;
	size_t		 n, all = FRAME_FILE_HEAD;
	int		 i;

	frame_file_head(buf);
	put(fd, buf, FRAME_FILE_HEAD);
	for (i = 0; len >= 3 && i < 64; i++) {
		n = p[1] | (size_t)p[2] << 8;
		if (n > len - 3)
			n = len - 3;
		put(fd, buf, frame(buf, p[0], seq, p + 3, n, mac));
		all += FRAME_MIN + n;
		seq += p[0] != RECORD_HALT_LOCKED;
		p += 3 + n;
		len -= 3 + n;
	}
	if (less < all)
		must(ftruncate(fd, (off_t)(all - less)) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int		 fd;

	if (size < 1)
		return 0;
	must((fd = memfd_create("journal", 0)) >= 0);
	if (data[0] == 0)
		put(fd, data + 1, size - 1);
	else
		put_records(fd, data + 1, size - 1, data[0] - 1u);
	use(fd);
	(void)close(fd);
	return 0;
}
