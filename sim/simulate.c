#include "sim/simulate.h"

#include <stdlib.h>
#include <string.h>

#include "lib/civil.h"
#include "sim/traffic.h"

/* Items of an attack waiting for their moment, and where events go. */
struct merge {
	const struct simulate_sink *sink;
	enum network	 net;
	struct items	 attack;
	size_t		 at;
	int64_t		 end_ms;
	struct item_text text;
};

static enum rc
emit(struct merge *m, const struct item *it)
{
	struct scenario_event	 ev;

	item_event(it, m->net, &m->text, &ev);
	return m->sink->take(m->sink->ctx, &ev);
}

static enum rc
emit_header(struct merge *m)
{
	struct scenario_event	 ev;

	scenario_event_clear(&ev, SCENARIO_HEADER, 0);
	ev.network = m->net;
	return m->sink->take(m->sink->ctx, &ev);
}

/* One item of the traffic, after what the thieves do before it. */
static enum rc
merge_item(struct merge *m, const struct item *it)
{
	while (m->at < m->attack.n &&
	    m->attack.v[m->at].t_ms < it->t_ms)
		if (emit(m, &m->attack.v[m->at++]) != RC_OK)
			return RC_FAILED;
	return emit(m, it);
}

static enum rc
merge_rest(struct merge *m)
{
	while (m->at < m->attack.n)
		if (emit(m, &m->attack.v[m->at++]) != RC_OK)
			return RC_FAILED;
	return RC_OK;
}

static enum rc
merge_start(struct merge *m, const struct world *w, const char *attack,
    const struct params *p, const struct simulate_sink *sink, struct err *e)
{
	memset(m, 0, sizeof(*m));
	m->sink = sink;
	m->net = (enum network)w->p.network;
	if (attack == NULL)
		return RC_OK;
	return attack_make(&m->attack, w, p, attack, e);
}

enum rc
simulate_run(const struct params *p, const char *attack,
    const struct simulate_sink *sink, struct err *e)
{
	struct world		 w;
	struct merge		 m;
	struct traffic		*tr = NULL;
	const struct item	*it;
	enum rc			 rc;

	if (world_init(&w, p, e) != RC_OK)
		return RC_FAILED;
	if ((rc = merge_start(&m, &w, attack, p, sink, e)) == RC_OK &&
	    (rc = traffic_new(&tr, &w, e)) == RC_OK)
		rc = emit_header(&m);
	while (rc == RC_OK && (it = traffic_next(tr)) != NULL)
		rc = merge_item(&m, it);
	if (rc == RC_OK)
		rc = merge_rest(&m);
	traffic_free(&tr);
	items_free(&m.attack);
	return rc;
}

struct simulate_base {
	struct world	 w;
	struct items	 items;
};

enum rc
simulate_base_new(struct simulate_base **out, const struct params *p,
    struct err *e)
{
	struct simulate_base	*b;
	struct traffic		*tr = NULL;
	const struct item	*it;

	b = calloc(1, sizeof(*b));
	if (b == NULL)
		return err_set(e, "no memory");
	if (world_init(&b->w, p, e) != RC_OK ||
	    traffic_new(&tr, &b->w, e) != RC_OK) {
		simulate_base_free(&b);
		return RC_FAILED;
	}
	while ((it = traffic_next(tr)) != NULL)
		items_push(&b->items, it);
	traffic_free(&tr);
	*out = b;
	return RC_OK;
}

void
simulate_base_free(struct simulate_base **b)
{
	if (*b == NULL)
		return;
	items_free(&(*b)->items);
	free(*b);
	*b = NULL;
}

size_t
simulate_base_events(const struct simulate_base *b)
{
	return b->items.n;
}

const struct world *
simulate_base_world(const struct simulate_base *b)
{
	return &b->w;
}

enum rc
simulate_base_run(const struct simulate_base *b, const char *attack,
    const struct params *p, const struct simulate_sink *sink, struct err *e)
{
	struct merge	 m;
	enum rc		 rc;
	size_t		 i;

	rc = merge_start(&m, &b->w, attack, p != NULL ? p : &b->w.p, sink, e);
	if (rc == RC_OK)
		rc = emit_header(&m);
	for (i = 0; rc == RC_OK && i < b->items.n; i++)
		rc = merge_item(&m, &b->items.v[i]);
	if (rc == RC_OK)
		rc = merge_rest(&m);
	items_free(&m.attack);
	return rc;
}
