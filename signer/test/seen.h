/*
 * A journal in memory, and what a pass over it showed.
 */
#ifndef SIGNER_TEST_SEEN_H
#define SIGNER_TEST_SEEN_H

#include "signer/frame.h"
#include "signer/test/records.h"
#include "tests/check.h"
#include "wire/bytes.h"

#define SEEN_MAX	1000

/* What a pass over the journal showed. */
static struct {
	enum record_kind kind;
	uint64_t	seq;
	int64_t		running_ms;
	unsigned char	payload[4096];
	size_t		len;
} seen[SEEN_MAX];
static size_t	 n_seen, stop_at;

static inline enum rc
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

static inline bool
reads(struct journal **j, int fd)
{
	*j = NULL;
	n_seen = 0;
	why.text[0] = '\0';
	return journal_load(j, fd, records_key, see, NULL, &why) == RC_OK;
}

/* Opens, says nothing else, and is closed: how many records of the chain. */
static inline int
count_of(int fd)
{
	struct journal	*j;
	int		 n = -1;

	if (reads(&j, fd))
		n = (int)journal_seq(j);
	journal_free(&j);
	return n;
}

static inline bool
says(const char *part)
{
	if (strstr(why.text, part) != NULL)
		return true;
	printf("# it says: %s\n", why.text);
	return false;
}

static inline int
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
static inline void
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

static inline int
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

/* Where record `seq` begins in these bytes. */
static inline size_t
offset_of(const unsigned char *p, size_t len, uint64_t seq)
{
	size_t		 at = FRAME_FILE_HEAD;

	while (at < len && get_le64(p + at + 5) != seq)
		at += 4 + (size_t)get_le32(p + at);
	return at;
}

#endif
