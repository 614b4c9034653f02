/*
 * The state as bytes, and its hash.
 *
 * A stream is a head, a table that names every section with the size and the
 * number of its records, and then the sections in that order.  What is
 * hashed comes first: the pools, the queues, the rest.  Behind it stand the
 * slots of the indexes in use: they could be made again from the pools, but
 * only by going through memory at random.
 *
 * The bytes are authentic (db/snapshot.h), so what is checked here is that
 * they are for this program, this policy and these keys, and that they fit.
 */
#include <stdio.h>
#include <stdlib.h>

#include "engine/inner.h"
#include "engine/layout.h"
#include "engine/pieces.h"
#include "lib/sha256.h"

#define SECTIONS_MAX	(2 * PLACES_MAX + RULES_MAX + 32)

static const char magic[8] = "DBstate";

/* Native integers: a machine of the other byte order reads another layout. */
struct save_head {
	char		magic[8];
	uint32_t	layout;
	uint32_t	n_sections;
	uint64_t	program;	/* digest */
	uint64_t	keys;		/* of the fingerprints */
	uint64_t	receipts;	/* receipt_at_release */
	unsigned char	shape[32];	/* digest of offsets and sizes */
};

struct save_entry {
	char		name[24];
	uint64_t	record_size;
	uint64_t	count;		/* bytes: record_size * count */
	uint64_t	live;		/* pools: records in use */
	int64_t		mark;		/* pools: first free, rings: newest */
};

/* One section, and where it lies. */
struct section {
	struct save_entry entry;
	void		*base;
	size_t		 count_max;
	/* One of these, or none when it is always whole. */
	struct store	*store;
	struct due	*due;
	struct taint_ring *ring;
	struct index	*index;
};

struct sections {
	struct section	 list[SECTIONS_MAX];
	int		 n;
	int		 n_hashed;
	size_t		 bytes_hashed;
};

static struct section *
add(struct sections *s, const char *name, void *base, size_t record_size,
    size_t count, size_t count_max)
{
	struct section	*x = &s->list[s->n++];

	assert(s->n <= SECTIONS_MAX && strlen(name) < sizeof(x->entry.name));
	memset(x, 0, sizeof(*x));
	memcpy(x->entry.name, name, strlen(name));
	x->entry.record_size = record_size;
	x->entry.count = count;
	x->base = base;
	x->count_max = count_max;
	return x;
}

static void
add_store(struct sections *s, const char *name, struct store *st)
{
	struct section	*x = add(s, name, st->base, st->record_size,
	    st->top, st->count_max);

	x->entry.live = st->live;
	x->entry.mark = st->free_first;
	x->store = st;
}

static void
add_due(struct sections *s, const char *name, struct due *d)
{
	struct section	*x = add(s, name, d->heap, sizeof(*d->heap),
	    d->count, d->capacity);

	x->due = d;
}

static void
add_index(struct sections *s, const char *name, struct index *ix)
{
	struct section	*x = add(s, name, NULL, sizeof(*ix->slots),
	    ix->count, ix->count_max);

	x->index = ix;
}

/* Of an index: what is named like its pool, with a word more. */
static const char *
place_name(char out[24], int place, const char *more)
{
	static const char *const names[PLACE_OTHER] = {
		"platform", "accounts", "destinations", "keys",
	};

	if (place < PLACE_OTHER)
		(void)snprintf(out, 24, "%s%s", names[place], more);
	else
		(void)snprintf(out, 24, "place %d%s", place, more);
	return out;
}

static void
add_rings(struct sections *s, struct engine *e)
{
	struct taint_ring *ring;
	struct section	*x;
	char		 name[24];
	int		 i;

	for (i = 0; i < e->p->n_rules; i++) {
		ring = &e->taint[i];
		if (ring->n_bits == 0)
			continue;
		(void)snprintf(name, sizeof(name), "taint %d", i);
		x = add(s, name, ring->bits, 8, ring->n_bits / 64,
		    ring->n_bits / 64);
		x->entry.mark = ring->last;
		x->ring = ring;
	}
}

