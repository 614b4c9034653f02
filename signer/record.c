/*
 * Fields and kinds in a table, a line each; writing and reading follow it.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "signer/record.h"
#include "wire/bytes.h"

/* In the order in which they are written. */
enum {
	NUMBER = 1 << 0,
	HEIGHT = 1 << 1,
	TXID = 1 << 2,
	HASH = 1 << 3,
	COST = 1 << 4,
	FEE = 1 << 5,
	ENGINE_SEQ = 1 << 6,
	INDEX_MAX = 1 << 7,
	OUTPOINT = 1 << 8,
	ID = 1 << 9,
	COMMITMENT = 1 << 10,
	ACCOUNT_TAG = 1 << 11,
	BODY = 1 << 12,
	IN = 1 << 13,
	IDS = 1 << 14,
	CHANGE = 1 << 15,
};

#define KINDS	(RECORD_HALT_LOCKED + 1)

static const unsigned	 kept[KINDS] = {
	[RECORD_FOUNDED] = NUMBER | HEIGHT | ENGINE_SEQ | BODY,
	[RECORD_RECOVERED] = NUMBER | HEIGHT | ENGINE_SEQ | BODY,
	[RECORD_RUNNING] = 0,
	[RECORD_SIGNED] = HEIGHT | TXID | HASH | COST | FEE | ENGINE_SEQ |
	    INDEX_MAX | IN | IDS | CHANGE,
	[RECORD_BURNED] = NUMBER | ENGINE_SEQ | ID | COMMITMENT | ACCOUNT_TAG,
	[RECORD_WRITTEN_OFF] = NUMBER | TXID | HASH | ENGINE_SEQ | OUTPOINT |
	    ID | COMMITMENT,
	[RECORD_HALTED] = NUMBER | BODY,
	[RECORD_RESUMED] = NUMBER,
	[RECORD_REARMED] = NUMBER | HEIGHT,
	[RECORD_SETTINGS] = NUMBER | HEIGHT | BODY,
	[RECORD_EPOCH] = NUMBER | HASH | ENGINE_SEQ,
	[RECORD_ADOPTED] = NUMBER | HASH | ENGINE_SEQ,
	[RECORD_BEHIND] = NUMBER | HASH,
	[RECORD_HALT_LOCKED] = BODY,
};

/* The least that one of a list takes. */
#define IN_MIN		33
#define ID_MIN		(2 + 32 + 16 + 1 + 1)
#define CHANGE_MIN	4

bool
record_kind_known(unsigned kind)
{
	return kind >= RECORD_FOUNDED && kind < KINDS;
}

static bool
is_zero(const void *p, size_t len)
{
	const unsigned char *c = p;
	size_t		 i;

	for (i = 0; i < len; i++)
		if (c[i] != 0)
			return false;
	return true;
}

/* Which fields of it say something. */
static unsigned
set_fields(const struct record *r)
{
	unsigned	 f = 0;

	f |= r->number != 0 ? NUMBER : 0;
	f |= r->height != 0 ? HEIGHT : 0;
	f |= !is_zero(r->txid, 32) ? TXID : 0;
	f |= !is_zero(r->hash, 32) ? HASH : 0;
	f |= r->cost_sat != 0 ? COST : 0;
	f |= r->fee_sat != 0 ? FEE : 0;
	f |= r->engine_seq != 0 ? ENGINE_SEQ : 0;
	f |= r->index_max != 0 ? INDEX_MAX : 0;
	f |= !is_zero(r->outpoint.txid, 32) || r->outpoint.vout != 0 ?
	    OUTPOINT : 0;
	f |= r->id.len != 0 ? ID : 0;
	f |= !is_zero(r->commitment, 32) ? COMMITMENT : 0;
	f |= !is_zero(r->account_tag, 16) ? ACCOUNT_TAG : 0;
	f |= r->body.len != 0 ? BODY : 0;
	f |= r->n_in != 0 ? IN : 0;
	f |= r->n_ids != 0 ? IDS : 0;
	f |= r->n_change != 0 ? CHANGE : 0;
	return f;
}

bool
record_fits(const struct record *r)
{
	size_t		 i;

	if (!record_kind_known(r->kind) ||
	    (set_fields(r) & ~kept[r->kind]) != 0 ||
	    r->cost_sat < 0 || r->fee_sat < 0 || r->running_ms < 0)
		return false;
	if ((kept[r->kind] & ID) != 0 &&
	    (r->id.len == 0 || r->id.len > RECORD_ID_MAX))
		return false;
	for (i = 0; i < r->n_ids; i++)
		if (r->ids[i].id.len == 0 ||
		    r->ids[i].id.len > RECORD_ID_MAX ||
		    r->ids[i].amount_sat < 0)
			return false;
	for (i = 0; i < r->n_change; i++)
		if (r->change[i].amount_sat < 0)
			return false;
	return true;
}

