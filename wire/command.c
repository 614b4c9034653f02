/*
 * Commands in bytes.
 *
 *	open:	type, a byte; varint: presence bits of the fields that may be
 *		absent; varint: t_ms; then every field that is there, in the
 *		order of enum command_field
 *	sealed:	ip: its 4 bytes, or 16 when it is not an IPv4 one
 *		ips: varint: how many; for each a byte, the bits of it, or
 *		129 + those of an IPv4 network; then its address
 *
 * What a field looks like goes by its kind: a text is a length and bytes, a
 * number a varint, a word a byte.
 */
#include "wire/command.h"

#include <assert.h>

#include "wire/bytes.h"
#include "wire/command_fields.h"

#define SIGN_V4		129	/* + bits: an IPv4 network */
#define V4_BITS		96	/* of the prefix that IPv4 is mapped into */

void
command_clear(struct command *c, enum command_type type, int64_t t_ms)
{
	memset(c, 0, sizeof(*c));
	c->type = type;
	c->t_ms = t_ms;
	c->limit_sat = -1;
	c->tier = -1;
	c->expires_ms = -1;
	c->answers = -1;
	c->roles = -1;
	c->count = -1;
	c->step = -1;
	c->wait_ms = -1;
}

static void
copy_field(struct command *out, const struct command *c,
    const struct command_field_def *d)
{
	void		*to = (char *)out + d->at;
	const void	*from = command_at(c, d);

	switch (d->kind) {
	case KIND_TEXT:
	case KIND_BYTES:
		*(struct text *)to = *(const struct text *)from;
		return;
	case KIND_NUMBER:
		memcpy(to, from, sizeof(int64_t));
		return;
	case KIND_WORD:
		memcpy(to, from, sizeof(unsigned));
		return;
	case KIND_FLAG:
		*(bool *)to = true;
		return;
	case KIND_SOURCE:
		out->source = c->source;
		out->n = c->n;
		return;
	case KIND_FACT:
		out->fact = c->fact;
		return;
	case KIND_FACTS:
		out->facts = c->facts;
		out->n_facts = c->n_facts;
		return;
	case KIND_HASH:
		memcpy(out->hash, c->hash, sizeof(out->hash));
		return;
	case KIND_IP:
		out->forgotten = c->forgotten;
		out->has_ip = c->has_ip && !c->forgotten;
		if (out->has_ip)
			memcpy(out->ip, c->ip, sizeof(out->ip));
		return;
	case KIND_CIDRS:
		out->forgotten = c->forgotten;
		out->cidrs = c->cidrs;
		out->n_cidrs = c->forgotten ? 0 : c->n_cidrs;
		return;
	}
	assert(!"a kind");
}

void
command_tidy(struct command *out, const struct command *c)
{
	const struct command_type_def	*def = &command_types[c->type];
	uint64_t			 fields;

	command_clear(out, c->type, c->t_ms);
	fields = command_present(c, def->may | def->one_of) | def->must;
	for (; fields != 0; fields &= fields - 1)
		copy_field(out, c, &command_fields[__builtin_ctzll(fields)]);
}

/* Packing */

size_t
command_open_room(const struct command *c)
{
	size_t	 n = c->source.len + c->by.len + c->reason.len +
	    c->account.len + c->key.len + c->id.len + c->group.len +
	    c->partner.len + c->script.len + c->fact.name.len +
	    c->fact.text.len + c->body.len + c->order.len + c->proof.len +
	    c->blob.len + c->name.len, i;

	for (i = 0; i < c->n_facts; i++)
		n += c->facts[i].name.len + c->facts[i].text.len +
		    3 * VARINT_MAX;
	/* Lengths, numbers, a hash. */
	return n + F__COUNT * VARINT_MAX + sizeof(c->hash);
}

size_t
command_sealed_room(const struct command *c)
{
	return sizeof(c->ip) + VARINT_MAX + c->n_cidrs * (1 + sizeof(c->ip));
}

static unsigned char *
put_bytes(unsigned char *p, const void *bytes, size_t len)
{
	memcpy(p, bytes, len);
	return p + len;
}

static unsigned char *
put_fact(unsigned char *p, const struct command_fact *f)
{
	p = put_text(p, f->name);
	*p++ = (unsigned char)f->kind;
	switch (f->kind) {
	case VALUE_TEXT:
		return put_text(p, f->text);
	case VALUE_INTEGER:
		return put_signed(p, f->value);
	case VALUE_FLAG:
		*p++ = (unsigned char)f->value;
		return p;
	}
	assert(!"a kind of value");
	return p;
}

static unsigned char *
put_cidrs(unsigned char *p, const struct cidr *cidrs, size_t n)
{
	const struct cidr	*c;

	p = put_varint(p, n);
	for (c = cidrs; c < cidrs + n; c++) {
		if (c->bits >= V4_BITS && ip_is_v4(c->ip)) {
			*p++ = (unsigned char)(SIGN_V4 + c->bits - V4_BITS);
			p = put_bytes(p, c->ip + 12, 4);
		} else {
			*p++ = c->bits;
			p = put_bytes(p, c->ip, 16);
		}
	}
	return p;
}

