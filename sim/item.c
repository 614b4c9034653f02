#include "sim/item.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/rng.h"

struct item
item_of(enum scenario_type type, int64_t t_ms, uint32_t account)
{
	struct item	 it;

	memset(&it, 0, sizeof(it));
	it.type = (uint8_t)type;
	it.t_ms = t_ms;
	it.account = account;
	return it;
}

uint64_t
ip_prefix(uint64_t ip, int bits)
{
	return (ip & ~(UINT64_C(255) << 48)) | (uint64_t)bits << 48;
}

/* Decimal digits, at least `least` of them; returns the end. */
static char *
put_number(char *p, uint64_t v, int least)
{
	char	 digits[24];
	int	 n = 0;

	do {
		digits[n++] = (char)('0' + v % 10);
		v /= 10;
	} while (v > 0 || n < least);
	while (n > 0)
		*p++ = digits[--n];
	*p = '\0';
	return p;
}

/* A prefix, then a number: the way all names here are made. */
static struct text
put_name(char *buf, const char *prefix, uint64_t v, int least)
{
	struct text	 t;
	size_t			 n = strlen(prefix);

	memcpy(buf, prefix, n);
	t.p = buf;
	t.len = (size_t)(put_number(buf + n, v, least) - buf);
	return t;
}

void
item_address(char buf[ADDRESS_TEXT_MAX], uint64_t address, enum network net)
{
	static const uint8_t	 head[5][3] = {
		[FORM_P2PKH] = { 0x76, 0xa9, 20 },
		[FORM_P2SH] = { 0xa9, 20 },
		[FORM_P2WPKH] = { 0x00, 20 },
		[FORM_P2WSH] = { 0x00, 32 },
		[FORM_P2TR] = { 0x51, 32 },
	};
	unsigned char	 script[40];
	uint64_t	 bits = 0;
	size_t		 at = 0, i, n;
	int		 form = (int)(address & 7);
	bool		 good;

	assert(form <= FORM_P2TR);
	if (form == FORM_P2PKH)
		script[at++] = head[form][0];
	script[at++] = head[form][form == FORM_P2PKH];
	n = head[form][form == FORM_P2PKH ? 2 : 1];
	script[at++] = (unsigned char)n;
	for (i = 0; i < n; i++) {
		if (i % 8 == 0)
			bits = rng_hash(address, 0x61646472, i);
		script[at++] = (unsigned char)bits;
		bits >>= 8;
	}
	if (form == FORM_P2PKH) {
		script[at++] = 0x88;	/* OP_EQUALVERIFY OP_CHECKSIG */
		script[at++] = 0xac;
	} else if (form == FORM_P2SH)
		script[at++] = 0x87;	/* OP_EQUAL */
	good = address_encode(buf, net, script, at);
	assert(good);
	(void)good;
}

static struct text
put_address(struct item_text *buf, uint64_t address, enum network net)
{
	item_address(buf->address, address, net);
	return text_of(buf->address);
}

/* An IP, and "/bits" after it when the code has a prefix length. */
static struct text
put_ip(struct item_text *buf, uint64_t ip)
{
	struct text	 t = { buf->ip, 0 };
	char			*p = buf->ip;
	int			 i, bits = (int)(ip >> 48 & 255);

	if (ip == 0)
		return text_of(NULL);
	if (ip >> 56 == 6) {
		/* 48 bits of network in a registry's range, 16 of host. */
		p += snprintf(p, sizeof(buf->ip), "2a%02x:%x:%x:%x::%x",
		    (unsigned)(ip >> 50 & 15),
		    (unsigned)(ip >> 32 & 0xffff) | 1u,
		    (unsigned)(ip >> 24 & 0xff) | 0x100u,
		    (unsigned)(ip >> 16 & 0xff) | 0x200u,
		    (unsigned)(ip & 0xffff) | 1u);
	} else {
		for (i = 24; i >= 0; i -= 8) {
			p = put_number(p, ip >> i & 255, 1);
			if (i > 0)
				*p++ = '.';
		}
		if (bits > 0) {
			*p++ = '/';
			p = put_number(p, (uint64_t)bits, 1);
		}
	}
	t.len = (size_t)(p - buf->ip);
	return t;
}

static void
event_key(const struct item *it, struct item_text *buf,
    struct scenario_event *ev)
{
	ev->withdraw = (it->flags & ITEM_WITHDRAW) != 0;
	if (it->partner != 0)
		ev->partner = put_name(buf->partner, "partner-", it->partner,
		    1);
	if (it->ip != 0) {
		buf->ips = put_ip(buf, it->ip);
		ev->ips = &buf->ips;
		ev->n_ips = 1;
	}
}

static void
event_withdraw(const struct item *it, struct item_text *buf,
    struct scenario_event *ev)
{
	ev->ip = put_ip(buf, it->ip);
	ev->via = (enum via)it->via;
	ev->code = (enum tri)it->code;
	ev->label = (enum scenario_label)it->label;
}

static void
event_account(const struct item *it, struct item_text *buf,
    struct scenario_event *ev)
{
	ev->limit_sat = it->amount_sat;
	ev->tier = it->tier > 0 ? it->tier : -1;
	if (it->partner != 0)
		ev->group = put_name(buf->group, "group-", it->partner, 1);
}

