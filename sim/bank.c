#include "sim/bank.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* What stands before the texts of an event. */
struct head {
	int64_t		t_ms;
	int64_t		amount_sat;
	uint32_t	size;		/* of the whole record */
	uint16_t	texts;		/* bit i: text i is there */
	uint16_t	n_ips;
	uint8_t		type, via, code, device_new, paid, what, label,
			network, value_kind;
	uint8_t		withdraw, not_me;
	uint8_t		rare;		/* struct rare follows */
};

/* What few events have. */
struct rare {
	int64_t	received_sat, first_seen_ms, limit_sat, tier, version, value;
};

#define TEXTS 11
/* The texts of an event, in the order of the bits. */
static void
texts_of(struct scenario_event *ev, struct text *out[TEXTS])
{
	struct text *all[TEXTS] = { &ev->account, &ev->key, &ev->id,
		&ev->address, &ev->ip, &ev->by, &ev->reason, &ev->group,
		&ev->partner, &ev->name, &ev->value_text };

	memcpy(out, all, sizeof(all));
}

void
bank_free(struct bank *b)
{
	free(b->bytes);
	memset(b, 0, sizeof(*b));
}

static enum rc
make_room(struct bank *b, size_t more, struct err *e)
{
	size_t		 room = b->room == 0 ? 65536 : b->room;
	unsigned char	*bytes;

	while (room - b->len < more)
		room += room / 2;
	if (room == b->room)
		return RC_OK;
	if ((bytes = realloc(b->bytes, room)) == NULL)
		return err_set(e, "no memory for %zu bytes of events", room);
	b->bytes = bytes;
	b->room = room;
	return RC_OK;
}

static unsigned char *
put(unsigned char *p, const void *from, size_t len)
{
	if (len > 0)
		memcpy(p, from, len);
	return p + len;
}

static unsigned char *
put_text(unsigned char *p, const struct text *t)
{
	uint16_t	 len = (uint16_t)t->len;

	assert(t->len <= UINT16_MAX);
	p = put(p, &len, sizeof(len));
	return put(p, t->p, len);
}

static size_t
fill_head(struct head *h, struct rare *r, struct scenario_event *ev)
{
	const struct rare	 none = { 0, 0, -1, -1, 1, 0 };
	struct text	*texts[TEXTS];
	size_t			 size = sizeof(*h), i;

	*r = (struct rare){ ev->received_sat, ev->first_seen_ms,
		ev->limit_sat, ev->tier, ev->version, ev->value };
	*h = (struct head){ .t_ms = ev->t_ms, .amount_sat = ev->amount_sat,
		.type = (uint8_t)ev->type, .via = (uint8_t)ev->via,
		.code = (uint8_t)ev->code,
		.device_new = (uint8_t)ev->device_new,
		.paid = (uint8_t)ev->paid, .what = (uint8_t)ev->what,
		.label = (uint8_t)ev->label,
		.network = (uint8_t)ev->network,
		.value_kind = (uint8_t)ev->value_kind,
		.withdraw = ev->withdraw, .not_me = ev->not_me,
		.n_ips = (uint16_t)ev->n_ips };
	h->rare = memcmp(r, &none, sizeof(none)) != 0;
	size += h->rare ? sizeof(*r) : 0;
	texts_of(ev, texts);
	for (i = 0; i < TEXTS; i++) {
		if (texts[i]->p == NULL)
			continue;
		h->texts |= (uint16_t)(1u << i);
		size += sizeof(uint16_t) + texts[i]->len;
	}
	for (i = 0; i < ev->n_ips; i++)
		size += sizeof(uint16_t) + ev->ips[i].len;
	h->size = (uint32_t)size;
	return size;
}

enum rc
bank_add(struct bank *b, const struct scenario_event *given, struct err *e)
{
	struct scenario_event	 ev = *given;
	struct text	*texts[TEXTS];
	struct head		 h;
	struct rare		 r;
	unsigned char		*p;
	size_t			 i;

	assert(b->count == 0 || ev.t_ms >= b->last_ms);
	if (make_room(b, fill_head(&h, &r, &ev), e) != RC_OK)
		return RC_FAILED;
	p = put(b->bytes + b->len, &h, sizeof(h));
	if (h.rare)
		p = put(p, &r, sizeof(r));
	texts_of(&ev, texts);
	for (i = 0; i < TEXTS; i++)
		if (texts[i]->p != NULL)
			p = put_text(p, texts[i]);
	for (i = 0; i < ev.n_ips; i++)
		p = put_text(p, &ev.ips[i]);
	b->len = (size_t)(p - b->bytes);
	if (b->count++ == 0)
		b->first_ms = ev.t_ms;
	b->last_ms = ev.t_ms;
	return RC_OK;
}

void
bank_begin(struct bank_cursor *c, const struct bank *b)
{
	c->bank = b;
	c->at = 0;
}

int64_t
bank_next_ms(const struct bank_cursor *c)
{
	int64_t	 t_ms;

	if (c->at == c->bank->len)
		return INT64_MAX;
	memcpy(&t_ms, c->bank->bytes + c->at + offsetof(struct head, t_ms),
	    sizeof(t_ms));
	return t_ms;
}

static const unsigned char *
get_text(const unsigned char *p, struct text *out)
{
	uint16_t	 len;

	memcpy(&len, p, sizeof(len));
	out->p = (const char *)p + sizeof(len);
	out->len = len;
	return p + sizeof(len) + len;
}

static void
take_head(const struct head *h, struct scenario_event *ev)
{
	scenario_event_clear(ev, (enum scenario_type)h->type, h->t_ms);
	ev->amount_sat = h->amount_sat;
	ev->via = (enum via)h->via;
	ev->code = (enum tri)h->code;
	ev->device_new = (enum tri)h->device_new;
	ev->paid = (enum paid)h->paid;
	ev->what = (enum credential)h->what;
	ev->label = (enum scenario_label)h->label;
	ev->network = (enum network)h->network;
	ev->value_kind = (enum value_kind)h->value_kind;
	ev->withdraw = h->withdraw;
	ev->not_me = h->not_me;
	ev->n_ips = h->n_ips;
}

bool
bank_next(struct bank_cursor *c, struct scenario_event *ev)
{
	struct text	*texts[TEXTS];
	const unsigned char	*p;
	struct head		 h;
	struct rare		 r = { 0, 0, -1, -1, 1, 0 };
	size_t			 i;

	if (c->at == c->bank->len)
		return false;
	p = c->bank->bytes + c->at;
	memcpy(&h, p, sizeof(h));
	p += sizeof(h);
	take_head(&h, ev);
	if (h.rare) {
		memcpy(&r, p, sizeof(r));
		p += sizeof(r);
	}
	ev->received_sat = r.received_sat;
	ev->first_seen_ms = r.first_seen_ms;
	ev->limit_sat = r.limit_sat;
	ev->tier = r.tier;
	ev->version = r.version;
	ev->value = r.value;
	texts_of(ev, texts);
	for (i = 0; i < TEXTS; i++)
		if (h.texts & 1u << i)
			p = get_text(p, texts[i]);
	for (i = 0; i < ev->n_ips; i++)
		p = get_text(p, &c->ips[i]);
	ev->ips = ev->n_ips > 0 ? c->ips : NULL;
	c->at += h.size;
	return true;
}
