/*
 * One record of every kind, and a journal in memory, for tests.
 */
#ifndef SIGNER_TEST_RECORDS_H
#define SIGNER_TEST_RECORDS_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "signer/journal.h"

static const unsigned char records_key[32] = "a key made from the seed, surel";

/* A file without a name. */
static inline int
records_file(void)
{
	int	 fd = memfd_create("journal", 0);

	if (fd < 0) {
		perror("memfd_create");
		exit(2);
	}
	return fd;
}

static inline size_t
records_size(int fd)
{
	struct stat	 st;

	return fstat(fd, &st) == 0 ? (size_t)st.st_size : 0;
}

/* What stands in it; to be freed. */
static inline unsigned char *
records_read(int fd, size_t *len)
{
	unsigned char	*p = malloc(records_size(fd) + 1);

	*len = records_size(fd);
	if (p == NULL || pread(fd, p, *len, 0) != (ssize_t)*len)
		exit(2);
	return p;
}

/* A new file with these bytes. */
static inline int
records_of(const unsigned char *p, size_t len)
{
	int	 fd = records_file();

	if (write(fd, p, len) != (ssize_t)len)
		exit(2);
	return fd;
}

/* The lists of a signed record; they stay until the next call. */
static inline void
records_signed(struct record *r, unsigned n, size_t n_ids)
{
	static struct outpoint in[4];
	static struct record_id ids[16];
	static struct record_change change[2];
	static char	 names[16][32];
	size_t		 i;

	memset(r, 0, sizeof(*r));
	r->kind = RECORD_SIGNED;
	r->running_ms = 1000 * (int64_t)n;
	r->height = 850000 + n;
	memset(r->txid, (int)(n % 251) + 1, sizeof(r->txid));
	memset(r->hash, 0x55, sizeof(r->hash));
	r->cost_sat = 123456789;
	r->fee_sat = 4321;
	r->engine_seq = 1000000 + n;
	r->index_max = 70000;
	for (i = 0; i < 2; i++) {
		memset(in[i].txid, 0x70 + (int)i, sizeof(in[i].txid));
		in[i].vout = n + (unsigned)i;
	}
	for (i = 0; i < n_ids && i < 16; i++) {
		(void)snprintf(names[i], sizeof(names[i]),
		    "w-%08x-%08zx", n, i);
		ids[i].id = text_of(names[i]);
		memset(ids[i].commitment, 0xc0, 32);
		memset(ids[i].account_tag, 0xa0, 16);
		ids[i].amount_sat = 50000000;
		ids[i].receipt_seq = 1000000 + n;
	}
	change[0].vout = (uint32_t)n_ids;
	change[0].amount_sat = 99999999;
	change[0].branch = 1;
	change[0].index = 70000;
	r->in = in;
	r->n_in = 2;
	r->ids = ids;
	r->n_ids = i;
	r->change = change;
	r->n_change = 1;
}

/* What each kind keeps, all of it; `n` is its number among the records. */
static inline void
records_kind(struct record *r, enum record_kind kind, unsigned n)
{
	memset(r, 0, sizeof(*r));
	r->kind = kind;
	r->running_ms = 1000 * (int64_t)n;
	switch (kind) {
	case RECORD_FOUNDED:
	case RECORD_RECOVERED:
		r->number = 12345;
		r->height = 850000;
		r->body = text_of("network regtest\nwallet wpkh\n");
		break;
	case RECORD_RUNNING:
		break;
	case RECORD_SIGNED:
		records_signed(r, n, 2);
		break;
	case RECORD_BURNED:
		r->id = text_of("w-burned");
		memset(r->commitment, 0xcb, 32);
		memset(r->account_tag, 0xab, 16);
		break;
	case RECORD_WRITTEN_OFF:
		r->id = text_of("w-00000001");
		memset(r->outpoint.txid, 0x70, 32);
		r->outpoint.vout = 300;
		memset(r->txid, 0x99, 32);
		memset(r->hash, 0xbb, 32);
		break;
	case RECORD_HALTED:
	case RECORD_HALT_LOCKED:
		r->body = text_of("the pager rang");
		break;
	case RECORD_RESUMED:
		r->number = 7;
		break;
	case RECORD_REARMED:
		break;
	case RECORD_SETTINGS:
		r->body = text_of("network regtest\nwallet wpkh\nquorum 2\n");
		break;
	case RECORD_EPOCH:
		r->number = 2;
		memset(r->hash, 0xee, 32);
		break;
	case RECORD_ADOPTED:
		r->number = 3;
		break;
	case RECORD_BEHIND:
		r->number = UINT64_MAX;
		memset(r->hash, 0xbe, 32);
		break;
	}
}

#endif
