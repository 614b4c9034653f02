/*
 * Making rows.  The row grows in the buffer in which it leaves: events are
 * written once, where the caller puts them, and moved only over the gap that
 * a shorter length leaves.
 */
#include "db/row.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "db/keyring.h"
#include "db/row_inner.h"
#include "wire/bytes.h"

#define BUFFER_MIN	65536

struct buffer {
	unsigned char	*p;
	size_t		 len, room;
};

struct row_maker {
	struct buffer	 row;		/* head and open part */
	struct buffer	 plain;
	struct row_head	 head;
	/* Where the event that is being written has its parts. */
	size_t		 open_at, open_room;
	size_t		 outcomes_at, outcomes_room;
	size_t		 sealed_room;
	bool		 waiting;	/* room was given, nothing put */
};

enum rc
row_maker_new(struct row_maker **out, struct err *e)
{
	assert(*out == NULL);
	if (sodium_init() == -1)
		return err_set(e, "libsodium does not start");
	*out = calloc(1, sizeof(**out));
	if (*out == NULL)
		return err_set(e, "no memory");
	return RC_OK;
}

void
row_maker_free(struct row_maker **m)
{
	if (*m == NULL)
		return;
	/* Personal data. */
	if ((*m)->plain.p != NULL)
		sodium_memzero((*m)->plain.p, (*m)->plain.room);
	free((*m)->plain.p);
	free((*m)->row.p);
	free(*m);
	*m = NULL;
}

/* `more` bytes behind what is there.  Nothing that was is left in a freed
 * block: it may be personal. */
static enum rc
buffer_grow(struct buffer *b, size_t more, struct err *e)
{
	unsigned char	*p;
	size_t		 room = b->room > 0 ? b->room : BUFFER_MIN;

	assert(more <= ROW_LEN_MAX * 2);
	if (b->p != NULL && b->len + more <= b->room)
		return RC_OK;
	while (room < b->len + more)
		room *= 2;
	if ((p = malloc(room)) == NULL)
		return err_set(e, "no memory for a row of %zu bytes", room);
	if (b->p != NULL) {
		memcpy(p, b->p, b->len);
		sodium_memzero(b->p, b->room);
		free(b->p);
	}
	b->p = p;
	b->room = room;
	return RC_OK;
}

void
row_begin(struct row_maker *m, uint32_t semantics, uint64_t seq,
    const unsigned char policy[32])
{
	assert(seq > 0);
	memset(&m->head, 0, sizeof(m->head));
	m->head.semantics = semantics;
	m->head.seq = seq;
	memcpy(m->head.policy, policy, sizeof(m->head.policy));
	m->row.len = ROW_HEAD_LEN;
	m->plain.len = 0;
	m->waiting = false;
}

uint32_t
row_events(const struct row_maker *m)
{
	return m->head.events;
}

size_t
row_len(const struct row_maker *m)
{
	return m->row.len + m->plain.len + ROW_SEAL_EXTRA + ROW_HASH_LEN;
}

enum rc
row_room(struct row_maker *m, size_t open, size_t sealed, size_t outcomes,
    unsigned char **open_out, unsigned char **sealed_out,
    unsigned char **outcomes_out, struct err *e)
{
	size_t	 left, more;

	assert(m->head.seq > 0);
	if (m->head.events == ROW_EVENTS_MAX)
		return err_set(e, "a row of more than %d events",
		    ROW_EVENTS_MAX);
	left = ROW_LEN_MAX - row_len(m);
	if (left < ROW_EVENT_HEAD_MAX || open > left - ROW_EVENT_HEAD_MAX ||
	    sealed > left - ROW_EVENT_HEAD_MAX - open ||
	    outcomes > left - ROW_EVENT_HEAD_MAX - open - sealed)
		return err_set(e, "a row of more than %zu bytes",
		    ROW_LEN_MAX);
	/* Finishing must not fail: its room is taken now. */
	more = open + outcomes + ROW_EVENT_HEAD_MAX + m->plain.len + sealed +
	    ROW_SEAL_EXTRA + ROW_HASH_LEN;
	if (buffer_grow(&m->row, more, e) != RC_OK ||
	    buffer_grow(&m->plain, sealed, e) != RC_OK)
		return RC_FAILED;
	m->open_at = m->row.len + VARINT_MAX;
	m->open_room = open;
	m->outcomes_at = m->open_at + open + 2 * (size_t)VARINT_MAX;
	m->outcomes_room = outcomes;
	m->sealed_room = sealed;
	m->waiting = true;
	*open_out = m->row.p + m->open_at;
	*sealed_out = m->plain.p + m->plain.len;
	*outcomes_out = m->row.p + m->outcomes_at;
	return RC_OK;
}

