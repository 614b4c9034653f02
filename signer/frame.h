/*
 * The journal's file as frames, without a key: where records begin and end,
 * and what the end of the file says about how it came to be.
 *
 * What was being written when the power went away is an incomplete frame, or
 * one of full length in which whole sectors are still zero (the file only
 * grows, so a sector that did not reach the disk reads as zeros).  Neither
 * was answered.  A frame whose length was changed looks like the first; but
 * then the frames that follow are still there to be seen.
 */
#ifndef SIGNER_FRAME_H
#define SIGNER_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/err.h"
#include "signer/record.h"

#define FRAME_FILE_HEAD	32
#define FRAME_HEAD	21	/* length, kind, sequence, running time */
#define FRAME_MAC	32
#define FRAME_MIN	((size_t)FRAME_HEAD + FRAME_MAC)
#define FRAME_MAX	(FRAME_MIN + RECORD_PAYLOAD_MAX)

struct frame {
	off_t		off;		/* in the file */
	const unsigned char *bytes;	/* until the next frame_next() */
	size_t		len;		/* all of it */
	enum record_kind kind;
	uint64_t	seq;
	int64_t		running_ms;
	const unsigned char *payload;
	size_t		payload_len;
	const unsigned char *mac;
};

/* Reads with one buffer of FRAME_MAX bytes, however long the file is. */
struct frame_reader {
	int		fd;
	off_t		off;		/* of what comes next */
	off_t		size;
	uint64_t	next_seq;	/* 0: any, it is the first */
	unsigned char	*buf;
	size_t		at, have;
};

enum frame_what {
	FRAME_GOOD,
	FRAME_END,
	FRAME_TORN,	/* from reader's `off` on: see above */
	FRAME_BAD,	/* the error says which record */
};

/* "drawbridge signer journal 1\n", filled up. */
void frame_file_head(unsigned char out[FRAME_FILE_HEAD]);
/* Checks the head of the file.  To be ended in any case. */
enum rc frame_begin(struct frame_reader *r, int fd, struct err *e)
    MUST_CHECK;
void frame_end(struct frame_reader *r);
enum frame_what frame_next(struct frame_reader *r, struct frame *out,
    struct err *e);
/* After FRAME_TORN: the bytes of the tail. */
const unsigned char *frame_tail(const struct frame_reader *r, size_t *len);
/* Has this complete frame sectors that were never written? */
bool frame_unwritten(const struct frame *f);
/* All but the MAC, which is FRAME_MAC bytes more; returns its length.
 * `out` has FRAME_MIN + record_room() bytes. */
size_t frame_put(unsigned char *out, const struct record *rec);
/* All of the bytes, or RC_FAILED. */
enum rc frame_write(int fd, const unsigned char *p, size_t len, off_t off,
    struct err *e) MUST_CHECK;
/* How `r`'s next record is called in errors. */
const char *frame_name(const struct frame_reader *r, char buf[40]);

#endif