static void
add_indexes(struct sections *s, struct engine *e)
{
	char		 name[24];
	int		 i;

	for (i = PLACE_ACCOUNT; i < e->n_places; i++)
		add_index(s, place_name(name, i, " index"),
		    &e->places[i].index);
	add_index(s, "withdrawals index", &e->withdrawals_ix);
	add_index(s, "pairs index", &e->pairs_ix);
	add_index(s, "addresses index", &e->ips_ix);
	add_index(s, "uses index", &e->uses_ix);
}

/* Everything that is state, in the order of the stream. */
static void
collect(struct sections *s, struct engine *e)
{
	char		 name[24];
	int		 i;

	s->n = 0;
	s->bytes_hashed = 0;
	add(s, "vars", &e->v, sizeof(e->v), 1, 1);
	add(s, "turn", &e->turn_ms, sizeof(e->turn_ms), 1, 1);
	add(s, "hot", &e->hot, sizeof(e->hot), 1, 1);
	for (i = 0; i < e->n_places; i++)
		add_store(s, place_name(name, i, ""), &e->places[i].store);
	add_store(s, "withdrawals", &e->withdrawals);
	add_store(s, "waiting", &e->waiting);
	add_store(s, "key networks", &e->cidrs);
	add_store(s, "pairs", &e->pairs);
	add_store(s, "addresses", &e->ips);
	add_store(s, "uses", &e->uses);
	add_due(s, "due", &e->due);
	add_due(s, "stopped", &e->stopped);
	add_due(s, "unreceipted", &e->unreceipted);
	add(s, "normals", e->normals, sizeof(*e->normals),
	    (size_t)e->n_normals, (size_t)e->n_normals);
	add_rings(s, e);
	s->n_hashed = s->n;
	add_indexes(s, e);
}

static size_t
section_bytes(const struct section *x)
{
	return (size_t)(x->entry.record_size * x->entry.count);
}

/* A hash over what is collected; the memory may not be filled yet. */
static struct pieces *
hash_begin(struct sections *s)
{
	struct pieces	*p;
	int		 i;

	for (i = 0; i < s->n_hashed; i++)
		s->bytes_hashed += section_bytes(&s->list[i]);
	if ((p = pieces_new(s->bytes_hashed, (size_t)s->n_hashed)) == NULL)
		return NULL;
	for (i = 0; i < s->n_hashed; i++)
		pieces_add(p, s->list[i].base, section_bytes(&s->list[i]));
	pieces_begin(p);
	return p;
}

static void
hash_end(const struct sections *s, struct pieces *p, unsigned char out[32])
{
	struct save_entry table[SECTIONS_MAX];
	int		 i;

	for (i = 0; i < s->n_hashed; i++)
		table[i] = s->list[i].entry;
	pieces_end(p, table, (size_t)s->n_hashed * sizeof(table[0]), out);
}

/* The engine is only looked at, but for engine_load(). */
static struct engine *
open_up(const struct engine *e)
{
	return (struct engine *)(uintptr_t)e;
}

void
engine_state_hash(const struct engine *e, unsigned char out[32])
{
	struct sections	 s;
	struct pieces	*p;

	collect(&s, open_up(e));
	if ((p = hash_begin(&s)) == NULL) {
		/* There is no hash that would say so. */
		(void)fputs("engine: out of memory\n", stderr);
		abort();
	}
	hash_end(&s, p, out);
}