static struct text
put_key(const struct item *it, struct item_text *buf)
{
	struct text	 t = put_name(buf->key, "k", it->account, 8);

	buf->key[t.len++] = '-';
	t.len = (size_t)(put_number(buf->key + t.len, it->key, 1) - buf->key);
	return t;
}

void
item_event(const struct item *it, enum network net, struct item_text *buf,
    struct scenario_event *ev)
{
	scenario_event_clear(ev, (enum scenario_type)it->type, it->t_ms);
	ev->account = put_name(buf->account, "u", it->account, 8);
	ev->amount_sat = it->amount_sat;
	if (it->key != 0)
		ev->key = put_key(it, buf);
	if (it->address != 0)
		ev->address = put_address(buf, it->address, net);
	if (it->type == SCENARIO_WITHDRAW || it->type == SCENARIO_CANCEL)
		ev->id = put_name(buf->id, it->label == LABEL_ATTACK ? "a-" :
		    "w-", it->number, 7);
	if (it->type == SCENARIO_ACCOUNT) {
		event_account(it, buf, ev);
	} else if (it->type == SCENARIO_KEY) {
		event_key(it, buf, ev);
	} else if (it->type == SCENARIO_WITHDRAW) {
		event_withdraw(it, buf, ev);
	} else if (it->type == SCENARIO_LOGIN) {
		ev->ip = put_ip(buf, it->ip);
		ev->device_new = (enum tri)it->device_new;
	} else if (it->type == SCENARIO_SECURITY_CHANGE) {
		ev->what = (enum credential)it->what;
	} else if (it->type == SCENARIO_CHAIN_SEEN) {
		ev->first_seen_ms = it->first_seen_ms;
		ev->received_sat = it->amount_sat;
	} else if (it->type == SCENARIO_CANCEL) {
		ev->not_me = (it->flags & ITEM_NOT_ME) != 0;
		if (ev->not_me)
			ev->reason = text_of("not_me");
	}
}

void
items_push(struct items *l, const struct item *it)
{
	struct item	*v;

	if (l->n == l->room) {
		l->room = l->room == 0 ? 1024 : l->room * 2;
		v = realloc(l->v, l->room * sizeof(*v));
		if (v == NULL) {
			(void)fprintf(stderr, "simulate: no memory\n");
			exit(1);
		}
		l->v = v;
	}
	l->v[l->n++] = *it;
}

void
items_free(struct items *l)
{
	free(l->v);
	memset(l, 0, sizeof(*l));
}

/* Where an item of a time stands. */
struct place {
	uint64_t	after_ms;	/* the earliest of the list */
	size_t		at;
};

static void *
need(size_t n, size_t size)
{
	void	*v = calloc(n, size);

	if (v == NULL) {
		(void)fprintf(stderr, "simulate: no memory\n");
		exit(1);
	}
	return v;
}

/* One pass of a radix sort, which keeps the order of equals. */
#define RADIX_BITS	11
static void
radix_pass(struct place *to, const struct place *from, size_t n, int shift)
{
	size_t	 first[1 << RADIX_BITS] = { 0 }, i, sum = 0, k;

	for (i = 0; i < n; i++)
		first[from[i].after_ms >> shift & ((1 << RADIX_BITS) - 1)]++;
	for (i = 0; i < 1 << RADIX_BITS; i++) {
		k = first[i];
		first[i] = sum;
		sum += k;
	}
	for (i = 0; i < n; i++)
		to[first[from[i].after_ms >> shift &
		    ((1 << RADIX_BITS) - 1)]++] = from[i];
}

/* A list that is in order already is not touched. */
static bool
in_order(const struct items *l, uint64_t *span_out, int64_t *first_out)
{
	int64_t	 lo = l->v[0].t_ms, hi = lo;
	bool	 good = true;
	size_t	 i;

	for (i = 1; i < l->n; i++) {
		good = good && l->v[i].t_ms >= l->v[i - 1].t_ms;
		if (l->v[i].t_ms < lo)
			lo = l->v[i].t_ms;
		if (l->v[i].t_ms > hi)
			hi = l->v[i].t_ms;
	}
	*span_out = (uint64_t)(hi - lo);
	*first_out = lo;
	return good;
}

void
items_sort(struct items *l)
{
	struct place	*a, *b, *swap;
	struct item	*v;
	uint64_t	 span;
	int64_t		 first;
	size_t		 i;
	int		 shift;

	if (l->n < 2 || in_order(l, &span, &first))
		return;
	a = need(l->n, sizeof(*a));
	b = need(l->n, sizeof(*b));
	for (i = 0; i < l->n; i++) {
		a[i].after_ms = (uint64_t)(l->v[i].t_ms - first);
		a[i].at = i;
	}
	for (shift = 0; shift < 64 && span >> shift > 0;
	    shift += RADIX_BITS) {
		radix_pass(b, a, l->n, shift);
		swap = a;
		a = b;
		b = swap;
	}
	free(b);
	v = need(l->room, sizeof(*v));
	for (i = 0; i < l->n; i++)
		v[i] = l->v[a[i].at];
	free(a);
	free(l->v);
	l->v = v;
}