size_t
record_room(const struct record *r)
{
	size_t		 room;

	/* Four hashes, the tag, an outpoint and all the numbers. */
	room = 32 * 4 + 16 + VARINT_MAX * 16 + r->id.len + r->body.len;
	room += r->n_in * (32 + VARINT_MAX);
	room += r->n_ids * (RECORD_ID_MAX + 32 + 16 + VARINT_MAX * 3);
	room += r->n_change * VARINT_MAX * 4;
	return room;
}

static unsigned char *
put_hash(unsigned char *p, const unsigned char *hash, size_t len)
{
	memcpy(p, hash, len);
	return p + len;
}

static unsigned char *
put_lists(unsigned char *p, const struct record *r, unsigned f)
{
	const struct record_id *id;
	const struct record_change *c;
	size_t		 i;

	if ((f & IN) != 0) {
		p = put_varint(p, r->n_in);
		for (i = 0; i < r->n_in; i++) {
			p = put_hash(p, r->in[i].txid, 32);
			p = put_varint(p, r->in[i].vout);
		}
	}
	if ((f & IDS) != 0) {
		p = put_varint(p, r->n_ids);
		for (i = 0; i < r->n_ids; i++) {
			id = &r->ids[i];
			p = put_text(p, id->id);
			p = put_hash(p, id->commitment, 32);
			p = put_hash(p, id->account_tag, 16);
			p = put_varint(p, (uint64_t)id->amount_sat);
			p = put_varint(p, id->receipt_seq);
		}
	}
	if ((f & CHANGE) != 0) {
		p = put_varint(p, r->n_change);
		for (i = 0; i < r->n_change; i++) {
			c = &r->change[i];
			p = put_varint(p, c->vout);
			p = put_varint(p, (uint64_t)c->amount_sat);
			*p++ = c->branch;
			p = put_varint(p, c->index);
		}
	}
	return p;
}

size_t
record_pack(unsigned char *out, const struct record *r)
{
	unsigned	 f = kept[r->kind];
	unsigned char	*p = out;

	assert(record_fits(r) && r->body.len <= RECORD_BODY_MAX);
	if ((f & NUMBER) != 0)
		p = put_varint(p, r->number);
	if ((f & HEIGHT) != 0)
		p = put_varint(p, r->height);
	if ((f & TXID) != 0)
		p = put_hash(p, r->txid, 32);
	if ((f & HASH) != 0)
		p = put_hash(p, r->hash, 32);
	if ((f & COST) != 0)
		p = put_varint(p, (uint64_t)r->cost_sat);
	if ((f & FEE) != 0)
		p = put_varint(p, (uint64_t)r->fee_sat);
	if ((f & ENGINE_SEQ) != 0)
		p = put_varint(p, r->engine_seq);
	if ((f & INDEX_MAX) != 0)
		p = put_varint(p, r->index_max);
	if ((f & OUTPOINT) != 0) {
		p = put_hash(p, r->outpoint.txid, 32);
		p = put_varint(p, r->outpoint.vout);
	}
	if ((f & ID) != 0)
		p = put_text(p, r->id);
	if ((f & COMMITMENT) != 0)
		p = put_hash(p, r->commitment, 32);
	if ((f & ACCOUNT_TAG) != 0)
		p = put_hash(p, r->account_tag, 16);
	if ((f & BODY) != 0)
		p = put_text(p, r->body);
	p = put_lists(p, r, f);
	return (size_t)(p - out);
}

static uint64_t
get_number(struct bytes *b, uint64_t max)
{
	uint64_t	 v = get_varint(b);

	if (v > max) {
		b->bad = true;
		return 0;
	}
	return v;
}

static void
get_hash(unsigned char *out, struct bytes *b, size_t len)
{
	struct text	 t = get_bytes(b, len);

	if (!b->bad)
		memcpy(out, t.p, len);
}

static struct text
get_id(struct bytes *b)
{
	struct text	 t = get_text(b, RECORD_ID_MAX);

	if (t.len == 0)
		b->bad = true;
	return t;
}

/*
 * The number of a list, and room for it.  The bytes that it takes at least
 * must be there, so that a number alone allocates nothing.
 */
