/*
 * Frames: a length, and what it says.
 */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "signer/frame.h"
#include "wire/bytes.h"

#define SECTOR	512
/* A share of a sector that must be zero to say so: more than could be by
 * chance, and at a frame's beginning enough to reach its kind. */
#define SHARE	8

void
frame_file_head(unsigned char out[FRAME_FILE_HEAD])
{
	static const char head[] = "drawbridge signer journal 1\n";

	memset(out, 0, FRAME_FILE_HEAD);
	memcpy(out, head, sizeof(head) - 1);
}

const char *
frame_name(const struct frame_reader *r, char buf[40])
{
	if (r->next_seq == 0)
		return "its first record";
	(void)snprintf(buf, 40, "record %" PRIu64, r->next_seq);
	return buf;
}

static enum frame_what
bad(const struct frame_reader *r, struct err *e, const char *what)
{
	char		 name[40];

	(void)err_set(e, "%s: %s", frame_name(r, name), what);
	return FRAME_BAD;
}

static bool
all_zero(const unsigned char *p, size_t len)
{
	size_t		 i;

	for (i = 0; i < len; i++)
		if (p[i] != 0)
			return false;
	return true;
}

/*
 * At least `need` bytes in the buffer, or all there are in the file; false
 * when they cannot be read.
 */
static bool
fill(struct frame_reader *r, size_t need, struct err *e)
{
	off_t		 left = r->size - r->off;
	size_t		 want, got;
	ssize_t		 n;

	if ((off_t)need > left)
		need = (size_t)left;
	if (r->have - r->at >= need)
		return true;
	memmove(r->buf, r->buf + r->at, r->have - r->at);
	r->have -= r->at;
	r->at = 0;
	want = left < (off_t)FRAME_MAX ? (size_t)left : FRAME_MAX;
	for (got = r->have; got < want; got += (size_t)n) {
		n = pread(r->fd, r->buf + got, want - got,
		    r->off + (off_t)got);
		if (n < 0 && errno == EINTR) {
			n = 0;
			continue;
		}
		if (n <= 0) {
			(void)err_set(e, "cannot be read: %s", n < 0 ?
			    strerror(errno) : "it became shorter");
			return false;
		}
	}
	r->have = got;
	return true;
}

enum rc
frame_begin(struct frame_reader *r, int fd, struct err *e)
{
	unsigned char	 head[FRAME_FILE_HEAD];

	memset(r, 0, sizeof(*r));
	r->fd = fd;
	/* fstat() is not among the signer's twenty calls. */
	if ((r->size = lseek(fd, 0, SEEK_END)) < 0)
		return err_set(e, "cannot be read: %s", strerror(errno));
	if ((r->buf = malloc(FRAME_MAX)) == NULL)
		return err_set(e, "no memory to read it");
	if (!fill(r, FRAME_FILE_HEAD, e))
		return RC_FAILED;
	frame_file_head(head);
	if (r->have < FRAME_FILE_HEAD ||
	    memcmp(r->buf, head, FRAME_FILE_HEAD) != 0)
		return err_set(e, "is not the journal of a signer");
	r->at = FRAME_FILE_HEAD;
	r->off = FRAME_FILE_HEAD;
	return RC_OK;
}

void
frame_end(struct frame_reader *r)
{
	free(r->buf);
	r->buf = NULL;
}

const unsigned char *
frame_tail(const struct frame_reader *r, size_t *len)
{
	*len = (size_t)(r->size - r->off);
	assert(r->have - r->at >= *len);
	return r->buf + r->at;
}

/*
 * Does a frame begin here that follows the one that seems to be torn?  One of
 * the chain only has to look like it; one that halted while locked is
 * recognised whole.
 */
static bool
follows(const unsigned char *p, size_t left, uint64_t seq)
{
	size_t		 len;
	uint64_t	 its;

	if (left < FRAME_MIN || !record_kind_known(p[4]))
		return false;
	len = (size_t)get_le32(p) + 4;
	if (len < FRAME_MIN || len > FRAME_MAX)
		return false;
	its = get_le64(p + 5);
	if (p[4] == RECORD_HALT_LOCKED)
		return its == 0 && len <= left && get_le64(p + 13) == 0 &&
		    all_zero(p + len - FRAME_MAC, FRAME_MAC);
	return its == seq;
}