static unsigned char *
put_sealed(unsigned char *p, const struct command *c, enum command_kind kind)
{
	if (c->forgotten)
		return p;
	if (kind == KIND_CIDRS)
		return put_cidrs(p, c->cidrs, c->n_cidrs);
	return ip_is_v4(c->ip) ? put_bytes(p, c->ip + 12, 4) :
	    put_bytes(p, c->ip, 16);
}

static inline unsigned char *
put_field(unsigned char *p, unsigned char **sealed, const struct command *c,
    const struct command_field_def *d)
{
	const void	*at = command_at(c, d);
	int64_t		 number;
	unsigned	 word;
	size_t		 i;

	switch (d->kind) {
	case KIND_TEXT:
	case KIND_BYTES:
		return put_text(p, *(const struct text *)at);
	case KIND_NUMBER:
		memcpy(&number, at, sizeof(number));
		return put_varint(p, (uint64_t)number);
	case KIND_WORD:
		memcpy(&word, at, sizeof(word));
		*p++ = (unsigned char)word;
		return p;
	case KIND_FLAG:
		return p;
	case KIND_SOURCE:
		return put_varint(put_text(p, c->source), c->n);
	case KIND_FACT:
		return put_fact(p, &c->fact);
	case KIND_FACTS:
		p = put_varint(p, c->n_facts);
		for (i = 0; i < c->n_facts; i++)
			p = put_fact(p, &c->facts[i]);
		return p;
	case KIND_HASH:
		return put_bytes(p, c->hash, sizeof(c->hash));
	case KIND_IP:
	case KIND_CIDRS:
		*sealed = put_sealed(*sealed, c, d->kind);
		return p;
	}
	assert(!"a kind");
	return p;
}

void
command_pack(const struct command *c, unsigned char *open,
    size_t *open_len_out, unsigned char *sealed, size_t *sealed_len_out)
{
	const struct command_type_def	*def = &command_types[c->type];
	unsigned char			*p = open, *s = sealed;
	uint64_t			 flags;
	uint64_t			 fields;

	assert(command_check(c, NULL) == RC_OK);
	flags = command_present(c, (def->may | def->one_of) & ~def->must);
	*p++ = (unsigned char)c->type;
	p = put_varint(p, flags);
	p = put_varint(p, (uint64_t)c->t_ms);
	for (fields = flags | def->must; fields != 0; fields &= fields - 1)
		p = put_field(p, &s, c,
		    &command_fields[__builtin_ctzll(fields)]);
	*open_len_out = (size_t)(p - open);
	*sealed_len_out = (size_t)(s - sealed);
}

/* Unpacking */

static void
get_fact(struct bytes *b, struct command_fact *f)
{
	uint8_t	 kind;

	memset(f, 0, sizeof(*f));
	f->name = get_text(b, COMMAND_NAME_MAX);
	kind = get_byte(b);
	if (kind > VALUE_FLAG) {
		b->bad = true;
		return;
	}
	f->kind = (enum value_kind)kind;
	switch (f->kind) {
	case VALUE_TEXT:
		f->text = get_text(b, COMMAND_REASON_MAX);
		return;
	case VALUE_INTEGER:
		f->value = get_signed(b);
		return;
	case VALUE_FLAG:
		f->value = get_byte(b);
		return;
	}
}

static void
get_facts(struct bytes *b, struct command *out, struct command_lists *lists)
{
	uint64_t	 n = get_varint(b), i;

	if (n > COMMAND_FACTS_MAX)
		b->bad = true;
	for (i = 0; i < n && !b->bad; i++)
		get_fact(b, &lists->facts[i]);
	out->facts = lists->facts;
	out->n_facts = b->bad ? 0 : (size_t)n;
}

/* `len` bytes of an address; one that fits into 4 never takes 16. */
static void
get_ip(struct bytes *b, unsigned char ip[16], size_t len)
{
	struct text	 t = get_bytes(b, len);

	memset(ip, 0, 16);
	if (b->bad)
		return;
	if (len == 4)
		ip[10] = ip[11] = 0xff;
	memcpy(ip + 16 - len, t.p, len);
}

static void
get_cidrs(struct bytes *b, struct command *out, struct command_lists *lists)
{
	uint64_t	 n = get_varint(b), i;
	struct cidr	*c;
	uint8_t		 sign;

	if (n > COMMAND_CIDRS_MAX)
		b->bad = true;
	for (i = 0; i < n && !b->bad; i++) {
		c = &lists->cidrs[i];
		sign = get_byte(b);
		get_ip(b, c->ip, sign >= SIGN_V4 ? 4 : 16);
		c->bits = (uint8_t)(sign >= SIGN_V4 ?
		    sign - SIGN_V4 + V4_BITS : sign);
		if (sign < SIGN_V4 && sign >= V4_BITS && ip_is_v4(c->ip))
			b->bad = true;
	}
	out->cidrs = lists->cidrs;
	out->n_cidrs = b->bad ? 0 : (size_t)n;
}

