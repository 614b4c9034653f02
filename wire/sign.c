/*
 * The frames, and the words for what is asked and why not.
 */
#include "wire/sign.h"

#include <assert.h>

#include "wire/bytes.h"
#include "wire/receipt.h"

#define BIT(f)		(1u << (f))

/* On the wire: never renumbered. */
enum sign_field {
	F_NUMBER = 1,
	F_REFUSAL,
	F_KNOWN,
	F_STANDING,
	F_PSBT,
	F_RECEIPTS,
	F_APPROVALS,
	F_ID,
	F_OUTPOINT,
	F_TXID,
	F_BLOCK,
	F_KEY,
	F_SECRET,
	F_REASON,
	F_HEAD,
	F_BODY,
	F__COUNT
};

/* Lengths: `unit` bytes, at most `times` as many. */
struct sign_field_def {
	const char	*name;
	size_t		 at;		/* of the struct text */
	size_t		 unit, times;
};

#define MANY	SIGN_MAX
static const struct sign_field_def sign_fields[F__COUNT] = {
	[F_NUMBER] = { "number", 0, 8, 1 },
	[F_REFUSAL] = { "refusal", 0, 8, 1 },
	[F_KNOWN] = { "known", offsetof(struct sign_message, known),
	    SIGN_HEAD_LEN, 1 },
	[F_STANDING] = { "standing", offsetof(struct sign_message, standing),
	    RECEIPT_LEN, 1 },
	[F_PSBT] = { "psbt", offsetof(struct sign_message, psbt), 1, MANY },
	[F_RECEIPTS] = { "receipts", offsetof(struct sign_message, receipts),
	    RECEIPT_LEN, MANY },
	[F_APPROVALS] = { "approvals", offsetof(struct sign_message,
	    approvals), SIGN_APPROVAL_LEN, SIGN_APPROVALS_MAX },
	[F_ID] = { "id", offsetof(struct sign_message, id), 1, 64 },
	[F_OUTPOINT] = { "outpoint", offsetof(struct sign_message, outpoint),
	    36, 1 },
	[F_TXID] = { "txid", offsetof(struct sign_message, txid), 32, 1 },
	[F_BLOCK] = { "block", offsetof(struct sign_message, block), 32, 1 },
	[F_KEY] = { "key", offsetof(struct sign_message, key), 32, 1 },
	[F_SECRET] = { "secret", offsetof(struct sign_message, secret), 1,
	    4096 },
	[F_REASON] = { "reason", offsetof(struct sign_message, reason), 1,
	    65536 },
	[F_HEAD] = { "head", offsetof(struct sign_message, head),
	    SIGN_HEAD_LEN, 1 },
	[F_BODY] = { "body", offsetof(struct sign_message, body), 1, MANY },
};

#define KNOWN	(BIT(F_KNOWN) | BIT(F_STANDING))

/* Which fields a type must have, and may have besides. */
struct sign_type_def {
	enum sign_type	 type;
	const char	*name;
	unsigned	 must, may;
};

static const struct sign_type_def sign_types[] = {
	{ SIGN_STATUS, "status", 0, KNOWN },
	{ SIGN_DESCRIPTORS, "descriptors", 0, KNOWN },
	{ SIGN_HALT, "halt", 0, KNOWN | BIT(F_REASON) },
	{ SIGN_RESUME, "resume", BIT(F_APPROVALS), KNOWN },
	{ SIGN_PAY, "pay", BIT(F_PSBT), KNOWN | BIT(F_RECEIPTS) |
	    BIT(F_APPROVALS) },
	{ SIGN_LOAD, "load", BIT(F_RECEIPTS), KNOWN | BIT(F_APPROVALS) },
	{ SIGN_COSIGN, "cosign", BIT(F_PSBT), KNOWN | BIT(F_APPROVALS) },
	{ SIGN_BURN, "burn", BIT(F_RECEIPTS), KNOWN },
	{ SIGN_WRITE_OFF, "write-off", BIT(F_ID) | BIT(F_OUTPOINT) |
	    BIT(F_TXID) | BIT(F_BLOCK) | BIT(F_APPROVALS), KNOWN },
	{ SIGN_SIGNED, "signed", 0, KNOWN | BIT(F_NUMBER) },
	{ SIGN_EPOCH, "epoch", BIT(F_NUMBER) | BIT(F_KEY) |
	    BIT(F_APPROVALS), KNOWN },
	{ SIGN_ADOPT, "adopt", BIT(F_STANDING) | BIT(F_APPROVALS), KNOWN |
	    BIT(F_NUMBER) },
	{ SIGN_UNLOCK, "unlock", BIT(F_SECRET), KNOWN },
	{ SIGN_LOCK, "lock", 0, KNOWN },
	{ SIGN_REARM, "rearm", BIT(F_APPROVALS), KNOWN },
	{ SIGN_SETTINGS, "settings", BIT(F_BODY), KNOWN |
	    BIT(F_APPROVALS) },
	{ SIGN_DONE, "done", 0, BIT(F_HEAD) | BIT(F_PSBT) | BIT(F_BODY) |
	    BIT(F_NUMBER) | BIT(F_REASON) },
	{ SIGN_REFUSED, "refused", BIT(F_REFUSAL), BIT(F_HEAD) |
	    BIT(F_REASON) },
};

static const struct sign_type_def *
type_def(unsigned t)
{
	size_t	 i;

	for (i = 0; i < sizeof(sign_types) / sizeof(sign_types[0]); i++) {
		if (sign_types[i].type == t)
			return &sign_types[i];
	}
	return NULL;
}

const char *
sign_type_text(enum sign_type t)
{
	const struct sign_type_def	*d = type_def(t);

	return d != NULL ? d->name : "unknown";
}

