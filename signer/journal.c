/*
 * The chain of records, on the frames of frame.c.
 *
 * A frame that is incomplete at the end of the file, or of which whole
 * sectors never reached the disk, was not answered: the answer follows the
 * sync.  It is dropped, and nothing is lost by that which could not be lost
 * anyway: whoever can make the end of the file look so can as well cut it
 * off at a record, and only heads that others keep show that (C4).
 */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/sha256.h"
#include "signer/frame.h"
#include "signer/journal.h"
#include "wire/bytes.h"

#define MARK_EVERY	64	/* records between offsets that are kept */
#define WHY_MAX		255	/* bytes of a reason for a halt */

struct journal {
	int		fd;
	unsigned char	key[32];
	uint64_t	first_seq;
	uint64_t	seq;
	off_t		end;
	unsigned char	hash[FRAME_MAC];
	off_t		*marks;		/* of first_seq + k * MARK_EVERY */
	size_t		n_marks, marks_room;
	unsigned char	*buf;		/* a frame to be written */
	bool		stuck;		/* never again in this process */
	struct err	why;
};

typedef enum rc each_fn(void *arg, const struct record *rec, struct err *e);

/* One pass over the file's records. */
struct pass {
	struct journal	*j;
	struct frame_reader r;
	unsigned char	hash[FRAME_MAC];	/* of the record before */
	struct record_lists lists;
	each_fn		*each;
	void		*arg;
};

static void
mac(unsigned char out[FRAME_MAC], const unsigned char key[32],
    const unsigned char before[FRAME_MAC], const unsigned char *len_bytes,
    const unsigned char *rest, size_t rest_len)
{
	struct sha256	 h;

	sha256_hmac_begin(&h, key);
	sha256_add(&h, before, FRAME_MAC);
	sha256_add(&h, len_bytes, 4);
	sha256_add(&h, rest, rest_len);
	sha256_hmac_end(&h, key, out);
}

/* The frame of a record, complete; its length. */
static size_t
seal(unsigned char *buf, const struct record *rec,
    const unsigned char key[32], const unsigned char before[FRAME_MAC])
{
	size_t		 len = frame_put(buf, rec);

	mac(buf + len, key, before, buf, buf + 4, len - 4);
	return len + FRAME_MAC;
}

enum rc
journal_create(int fd, const unsigned char key[32],
    const struct record *first, uint64_t first_seq, struct err *e)
{
	static const unsigned char nothing[FRAME_MAC];
	struct record	 rec = *first;
	unsigned char	*buf;
	struct stat	 st;
	size_t		 len;
	enum rc		 rc;

	assert(first_seq > 0 && first_seq < UINT64_MAX);
	assert(record_fits(first));
	if (fstat(fd, &st) != 0)
		return err_set(e, "journal: %s", strerror(errno));
	if (st.st_size != 0)
		return err_set(e, "journal: there is one already");
	rec.seq = first_seq;
	buf = malloc(FRAME_FILE_HEAD + FRAME_MIN + record_room(&rec));
	if (buf == NULL)
		return err_set(e, "journal: no memory");
	frame_file_head(buf);
	len = FRAME_FILE_HEAD + seal(buf + FRAME_FILE_HEAD, &rec, key,
	    nothing);
	rc = frame_write(fd, buf, len, 0, e);
	free(buf);
	if (rc == RC_OK && fsync(fd) != 0) {
		(void)err_set(e, "cannot be synced: %s", strerror(errno));
		rc = RC_UNCERTAIN;
	}
	return err_wrap(e, rc, "journal");
}

enum rc
journal_peek(int fd, uint64_t *records, bool *halted_locked, struct err *e)
{
	struct frame_reader r;
	struct frame	 f;
	enum frame_what	 what = FRAME_BAD;

	*records = 0;
	*halted_locked = false;
	if (frame_begin(&r, fd, e) == RC_OK)
		while ((what = frame_next(&r, &f, e)) == FRAME_GOOD) {
			if (f.kind == RECORD_HALT_LOCKED)
				*halted_locked = true;
			else
				++*records;
			if (f.kind == RECORD_RESUMED)
				*halted_locked = false;
		}
	frame_end(&r);
	if (what != FRAME_BAD && *records == 0) {
		(void)err_set(e, "its first record is incomplete");
		what = FRAME_BAD;
	}
	return err_wrap(e, what == FRAME_BAD ? RC_FAILED : RC_OK, "journal");
}

/* ---- reading ---- */

