#include "engine/tables.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct entry {
	struct ident	 id;
	int		 group;
};

struct set {
	struct entry	*entries;	/* open addressing, a power of two */
	size_t		 mask;
	int		 n_groups;
	/* Networks: which prefix lengths occur, so that a look-up tries only
	 * those. */
	unsigned char	 bits[129];
	int		 n_bits;
};

struct tables {
	struct ident_key ids;
	struct set	*sets;
	int		 n_sets;
};

void
tables_mask(unsigned char out[16], const unsigned char ip[16], int bits)
{
	int		 i;

	for (i = 0; i < 16; i++) {
		if (bits >= 8)
			out[i] = ip[i];
		else if (bits <= 0)
			out[i] = 0;
		else
			out[i] = (unsigned char)(ip[i] & (0xff00 >> bits));
		bits -= 8;
	}
}

static struct ident
network_ident(const struct ident_key *ids, const unsigned char ip[16],
    int bits)
{
	unsigned char	 text[17];

	tables_mask(text, ip, bits);
	text[16] = (unsigned char)bits;
	return ident_of(ids, text, sizeof(text));
}

static struct entry *
slot_of(const struct set *s, struct ident id)
{
	size_t		 i = id.lo & s->mask;

	while (!ident_none(s->entries[i].id) &&
	    !ident_equal(s->entries[i].id, id))
		i = (i + 1) & s->mask;
	return &s->entries[i];
}

static struct ident
row_ident(const struct tables *t, const struct table *table,
    const struct table_row *row)
{
	switch (table->kind) {
	case TABLE_ADDRESSES:
		return ident_of(&t->ids, row->script,
		    (size_t)row->script_len);
	case TABLE_ACCOUNTS:
	case TABLE_GROUPS:
		return ident_of(&t->ids, row->text, strlen(row->text));
	case TABLE_NETWORKS:
		return network_ident(&t->ids, row->ip, row->bits);
	}
	assert(0);
	return (struct ident){ 0, 0 };
}

static void
note_bits(struct set *s, int bits)
{
	if (memchr(s->bits, bits, (size_t)s->n_bits) == NULL)
		s->bits[s->n_bits++] = (unsigned char)bits;
}

static enum rc
set_fill(struct tables *t, struct set *s, const struct table *table,
    struct err *e)
{
	const struct table_row *row;
	struct entry	*entry;
	size_t		 i, size = 8;

	while (size < table->n_rows * 2)
		size *= 2;
	if ((s->entries = calloc(size, sizeof(*s->entries))) == NULL)
		return err_set(e, "table <%s>: out of memory", table->name);
	s->mask = size - 1;
	for (i = 0; i < table->n_rows; i++) {
		row = &table->rows[i];
		entry = slot_of(s, row_ident(t, table, row));
		if (ident_none(entry->id)) {
			entry->id = row_ident(t, table, row);
			entry->group = row->group;
		}
		if (row->group + 1 > s->n_groups)
			s->n_groups = row->group + 1;
		if (table->kind == TABLE_NETWORKS)
			note_bits(s, row->bits);
	}
	return RC_OK;
}

enum rc
tables_new(struct tables **out, const struct policy *p,
    const struct ident_key *ids, struct err *e)
{
	struct tables	*t;
	enum rc		 rc = RC_OK;
	int		 i;

	if ((t = calloc(1, sizeof(*t))) == NULL)
		return err_set(e, "tables: out of memory");
	t->ids = *ids;
	t->n_sets = p->n_tables;
	t->sets = calloc((size_t)p->n_tables + 1, sizeof(*t->sets));
	if (t->sets == NULL)
		rc = err_set(e, "tables: out of memory");
	for (i = 0; rc == RC_OK && i < p->n_tables; i++)
		rc = set_fill(t, &t->sets[i], &p->tables[i], e);
	if (rc != RC_OK)
		tables_free(&t);
	*out = t;
	return rc;
}

void
tables_free(struct tables **tp)
{
	struct tables	*t = *tp;
	int		 i;

	*tp = NULL;
	if (t == NULL)
		return;
	for (i = 0; t->sets != NULL && i < t->n_sets; i++)
		free(t->sets[i].entries);
	free(t->sets);
	free(t);
}

int
tables_find(const struct tables *t, int table, struct ident id)
{
	const struct entry *entry;

	assert(table >= 0 && table < t->n_sets);
	entry = slot_of(&t->sets[table], id);
	return ident_none(entry->id) ? -1 : entry->group;
}

bool
tables_find_ip(const struct tables *t, int table, const unsigned char ip[16])
{
	const struct set *s;
	int		 i;

	assert(table >= 0 && table < t->n_sets);
	s = &t->sets[table];
	for (i = 0; i < s->n_bits; i++)
		if (!ident_none(slot_of(s, network_ident(&t->ids, ip,
		    s->bits[i]))->id))
			return true;
	return false;
}

int
tables_groups(const struct tables *t, int table)
{
	return t->sets[table].n_groups;
}