bool
sign_allowed(enum sign_type t, bool custodian)
{
	return type_def(t) != NULL && t < SIGN_DONE &&
	    (custodian || t < SIGN_UNLOCK);
}

void
sign_message_clear(struct sign_message *m, enum sign_type t, uint64_t tag)
{
	memset(m, 0, sizeof(*m));
	m->type = t;
	m->tag = tag;
}

static struct text *
text_at(struct sign_message *m, unsigned field)
{
	assert(field >= F_KNOWN);
	return (struct text *)(void *)((char *)m + sign_fields[field].at);
}

static const struct text *
text_in(const struct sign_message *m, unsigned field)
{
	assert(field >= F_KNOWN);
	return (const struct text *)(const void *)((const char *)m +
	    sign_fields[field].at);
}

size_t
sign_message_room(const struct sign_message *m)
{
	size_t		 room = SIGN_FRAME_HEAD + 2 * (2 + 8);
	unsigned	 f;

	for (f = F_KNOWN; f < F__COUNT; f++) {
		if (text_in(m, f)->p != NULL)
			room += 1 + VARINT_MAX + text_in(m, f)->len;
	}
	return room;
}

static unsigned char *
put_number(unsigned char *p, enum sign_field f, uint64_t v)
{
	/* Zero is what it is when it is not there. */
	if (v == 0)
		return p;
	*p++ = (unsigned char)f;
	*p++ = 8;
	put_le64(p, v);
	return p + 8;
}

size_t
sign_message_pack(const struct sign_message *m, unsigned char *out)
{
	unsigned char	*p = out + SIGN_FRAME_HEAD;
	unsigned	 f;

	p = put_number(p, F_NUMBER, m->number);
	p = put_number(p, F_REFUSAL, m->refusal);
	for (f = F_KNOWN; f < F__COUNT; f++) {
		if (text_in(m, f)->p == NULL)
			continue;
		*p++ = (unsigned char)f;
		p = put_text(p, *text_in(m, f));
	}
	put_le32(out, (uint32_t)(p - out - 4));
	out[4] = (unsigned char)m->type;
	put_le64(out + 5, m->tag);
	return (size_t)(p - out);
}

enum rc
sign_message_len(size_t *out, const unsigned char *p, size_t len,
    struct err *e)
{
	*out = 0;
	if (len < 4)
		return RC_OK;
	*out = (size_t)get_le32(p) + 4;
	if (*out < SIGN_FRAME_HEAD || *out > SIGN_MAX)
		return err_set(e, "a frame of %zu bytes", *out);
	return RC_OK;
}

static enum rc
take_number(struct sign_message *m, unsigned f, struct text t, struct err *e)
{
	uint64_t	 v = get_le64((const unsigned char *)t.p);

	if (v == 0)
		return err_set(e, "`%s`: zero is left out",
		    sign_fields[f].name);
	if (f == F_NUMBER) {
		m->number = v;
		return RC_OK;
	}
	if (v >= SIGN_REFUSE__COUNT)
		return err_set(e, "`refusal`: not one that is known");
	m->refusal = (enum sign_refusal)v;
	return RC_OK;
}

static enum rc
take_field(struct sign_message *m, struct bytes *b, unsigned f,
    struct err *e)
{
	const struct sign_field_def	*d = &sign_fields[f];
	struct text			 t = get_text(b, SIGN_MAX);

	if (b->bad)
		return err_set(e, "`%s`: cut off", d->name);
	if (t.len % d->unit != 0 || t.len / d->unit > d->times ||
	    (d->times == 1 && t.len == 0))
		return err_set(e, "`%s`: a length that cannot be", d->name);
	if (f < F_KNOWN)
		return take_number(m, f, t, e);
	if (f == F_ID && t.len == 0)
		return err_set(e, "`id`: empty");
	*text_at(m, f) = t;
	return RC_OK;
}

/* All fields, in their order, those that the type has. */
static enum rc
take_fields(struct sign_message *m, struct bytes *b,
    const struct sign_type_def *def, struct err *e)
{
	unsigned	 there = 0, f, before = 0;

	while (bytes_left(b) > 0) {
		f = get_byte(b);
		if (f == 0 || f >= F__COUNT)
			return err_set(e, "a field of no known number (%u)",
			    f);
		if (f <= before)
			return err_set(e, "`%s`: twice, or out of order",
			    sign_fields[f].name);
		if (((def->must | def->may) & BIT(f)) == 0)
			return err_set(e, "`%s`: has no place in it",
			    sign_fields[f].name);
		if (take_field(m, b, f, e) != RC_OK)
			return RC_FAILED;
		there |= BIT(f);
		before = f;
	}
	if ((def->must & ~there) != 0)
		return err_set(e, "`%s`: missing",
		    sign_fields[__builtin_ctz(def->must & ~there)].name);
	return RC_OK;
}

enum rc
sign_message_unpack(struct sign_message *out, const unsigned char *p,
    size_t len, struct err *e)
{
	const struct sign_type_def	*def;
	struct bytes			 b;
	size_t				 whole;

	if (sign_message_len(&whole, p, len, e) != RC_OK)
		return RC_FAILED;
	if (whole == 0 || whole != len)
		return err_set(e, "a frame that is cut off");
	if ((def = type_def(p[4])) == NULL)
		return err_set(e, "a frame of no known type (%d)", p[4]);
	sign_message_clear(out, def->type, get_le64(p + 5));
	b = bytes_of(p + SIGN_FRAME_HEAD, len - SIGN_FRAME_HEAD);
	return err_wrap(e, take_fields(out, &b, def, e), "%s", def->name);
}