static enum rc
take_frame(struct pass *p, const struct frame *f, struct err *e)
{
	struct record	 rec;
	enum rc		 rc;

	rc = record_unpack(&rec, &p->lists, f->kind, f->payload,
	    f->payload_len, e);
	if (rc != RC_OK)
		return rc;
	rec.seq = f->seq;
	rec.running_ms = f->running_ms;
	if ((rc = p->each(p->arg, &rec, e)) != RC_OK)
		return rc;
	if (f->kind != RECORD_HALT_LOCKED)
		memcpy(p->hash, f->mac, FRAME_MAC);
	return RC_OK;
}

static bool
proved(const struct pass *p, const struct frame *f)
{
	unsigned char	 want[FRAME_MAC];

	mac(want, p->j->key, p->hash, f->bytes, f->bytes + 4,
	    f->len - FRAME_MAC - 4);
	return sodium_memcmp(want, f->mac, FRAME_MAC) == 0;
}

static enum rc
not_proved(const struct journal *j, struct err *e)
{
	return err_set(e, j->seq == 0 ?
	    "was changed, or is another seed's" : "was changed");
}

/* The offset of every MARK_EVERY'th. */
static enum rc
mark(struct journal *j, uint64_t seq, off_t off, struct err *e)
{
	size_t		 room;
	off_t		*bigger;

	if ((seq - j->first_seq) % MARK_EVERY != 0)
		return RC_OK;
	assert((seq - j->first_seq) / MARK_EVERY <= j->n_marks);
	if ((seq - j->first_seq) / MARK_EVERY < j->n_marks)
		return RC_OK;
	if (j->n_marks == j->marks_room) {
		room = j->marks_room == 0 ? 64 : j->marks_room * 2;
		bigger = reallocarray(j->marks, room, sizeof(*bigger));
		if (bigger == NULL)
			return err_set(e, "no memory");
		j->marks = bigger;
		j->marks_room = room;
	}
	j->marks[j->n_marks++] = off;
	return RC_OK;
}

/*
 * The next record into the journal's state.  *end: there is none, or it is
 * to be dropped.
 */
static enum rc
open_next(struct pass *p, bool *end, struct err *e)
{
	struct journal	*j = p->j;
	struct frame	 f;
	bool		 first = j->seq == 0;
	enum rc		 rc;

	switch (frame_next(&p->r, &f, e)) {
	case FRAME_BAD:
		return RC_FAILED;
	case FRAME_END:
	case FRAME_TORN:
		*end = true;
		return RC_OK;
	case FRAME_GOOD:
		break;
	}
	if (f.kind != RECORD_HALT_LOCKED) {
		if (first)
			j->first_seq = f.seq;
		if (!proved(p, &f)) {
			if (!first && p->r.off == p->r.size &&
			    frame_unwritten(&f)) {
				p->r.off = f.off;
				*end = true;
				return RC_OK;
			}
			rc = not_proved(j, e);
		} else if (first != (f.kind == RECORD_FOUNDED ||
		    f.kind == RECORD_RECOVERED))
			rc = err_set(e, first ? "does not found a signer" :
			    "founds a second signer");
		else
			rc = mark(j, f.seq, f.off, e);
		if (rc != RC_OK)
			return first ? err_wrap(e, rc, "its first record") :
			    err_wrap(e, rc, "record %" PRIu64, f.seq);
	}
	if ((rc = take_frame(p, &f, e)) != RC_OK)
		return err_wrap(e, rc, "record %" PRIu64 "%s",
		    f.seq != 0 ? f.seq : j->seq,
		    f.seq != 0 ? "" : ", the halt after it");
	if (f.seq != 0)
		j->seq = f.seq;
	j->end = p->r.off;
	return RC_OK;
}

/*
 * What lies behind the last record was never complete: cut it off, so that
 * nothing of it is behind what is written next.  Unless it is the last record
 * with another length in front.
 */
static enum rc
drop_tail(struct pass *p, struct err *e)
{
	struct journal	*j = p->j;
	unsigned char	 want[FRAME_MAC], len_bytes[4];
	const unsigned char *tail;
	size_t		 len;

	if (p->r.size == j->end)
		return RC_OK;
	tail = p->r.have - p->r.at > 0 ? frame_tail(&p->r, &len) : NULL;
	if (tail != NULL && len >= FRAME_MIN) {
		put_le32(len_bytes, (uint32_t)(len - 4));
		mac(want, j->key, j->hash, len_bytes, tail + 4,
		    len - FRAME_MAC - 4);
		if (sodium_memcmp(want, tail + len - FRAME_MAC,
		    FRAME_MAC) == 0)
			return err_set(e, "record %" PRIu64 ": its length is "
			    "wrong", j->seq + 1);
	}
	if (ftruncate(j->fd, j->end) != 0 || fdatasync(j->fd) != 0)
		return err_set(e, "its incomplete end cannot be cut off: %s",
		    strerror(errno));
	return RC_OK;
}