/* Everything of the layout that is not in the table of sections. */
static void
shape_digest(const struct engine *e, unsigned char out[32])
{
	int64_t		 x[24 * PLACES_MAX + 16 * AGGS_MAX + 4 * RULES_MAX];
	const struct counter *c;
	const struct place *pl;
	size_t		 n = 0;
	int		 i;

	for (i = 0; i < e->n_places; i++) {
		pl = &e->places[i];
		x[n++] = (int64_t)pl->scope << 32 | (uint32_t)pl->prefix;
		x[n++] = (int64_t)pl->table << 32 | (uint32_t)pl->n_taints;
		x[n++] = (int64_t)pl->size << 32 | pl->off_taint;
		x[n++] = pl->keep_ms;
	}
	for (i = 0; i < e->p->n_aggs; i++) {
		c = &e->counters[i];
		x[n++] = (int64_t)c->place << 32 | c->off;
		x[n++] = (int64_t)c->normal * 8 + c->distinct * 4 +
		    c->wide * 2 + c->committed;
		x[n++] = c->shape.width_ms;
		x[n++] = (int64_t)c->shape.buckets << 32 | c->members.cap;
	}
	for (i = 0; i < e->p->n_rules; i++) {
		x[n++] = (int64_t)e->taint_place[i] << 32 |
		    (uint32_t)e->taint_slot[i];
		x[n++] = e->taint[i].width_ms;
	}
	for (i = 0; i < OPT__COUNT; i++)
		x[n++] = e->opt[i];
	for (i = 0; i < e->n_frozen; i++)
		x[n++] = e->frozen[i];
	x[n++] = (int64_t)e->off_places << 32 | e->off_declared;
	x[n++] = e->off_frozen;
	assert(n <= sizeof(x) / sizeof(x[0]));
	sha256(out, x, n * sizeof(x[0]));
}

static struct save_head
head_of(const struct engine *e, const struct sections *s)
{
	struct save_head h;

	memset(&h, 0, sizeof(h));
	memcpy(h.magic, magic, sizeof(h.magic));
	h.layout = ENGINE_LAYOUT;
	h.n_sections = (uint32_t)s->n;
	h.program = e->p->digest;
	h.keys = ident_prf(&e->cfg.ids, "engine save", 11) ^
	    ident_prf(&e->cfg.lots, "engine save lots", 16);
	h.receipts = e->cfg.receipt_at_release;
	shape_digest(e, h.shape);
	return h;
}

/* Where bytes go to and come from. */
struct save_io {
	enum rc		(*write)(void *ctx, const void *bytes, size_t len,
			    struct err *err);
	enum rc		(*read)(void *ctx, void *bytes, size_t len,
			    struct err *err);
	void		*ctx;
};

static enum rc
write_hashed(const struct sections *s, const struct save_io *io,
    struct err *err)
{
	const unsigned char *at;
	size_t		 left, n;
	enum rc		 rc;
	int		 i;

	for (i = 0; i < s->n_hashed; i++) {
		at = s->list[i].base;
		left = section_bytes(&s->list[i]);
		for (; left > 0; left -= n, at += n) {
			n = left < PIECE_BYTES ? left : PIECE_BYTES;
			if ((rc = io->write(io->ctx, at, n, err)) != RC_OK)
				return rc;
		}
	}
	return RC_OK;
}

static enum rc
write_indexes(const struct sections *s, const struct save_io *io,
    struct err *err)
{
	size_t		 max = PIECE_BYTES / sizeof(struct index_slot);
	struct index_slot *slots = malloc(PIECE_BYTES);
	size_t		 at, n;
	enum rc		 rc = RC_OK;
	int		 i;

	if (slots == NULL)
		return err_set(err, "out of memory");
	for (i = s->n_hashed; i < s->n && rc == RC_OK; i++)
		for (at = 0; rc == RC_OK && (n = index_pack(s->list[i].index,
		    &at, slots, max)) > 0;)
			rc = io->write(io->ctx, slots, n * sizeof(*slots),
			    err);
	free(slots);
	return rc;
}

static enum rc
write_all(const struct engine *e, const struct sections *s,
    const struct save_io *io, struct err *err)
{
	struct save_head h = head_of(e, s);
	enum rc		 rc;
	int		 i;

	if ((rc = io->write(io->ctx, &h, sizeof(h), err)) != RC_OK)
		return rc;
	for (i = 0; i < s->n; i++)
		if ((rc = io->write(io->ctx, &s->list[i].entry,
		    sizeof(s->list[i].entry), err)) != RC_OK)
			return rc;
	if ((rc = write_hashed(s, io, err)) != RC_OK)
		return rc;
	return write_indexes(s, io, err);
}