/* `sealed` without a place: destroyed. */
static void
get_sealed(struct bytes *sealed, struct command *out,
    struct command_lists *lists, enum command_kind kind)
{
	size_t	 len = bytes_left(sealed);

	if (sealed->p == NULL) {
		out->forgotten = true;
		return;
	}
	if (kind == KIND_CIDRS) {
		get_cidrs(sealed, out, lists);
		return;
	}
	if (len != 4 && len != 16) {
		sealed->bad = true;
		return;
	}
	get_ip(sealed, out->ip, len);
	if (len == 16 && ip_is_v4(out->ip))
		sealed->bad = true;
	out->has_ip = true;
}

static inline void
get_field(struct bytes *b, struct bytes *sealed, struct command *out,
    struct command_lists *lists, const struct command_field_def *d)
{
	void		*at = (char *)out + d->at;
	struct text	 t;
	int64_t		 number;
	unsigned	 word;

	switch (d->kind) {
	case KIND_TEXT:
	case KIND_BYTES:
		*(struct text *)at = get_text(b, (size_t)d->max);
		return;
	case KIND_NUMBER:
		number = (int64_t)get_varint(b);
		memcpy(at, &number, sizeof(number));
		return;
	case KIND_WORD:
		word = get_byte(b);
		memcpy(at, &word, sizeof(word));
		return;
	case KIND_FLAG:
		*(bool *)at = true;
		return;
	case KIND_SOURCE:
		out->source = get_text(b, (size_t)d->max);
		out->n = get_varint(b);
		return;
	case KIND_FACT:
		get_fact(b, &out->fact);
		return;
	case KIND_FACTS:
		get_facts(b, out, lists);
		return;
	case KIND_HASH:
		t = get_bytes(b, sizeof(out->hash));
		if (!b->bad)
			memcpy(out->hash, t.p, t.len);
		return;
	case KIND_IP:
	case KIND_CIDRS:
		get_sealed(sealed, out, lists, d->kind);
		return;
	}
	assert(!"a kind");
}

/* A presence bit, and nothing behind it, would have a shorter form. */
static enum rc
check_flags(const struct command *c, uint64_t flags, struct err *e)
{
	uint64_t	 lack = flags & ~command_present(c, flags);

	if (lack != 0)
		return err_set(e, "`%s`: said to be there, but is not",
		    command_fields[__builtin_ctzll(lack)].name);
	return RC_OK;
}

static enum rc
get_fields(struct bytes *b, struct bytes *sealed, struct command *out,
    struct command_lists *lists, uint64_t flags, struct err *e)
{
	const struct command_type_def	*def = &command_types[out->type];
	const struct command_field_def	*d;
	uint64_t			 fields;

	for (fields = flags | def->must; fields != 0; fields &= fields - 1) {
		d = &command_fields[__builtin_ctzll(fields)];
		get_field(b, sealed, out, lists, d);
		if (b->bad || sealed->bad)
			return err_set(e, "`%s`: cut off, too long or not "
			    "in the shortest form", d->name);
	}
	if (bytes_left(b) > 0 || bytes_left(sealed) > 0)
		return err_set(e, "%zu bytes too many",
		    bytes_left(b) + bytes_left(sealed));
	if (check_flags(out, flags, e) != RC_OK)
		return RC_FAILED;
	return command_check_fields(out, flags | def->must, e);
}

enum rc
command_unpack(struct command *out, struct command_lists *lists,
    const unsigned char *open, size_t open_len, const unsigned char *sealed,
    size_t sealed_len, struct err *e)
{
	struct bytes			 b = bytes_of(open, open_len);
	struct bytes			 s = { NULL, NULL, false };
	const struct command_type_def	*def;
	uint64_t			 flags;
	uint64_t			 one;
	uint8_t				 type;

	if (sealed != NULL)
		s = bytes_of(sealed, sealed_len);
	type = get_byte(&b);
	if (type < COMMAND_TICK || type >= COMMAND__END)
		return err_set(e, "a command of no known type (%d)", type);
	def = &command_types[type];
	flags = get_varint(&b);
	command_clear(out, (enum command_type)type, (int64_t)get_varint(&b));
	if (b.bad)
		return err_wrap(e, err_set(e, "cut off"), "%s", def->name);
	if ((flags & ~((def->may | def->one_of) & ~def->must)) != 0)
		return err_set(e, "%s: a field that it does not have",
		    def->name);
	one = flags & def->one_of;
	if (def->one_of != 0 && (one == 0 || (one & (one - 1)) != 0))
		return err_set(e, "%s: of whom it is, is not clear",
		    def->name);
	return err_wrap(e, get_fields(&b, &s, out, lists, flags, e),
	    "%s", def->name);
}