enum rc
journal_load(struct journal **out, int fd, const unsigned char key[32],
    each_fn *each, void *arg, struct err *e)
{
	struct pass	 p;
	struct journal	*j;
	bool		 end = false;
	enum rc		 rc;

	assert(*out == NULL);
	memset(&p, 0, sizeof(p));
	if ((p.j = j = calloc(1, sizeof(*j))) == NULL)
		return err_set(e, "journal: no memory");
	j->fd = fd;
	memcpy(j->key, key, sizeof(j->key));
	p.each = each;
	p.arg = arg;
	if ((j->buf = malloc(FRAME_MAX)) == NULL)
		rc = err_set(e, "no memory");
	else
		rc = frame_begin(&p.r, fd, e);
	while (rc == RC_OK && !end)
		rc = open_next(&p, &end, e);
	if (rc == RC_OK && j->seq == 0)
		rc = err_set(e, "its first record is incomplete");
	memcpy(j->hash, p.hash, FRAME_MAC);
	if (rc == RC_OK)
		rc = drop_tail(&p, e);
	frame_end(&p.r);
	record_lists_free(&p.lists);
	if (rc != RC_OK)
		journal_free(&j);
	*out = j;
	return err_wrap(e, rc, "journal");
}

void
journal_free(struct journal **j)
{
	if (*j == NULL)
		return;
	free((*j)->marks);
	free((*j)->buf);
	sodium_memzero(*j, sizeof(**j));
	free(*j);
	*j = NULL;
}

/* ---- writing ---- */

static enum rc
append(struct journal *j, struct record *rec, struct err *e)
{
	size_t		 len;
	enum rc		 rc;

	if (j->seq + 1 == UINT64_MAX || rec->body.len > RECORD_BODY_MAX ||
	    record_room(rec) > RECORD_PAYLOAD_MAX)
		return err_set(e, "too long");
	rec->seq = j->seq + 1;
	if ((rc = mark(j, rec->seq, j->end, e)) != RC_OK)
		return rc;
	len = seal(j->buf, rec, j->key, j->hash);
	if ((rc = frame_write(j->fd, j->buf, len, j->end, e)) != RC_OK)
		return rc;
	if (fdatasync(j->fd) != 0) {
		(void)err_set(e, "cannot be synced: %s", strerror(errno));
		return RC_UNCERTAIN;
	}
	memcpy(j->hash, j->buf + len - FRAME_MAC, FRAME_MAC);
	j->end += (off_t)len;
	j->seq = rec->seq;
	return RC_OK;
}

enum rc
journal_append(struct journal *j, struct record *rec, struct err *e)
{
	struct err	 why = { "" };
	enum rc		 rc;

	assert(rec->kind != RECORD_HALT_LOCKED && record_fits(rec));
	if (j->stuck)
		return err_set(e, "journal: not written to any more, since "
		    "%s", j->why.text);
	rc = append(j, rec, &why);
	if (rc == RC_OK)
		return RC_OK;
	j->stuck = true;
	(void)err_set(&j->why, "record %" PRIu64 ": %s", j->seq + 1,
	    why.text);
	(void)err_set(e, "journal: %s", j->why.text);
	return rc;
}

enum rc
journal_halt_locked(int fd, struct text why, struct err *e)
{
	unsigned char	 buf[FRAME_MIN + 4 + WHY_MAX + 512];
	struct frame_reader r;
	struct record	 rec;
	struct frame	 f;
	enum frame_what	 what = FRAME_BAD;
	enum rc		 rc = RC_FAILED;
	size_t		 len;

	memset(&rec, 0, sizeof(rec));
	rec.kind = RECORD_HALT_LOCKED;
	/* Its last byte is none of those that stand for the MAC: frame.c. */
	if (why.len > WHY_MAX)
		why.len = WHY_MAX;
	while (why.len > 0 && why.p[why.len - 1] == '\0')
		why.len--;
	rec.body = why.len > 0 ? why : text_of("no reason given");
	assert(FRAME_MIN + record_room(&rec) <= sizeof(buf));
	if (frame_begin(&r, fd, e) == RC_OK)
		do
			what = frame_next(&r, &f, e);
		while (what == FRAME_GOOD);
	frame_end(&r);
	if (what != FRAME_BAD && r.next_seq == 0)
		(void)err_set(e, "its first record is incomplete");
	else if (what == FRAME_TORN && ftruncate(fd, r.off) != 0)
		(void)err_set(e, "its incomplete end cannot be cut off: %s",
		    strerror(errno));
	else if (what != FRAME_BAD) {
		len = frame_put(buf, &rec);
		memset(buf + len, 0, FRAME_MAC);
		rc = frame_write(fd, buf, len + FRAME_MAC, r.off, e);
	}
	if (rc == RC_OK && fdatasync(fd) != 0) {
		(void)err_set(e, "cannot be synced: %s", strerror(errno));
		rc = RC_UNCERTAIN;
	}
	return err_wrap(e, rc, "journal");
}