static size_t
get_count(struct bytes *b, size_t least, void **list, size_t *room,
    size_t size, bool *no_memory)
{
	uint64_t	 n = get_varint(b);
	void		*bigger;

	if (n > bytes_left(b) / least) {
		b->bad = true;
		return 0;
	}
	if (n > *room) {
		bigger = reallocarray(*list, (size_t)n, size);
		if (bigger == NULL) {
			*no_memory = b->bad = true;
			return 0;
		}
		*list = bigger;
		*room = (size_t)n;
	}
	return (size_t)n;
}

static void
get_lists(struct record *r, struct record_lists *l, struct bytes *b,
    unsigned f, bool *no_memory)
{
	struct record_id *id;
	struct record_change *c;
	void		*list;
	size_t		 i;

	if ((f & IN) != 0) {
		list = l->in;
		r->n_in = get_count(b, IN_MIN, &list, &l->in_room,
		    sizeof(*l->in), no_memory);
		r->in = l->in = list;
		for (i = 0; i < r->n_in; i++) {
			get_hash(l->in[i].txid, b, 32);
			l->in[i].vout = (uint32_t)get_number(b, UINT32_MAX);
		}
	}
	if ((f & IDS) != 0) {
		list = l->ids;
		r->n_ids = get_count(b, ID_MIN, &list, &l->ids_room,
		    sizeof(*l->ids), no_memory);
		r->ids = l->ids = list;
		for (i = 0; i < r->n_ids; i++) {
			id = &l->ids[i];
			id->id = get_id(b);
			get_hash(id->commitment, b, 32);
			get_hash(id->account_tag, b, 16);
			id->amount_sat = (int64_t)get_number(b, INT64_MAX);
			id->receipt_seq = get_varint(b);
		}
	}
	if ((f & CHANGE) != 0) {
		list = l->change;
		r->n_change = get_count(b, CHANGE_MIN, &list,
		    &l->change_room, sizeof(*l->change), no_memory);
		r->change = l->change = list;
		for (i = 0; i < r->n_change; i++) {
			c = &l->change[i];
			c->vout = (uint32_t)get_number(b, UINT32_MAX);
			c->amount_sat = (int64_t)get_number(b, INT64_MAX);
			c->branch = get_byte(b);
			c->index = (uint32_t)get_number(b, UINT32_MAX);
		}
	}
}

enum rc
record_unpack(struct record *out, struct record_lists *lists,
    enum record_kind kind, const unsigned char *p, size_t len, struct err *e)
{
	struct bytes	 b = bytes_of(p, len);
	bool		 no_memory = false;
	unsigned	 f;

	memset(out, 0, sizeof(*out));
	assert(record_kind_known(kind));
	out->kind = kind;
	f = kept[kind];
	if ((f & NUMBER) != 0)
		out->number = get_varint(&b);
	if ((f & HEIGHT) != 0)
		out->height = (uint32_t)get_number(&b, UINT32_MAX);
	if ((f & TXID) != 0)
		get_hash(out->txid, &b, 32);
	if ((f & HASH) != 0)
		get_hash(out->hash, &b, 32);
	if ((f & COST) != 0)
		out->cost_sat = (int64_t)get_number(&b, INT64_MAX);
	if ((f & FEE) != 0)
		out->fee_sat = (int64_t)get_number(&b, INT64_MAX);
	if ((f & ENGINE_SEQ) != 0)
		out->engine_seq = get_varint(&b);
	if ((f & INDEX_MAX) != 0)
		out->index_max = (uint32_t)get_number(&b, UINT32_MAX);
	if ((f & OUTPOINT) != 0) {
		get_hash(out->outpoint.txid, &b, 32);
		out->outpoint.vout = (uint32_t)get_number(&b, UINT32_MAX);
	}
	if ((f & ID) != 0)
		out->id = get_id(&b);
	if ((f & COMMITMENT) != 0)
		get_hash(out->commitment, &b, 32);
	if ((f & ACCOUNT_TAG) != 0)
		get_hash(out->account_tag, &b, 16);
	if ((f & BODY) != 0)
		out->body = get_text(&b, RECORD_BODY_MAX);
	get_lists(out, lists, &b, f, &no_memory);
	if (no_memory)
		return err_set(e, "no memory for its lists");
	if (b.bad || b.p != b.end)
		return err_set(e, "its contents cannot be read");
	return RC_OK;
}

void
record_lists_free(struct record_lists *l)
{
	free(l->in);
	free(l->ids);
	free(l->change);
	memset(l, 0, sizeof(*l));
}