enum rc
engine_save(const struct engine *e,
    enum rc (*write)(void *ctx, const void *bytes, size_t len,
    struct err *err), void *ctx, unsigned char state_hash[32],
    struct err *err)
{
	struct save_io	 io = { .write = write, .ctx = ctx };
	struct sections	 s;
	struct pieces	*p;
	enum rc		 rc;

	collect(&s, open_up(e));
	if ((p = hash_begin(&s)) == NULL)
		return err_set(err, "out of memory");
	pieces_ready(p, s.bytes_hashed);
	if ((rc = write_all(e, &s, &io, err)) != RC_OK) {
		pieces_drop(p);
		return err_wrap(err, rc, "the engine's state");
	}
	hash_end(&s, p, state_hash);
	return RC_OK;
}

/* Is it for this engine at all? */
static enum rc
check_head(const struct engine *e, const struct sections *s,
    const struct save_head *h, struct err *err)
{
	struct save_head want = head_of(e, s);

	if (memcmp(h->magic, want.magic, sizeof(h->magic)) != 0)
		return err_set(err, "these are not the bytes of a state");
	if (h->layout != want.layout)
		return err_set(err, "it is of layout %u, this program knows "
		    "layout %u", h->layout, want.layout);
	if (h->program != want.program)
		return err_set(err, "it belongs to another policy");
	if (memcmp(h->shape, want.shape, sizeof(h->shape)) != 0 ||
	    h->n_sections != want.n_sections)
		return err_set(err, "another version of this program laid "
		    "it out otherwise");
	if (h->keys != want.keys)
		return err_set(err, "it was made with other keys of ids");
	if (h->receipts != want.receipts)
		return err_set(err, "it was made with receipts %s",
		    h->receipts ? "at release" : "apart");
	return RC_OK;
}

/* One entry of the table: does what it names fit where it belongs? */
static enum rc
take_entry(struct section *x, const struct save_entry *got, struct err *err)
{
	struct save_entry *mine = &x->entry;

	if (memcmp(got->name, mine->name, sizeof(got->name)) != 0 ||
	    got->record_size != mine->record_size)
		return err_set(err, "%s: another version of this program "
		    "laid it out otherwise", mine->name);
	if (x->store == NULL && x->due == NULL && x->index == NULL &&
	    got->count != x->count_max)
		return err_set(err, "%s: %llu of them, not %zu", mine->name,
		    (unsigned long long)got->count, x->count_max);
	if (got->count > x->count_max)
		return err_set(err, "%s: %llu of them, and there is room "
		    "for %zu", mine->name, (unsigned long long)got->count,
		    x->count_max);
	if (x->store != NULL && (got->live > got->count ||
	    (got->mark != STORE_NONE && (got->mark < 0 ||
	    (uint64_t)got->mark >= got->count))))
		return err_set(err, "%s: the counts do not agree",
		    mine->name);
	*mine = *got;
	return RC_OK;
}

/* Head and table; the pools get their sizes. */
static enum rc
read_table(struct engine *e, struct sections *s, const struct save_io *io,
    struct err *err)
{
	struct save_entry entry;
	struct save_head h;
	struct section	*x;
	enum rc		 rc;
	int		 i;

	if ((rc = io->read(io->ctx, &h, sizeof(h), err)) != RC_OK ||
	    (rc = check_head(e, s, &h, err)) != RC_OK)
		return rc;
	for (i = 0; i < s->n; i++) {
		x = &s->list[i];
		if ((rc = io->read(io->ctx, &entry, sizeof(entry), err)) !=
		    RC_OK || (rc = take_entry(x, &entry, err)) != RC_OK)
			return rc;
		if (x->index != NULL && entry.count != x->index->store->live)
			return err_set(err, "%s: the counts do not agree",
			    x->entry.name);
		if (x->store != NULL) {
			x->store->top = (uint32_t)entry.count;
			x->store->live = (uint32_t)entry.live;
			x->store->free_first = (uint32_t)entry.mark;
		}
		if (x->due != NULL)
			x->due->count = (size_t)entry.count;
		if (x->ring != NULL)
			x->ring->last = entry.mark;
	}
	return RC_OK;
}