void
row_put(struct row_maker *m, int64_t t_ms, size_t open_len,
    size_t sealed_len, size_t outcomes_len)
{
	unsigned char	*p;

	assert(m->waiting);
	assert(open_len <= m->open_room && sealed_len <= m->sealed_room &&
	    outcomes_len <= m->outcomes_room);
	if (m->head.events == 0) {
		m->head.t_ms = t_ms;
		m->head.month = row_month(t_ms);
	}
	/* Its key would be another one's. */
	assert(row_month(t_ms) == m->head.month);
	p = put_varint(m->row.p + m->row.len, open_len);
	memmove(p, m->row.p + m->open_at, open_len);
	p = put_varint(p + open_len, sealed_len);
	p = put_varint(p, outcomes_len);
	memmove(p, m->row.p + m->outcomes_at, outcomes_len);
	m->row.len = (size_t)(p + outcomes_len - m->row.p);
	m->plain.len += sealed_len;
	m->head.events++;
	m->waiting = false;
}

static void
head_put(unsigned char *row, const struct row_head *h)
{
	put_le32(row, ROW_MAGIC);
	put_le32(row + 4, h->semantics);
	put_le64(row + 8, h->seq);
	put_le64(row + 16, (uint64_t)h->t_ms);
	put_le32(row + 24, h->events);
	put_le32(row + 28, h->month);
	memcpy(row + 32, h->policy, sizeof(h->policy));
	put_le32(row + 64, h->open_len);
	put_le32(row + 68, h->sealed_len);
}

/* Behind the open part: the nonce, the plain bytes sealed, the tag. */
static void
seal(struct row_maker *m, const unsigned char *key)
{
	unsigned char	 own[ROW_KEY_LEN];
	unsigned char	*out = m->row.p + m->row.len;
	int		 bad;

	row_nonce(out, key, m->row.p, m->row.len, m->plain.p, m->plain.len);
	keyring_subkey(own, key, KEY_SEAL);
	bad = crypto_aead_xchacha20poly1305_ietf_encrypt(out + ROW_NONCE_LEN,
	    NULL, m->plain.p, m->plain.len, m->row.p, m->row.len, NULL, out,
	    own);
	assert(bad == 0);
	sodium_memzero(own, sizeof(own));
	m->row.len += m->head.sealed_len;
}

void
row_finish(struct row_maker *m, const unsigned char *key,
    unsigned char hash[ROW_HASH_LEN], const unsigned char **row_out,
    size_t *len_out)
{
	struct row_head	 again;
	enum rc		 rc;

	assert(m->head.events > 0 && !m->waiting);
	assert(key != NULL || m->plain.len == 0);
	m->head.open_len = (uint32_t)(m->row.len - ROW_HEAD_LEN);
	if (m->plain.len > 0)
		m->head.sealed_len = (uint32_t)(m->plain.len +
		    ROW_SEAL_EXTRA);
	assert(m->row.len + m->head.sealed_len + ROW_HASH_LEN <=
	    m->row.room);
	head_put(m->row.p, &m->head);
	if (m->plain.len > 0)
		seal(m, key);
	row_hash(hash, hash, m->row.p, m->row.len);
	memcpy(m->row.p + m->row.len, hash, ROW_HASH_LEN);
	*row_out = m->row.p;
	*len_out = m->row.len + ROW_HASH_LEN;
	/* What was written must be what is read. */
	rc = row_parse(&again, *row_out, *len_out, m->head.seq, NULL);
	assert(rc == RC_OK);
	m->head.seq = 0;
}