/* ---- looking back ---- */

uint64_t
journal_seq(const struct journal *j)
{
	return j->seq;
}

void
journal_hash(const struct journal *j, unsigned char out[32])
{
	memcpy(out, j->hash, FRAME_MAC);
}

static bool
read_at(int fd, unsigned char *p, size_t len, off_t off, struct err *e)
{
	size_t		 done = 0;
	ssize_t		 n;

	while (done < len) {
		n = pread(fd, p + done, len - done, off + (off_t)done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			(void)err_set(e, "journal: cannot be read: %s",
			    n < 0 ? strerror(errno) : "it became shorter");
			return false;
		}
		done += (size_t)n;
	}
	return true;
}

/* Its MAC, and where it ends. */
static bool
find(const struct journal *j, uint64_t seq, unsigned char hash[FRAME_MAC],
    off_t *end, struct err *e)
{
	unsigned char	 head[FRAME_HEAD];
	uint64_t	 its;
	off_t		 off;
	size_t		 len;

	if (seq < j->first_seq || seq > j->seq) {
		(void)err_set(e, "journal: no record %" PRIu64, seq);
		return false;
	}
	off = j->marks[(seq - j->first_seq) / MARK_EVERY];
	do {
		if (off + (off_t)FRAME_MIN > j->end)
			goto changed;
		if (!read_at(j->fd, head, sizeof(head), off, e))
			return false;
		len = (size_t)get_le32(head) + 4;
		its = get_le64(head + 5);
		if (len < FRAME_MIN || len > FRAME_MAX || its > seq ||
		    off + (off_t)len > j->end)
			goto changed;
		off += (off_t)len;
	} while (its != seq);
	*end = off;
	return read_at(j->fd, hash, FRAME_MAC, off - FRAME_MAC, e);
changed:
	(void)err_set(e, "journal: record %" PRIu64 ": changed behind our "
	    "back", seq);
	return false;
}

bool
journal_hash_at(const struct journal *j, uint64_t seq, unsigned char out[32],
    struct err *e)
{
	off_t		 end;

	if (seq == j->seq) {
		journal_hash(j, out);
		return true;
	}
	return find(j, seq, out, &end, e);
}

static enum rc
walk(struct pass *p, struct err *e)
{
	struct frame	 f;
	char		 name[40];
	enum rc		 rc;

	for (;;) {
		switch (frame_next(&p->r, &f, e)) {
		case FRAME_BAD:
			return RC_FAILED;
		case FRAME_END:
			return RC_OK;
		case FRAME_TORN:
			return err_set(e, "%s: changed behind our back",
			    frame_name(&p->r, name));
		case FRAME_GOOD:
			break;
		}
		if (f.kind != RECORD_HALT_LOCKED && !proved(p, &f))
			return err_set(e, "record %" PRIu64 ": was changed",
			    f.seq);
		if ((rc = take_frame(p, &f, e)) != RC_OK)
			return err_wrap(e, rc, "record %" PRIu64, f.seq);
	}
}

enum rc
journal_walk(struct journal *j, uint64_t seq, each_fn *each, void *arg,
    struct err *e)
{
	struct pass	 p;
	off_t		 off = FRAME_FILE_HEAD;
	enum rc		 rc;

	if (seq >= j->seq)
		return RC_OK;
	memset(&p, 0, sizeof(p));
	p.j = j;
	p.each = each;
	p.arg = arg;
	if (seq < j->first_seq)
		seq = j->first_seq - 1;
	else if (!find(j, seq, p.hash, &off, e))
		return RC_FAILED;
	rc = frame_begin(&p.r, j->fd, e);
	if (rc == RC_OK) {
		p.r.size = j->end;
		p.r.off = off;
		p.r.at = p.r.have = 0;
		p.r.next_seq = seq + 1;
		rc = walk(&p, e);
	}
	frame_end(&p.r);
	record_lists_free(&p.lists);
	return err_wrap(e, rc, "journal");
}