static enum rc
read_hashed(const struct sections *s, struct pieces *p,
    const struct save_io *io, struct err *err)
{
	unsigned char	*at;
	size_t		 left, n, done = 0;
	enum rc		 rc;
	int		 i;

	for (i = 0; i < s->n_hashed; i++) {
		at = s->list[i].base;
		left = section_bytes(&s->list[i]);
		for (; left > 0; left -= n, at += n) {
			n = left < PIECE_BYTES ? left : PIECE_BYTES;
			if ((rc = io->read(io->ctx, at, n, err)) != RC_OK)
				return rc;
			pieces_ready(p, done += n);
		}
	}
	return RC_OK;
}

static enum rc
read_indexes(const struct sections *s, const struct save_io *io,
    struct err *err)
{
	size_t		 max = PIECE_BYTES / sizeof(struct index_slot);
	struct index_slot *slots = malloc(PIECE_BYTES);
	size_t		 left, n;
	enum rc		 rc = RC_OK;
	int		 i;

	if (slots == NULL)
		return err_set(err, "out of memory");
	for (i = s->n_hashed; i < s->n && rc == RC_OK; i++) {
		left = (size_t)s->list[i].entry.count;
		for (; left > 0 && rc == RC_OK; left -= n) {
			n = left < max ? left : max;
			rc = io->read(io->ctx, slots, n * sizeof(*slots),
			    err);
			if (rc == RC_OK &&
			    !index_unpack(s->list[i].index, slots, n))
				rc = err_set(err, "%s: a slot of no record",
				    s->list[i].entry.name);
		}
	}
	free(slots);
	return rc;
}

/* Where each handle stands follows from the heap. */
static enum rc
place_handles(struct due *d, const struct store *waiting, const char *name,
    struct err *err)
{
	size_t		 i;

	for (i = 0; i < d->count; i++) {
		if (d->heap[i].handle >= waiting->top ||
		    d->place[d->heap[i].handle] != 0)
			return err_set(err, "%s: an entry of nothing", name);
		d->place[d->heap[i].handle] = (uint32_t)i + 1;
	}
	return RC_OK;
}

static enum rc
load(struct engine *e, struct sections *s, const struct save_io *io,
    unsigned char state_hash[32], struct err *err)
{
	struct pieces	*p;
	enum rc		 rc;

	if ((rc = read_table(e, s, io, err)) != RC_OK)
		return rc;
	if ((p = hash_begin(s)) == NULL)
		return err_set(err, "out of memory");
	if ((rc = read_hashed(s, p, io, err)) != RC_OK ||
	    (rc = read_indexes(s, io, err)) != RC_OK ||
	    (rc = place_handles(&e->due, &e->waiting, "due", err)) !=
	    RC_OK ||
	    (rc = place_handles(&e->stopped, &e->waiting, "stopped",
	    err)) != RC_OK ||
	    (rc = place_handles(&e->unreceipted, &e->waiting,
	    "unreceipted", err)) != RC_OK) {
		pieces_drop(p);
		return rc;
	}
	hash_end(s, p, state_hash);
	return RC_OK;
}

enum rc
engine_load(struct engine *e,
    enum rc (*read)(void *ctx, void *bytes, size_t len, struct err *err),
    void *ctx, unsigned char state_hash[32], struct err *err)
{
	struct save_io	 io = { .read = read, .ctx = ctx };
	struct sections	 s;

	/* Nothing of what it held before would be taken away. */
	assert(e->v.next_ref == 0 && e->v.now_ms == 0 &&
	    e->places[PLACE_ACCOUNT].store.top == 0);
	collect(&s, e);
	return err_wrap(err, load(e, &s, &io, state_hash, err),
	    "the engine's state");
}