static enum frame_what
look_at_tail(struct frame_reader *r, struct err *e)
{
	const unsigned char *p;
	uint64_t	 next;
	size_t		 len, i;
	bool		 halt;

	if (!fill(r, FRAME_MAX, e))
		return FRAME_BAD;
	p = frame_tail(r, &len);
	if (len < FRAME_MIN)
		return FRAME_TORN;
	halt = p[4] == RECORD_HALT_LOCKED && get_le64(p + 5) == 0;
	next = r->next_seq != 0 ? r->next_seq : get_le64(p + 5);
	next += halt ? 0 : 1;
	for (i = 1; i + FRAME_MIN <= len; i++)
		if (follows(p + i, len - i, next))
			return bad(r, e, "its length is wrong: others follow");
	/* A halt's reason does not end in a NUL, so this one is whole. */
	if (halt && all_zero(p + len - FRAME_MAC, FRAME_MAC))
		return bad(r, e, "the halt before it has a wrong length");
	return FRAME_TORN;
}

/* A length that cannot be: zeros that the disk put there, or a change. */
static enum frame_what
bad_length(struct frame_reader *r, struct err *e)
{
	size_t		 share = SECTOR - (size_t)(r->off % SECTOR);
	off_t		 left = r->size - r->off;

	if (left > (off_t)FRAME_MAX)
		return bad(r, e, "its length is wrong");
	if (!fill(r, (size_t)left, e))
		return FRAME_BAD;
	if ((off_t)share > left)
		share = (size_t)left;
	if ((share < SHARE && (off_t)share < left) ||
	    !all_zero(r->buf + r->at, share))
		return bad(r, e, "its length is wrong");
	return look_at_tail(r, e);
}

static enum frame_what
check_head(struct frame_reader *r, struct frame *f, struct err *e)
{
	unsigned	 kind = f->bytes[4];
	uint64_t	 time = get_le64(f->bytes + 13);

	if (!record_kind_known(kind))
		return bad(r, e, "of a kind that does not exist");
	f->kind = (enum record_kind)kind;
	f->seq = get_le64(f->bytes + 5);
	if (time > INT64_MAX)
		return bad(r, e, "its time cannot be");
	f->running_ms = (int64_t)time;
	if (f->kind == RECORD_HALT_LOCKED) {
		if (r->next_seq == 0)
			return bad(r, e, "a halt");
		if (f->seq != 0 || f->running_ms != 0 ||
		    !all_zero(f->mac, FRAME_MAC))
			return bad(r, e, "what is written before it, a halt "
			    "while locked, was changed");
		return FRAME_GOOD;
	}
	if (f->seq == 0 || f->seq == UINT64_MAX ||
	    (r->next_seq != 0 && f->seq != r->next_seq))
		return bad(r, e, "its number is another");
	r->next_seq = f->seq + 1;
	return FRAME_GOOD;
}

enum frame_what
frame_next(struct frame_reader *r, struct frame *out, struct err *e)
{
	off_t		 left = r->size - r->off;
	enum frame_what	 what;
	size_t		 len;

	if (left == 0)
		return FRAME_END;
	if (!fill(r, 4, e))
		return FRAME_BAD;
	if (left < 4)
		return FRAME_TORN;
	len = (size_t)get_le32(r->buf + r->at) + 4;
	if (len < FRAME_MIN || len > FRAME_MAX)
		return bad_length(r, e);
	if ((off_t)len > left)
		return look_at_tail(r, e);
	if (!fill(r, len, e))
		return FRAME_BAD;
	out->off = r->off;
	out->bytes = r->buf + r->at;
	out->len = len;
	out->payload = out->bytes + FRAME_HEAD;
	out->payload_len = len - FRAME_MIN;
	out->mac = out->bytes + len - FRAME_MAC;
	if ((what = check_head(r, out, e)) != FRAME_GOOD)
		return what;
	r->at += len;
	r->off += (off_t)len;
	return FRAME_GOOD;
}

bool
frame_unwritten(const struct frame *f)
{
	size_t		 at, share;

	for (at = 0; at < f->len; at += share) {
		share = SECTOR - (size_t)((f->off + (off_t)at) % SECTOR);
		if (share > f->len - at)
			share = f->len - at;
		if (share >= SHARE && all_zero(f->bytes + at, share))
			return true;
	}
	return false;
}

size_t
frame_put(unsigned char *out, const struct record *rec)
{
	size_t		 len;

	len = record_pack(out + FRAME_HEAD, rec);
	put_le32(out, (uint32_t)(FRAME_MIN - 4 + len));
	out[4] = (unsigned char)rec->kind;
	put_le64(out + 5, rec->seq);
	put_le64(out + 13, (uint64_t)rec->running_ms);
	return FRAME_HEAD + len;
}

enum rc
frame_write(int fd, const unsigned char *p, size_t len, off_t off,
    struct err *e)
{
	size_t		 done = 0;
	ssize_t		 n;

	while (done < len) {
		n = pwrite(fd, p + done, len - done, off + (off_t)done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return err_set(e, "cannot be written: %s",
			    n < 0 ? strerror(errno) : "nothing was taken");
		done += (size_t)n;
	}
	return RC_OK;
}
