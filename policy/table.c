/*
 * Tables: rows as they are written become scripts, prefixes and numbers, so
 * that nothing is ever compared by its spelling (S25).
 */
#include "policy/parse.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bitcoin/address.h"
#include "lib/ident.h"

#define ROWS_MAX	4000000
#define ID_MAX		64	/* bytes of an account's name */

static bool
row_address(struct table_row *r, struct err *e)
{
	static const enum network	 nets[] = { NETWORK_MAIN, NETWORK_TEST,
	    NETWORK_REGTEST };
	struct address			 a;
	struct err			 first;
	size_t				 i;

	/* A policy does not know its network: scripts are alike on all. */
	for (i = 0; i < sizeof(nets) / sizeof(nets[0]); i++) {
		if (address_parse(&a, nets[i], r->text, strlen(r->text),
		    i == 0 ? &first : e) == RC_OK) {
			memcpy(r->script, a.script, a.len);
			r->script_len = a.len;
			return true;
		}
	}
	*e = first;
	return false;
}

static bool
row_network(struct table_row *r, struct err *e)
{
	char		 host[64];
	const char	*slash = strchr(r->text, '/');
	size_t		 n = slash != NULL ? (size_t)(slash - r->text) :
	    strlen(r->text);
	unsigned long	 bits;
	char		*end;
	bool		 v4;
	int		 i;

	if (n >= sizeof(host))
		return err_set(e, "not a network") == RC_OK;
	memcpy(host, r->text, n);
	host[n] = '\0';
	v4 = inet_pton(AF_INET, host, r->ip + 12) == 1;
	if (v4) {
		r->ip[10] = r->ip[11] = 0xff;
	} else if (inet_pton(AF_INET6, host, r->ip) != 1) {
		(void)err_set(e, "not an IP address");
		return false;
	}
	r->bits = 128;
	if (slash != NULL) {
		bits = slash[1] >= '0' && slash[1] <= '9' ?
		    strtoul(slash + 1, &end, 10) : 999;
		if (bits > (v4 ? 32 : 128) || *end != '\0') {
			(void)err_set(e, "not a prefix length");
			return false;
		}
		r->bits = (int)bits + (v4 ? 96 : 0);
	}
	for (i = r->bits; i < 128; i++) {
		if ((r->ip[i / 8] >> (7 - i % 8) & 1) != 0) {
			(void)err_set(e, "bits are set behind the prefix");
			return false;
		}
	}
	return true;
}

static bool
row_account(const struct table_row *r, struct err *e)
{
	size_t	 i, n = strlen(r->text);

	if (n > ID_MAX) {
		(void)err_set(e, "longer than %d bytes", ID_MAX);
		return false;
	}
	for (i = 0; i < n; i++) {
		if ((unsigned char)r->text[i] < '!' || r->text[i] == 0x7f) {
			(void)err_set(e, "blanks or control characters");
			return false;
		}
	}
	return true;
}

static void
add_one(struct parse *ps, struct table *t, struct pos pos, const char *text,
    size_t len, int group)
{
	struct table_row	*r;
	struct err		 e;
	bool			 good = false;

	if (t->n_rows >= ROWS_MAX) {
		diag_error(ps->d, pos, NULL, "more than %d rows", ROWS_MAX);
		return;
	}
	t->rows = arena_grow(ps->arena, t->rows, t->n_rows, sizeof(*t->rows));
	r = &t->rows[t->n_rows];
	memset(r, 0, sizeof(*r));
	r->pos = pos;
	r->text = arena_strndup(ps->arena, text, len);
	r->group = group;
	switch (t->kind) {
	case TABLE_ADDRESSES:
		good = row_address(r, &e);
		break;
	case TABLE_NETWORKS:
		good = row_network(r, &e);
		break;
	case TABLE_ACCOUNTS:
	case TABLE_GROUPS:
		good = row_account(r, &e);
		break;
	}
	if (good)
		t->n_rows++;
	else
		diag_error(ps->d, pos, NULL, "%s", e.text);
}

void
table_add(struct parse *ps, struct table *t, struct pos pos,
    const char *text, size_t len)
{
	size_t	 from, to;
	int	 group;

	/* A comma ends a group. */
	group = t->n_rows > 0 ? t->rows[t->n_rows - 1].group : 0;
	if (text == NULL) {
		t->digest++;
		return;
	}
	group += t->digest > 0;
	t->digest = 0;
	for (from = 0; from < len; from = to) {
		for (; from < len && text[from] == ' '; from++)
			continue;
		for (to = from; to < len && text[to] != ' '; to++)
			continue;
		if (to > from)
			add_one(ps, t, pos, text + from, to - from, group);
	}
}

static int
row_order(const void *va, const void *vb)
{
	const struct table_row	*a = va, *b = vb;

	return strcmp(a->text, b->text);
}

/* What the row means, without its spelling. */
static uint64_t
row_digest(const struct table *t, const struct table_row *r)
{
	static const struct ident_key	 zero;
	unsigned char			 buf[8 + ID_MAX + 16];
	size_t				 n = 0, len;

	buf[n++] = (unsigned char)t->kind;
	switch (t->kind) {
	case TABLE_ADDRESSES:
		memcpy(buf + n, r->script, (size_t)r->script_len);
		n += (size_t)r->script_len;
		break;
	case TABLE_NETWORKS:
		buf[n++] = (unsigned char)r->bits;
		memcpy(buf + n, r->ip, sizeof(r->ip));
		n += sizeof(r->ip);
		break;
	case TABLE_GROUPS:
		buf[n++] = (unsigned char)r->group;
		buf[n++] = (unsigned char)(r->group >> 8);
		buf[n++] = (unsigned char)(r->group >> 16);
		/* FALLTHROUGH */
	case TABLE_ACCOUNTS:
		len = strlen(r->text);
		assert(len <= ID_MAX);
		memcpy(buf + n, r->text, len);
		n += len;
		break;
	}
	return ident_prf(&zero, buf, n);
}

static void
check_groups(struct parse *ps, const struct table *t)
{
	struct table_row	*sorted;
	size_t			 i;

	if (t->n_rows < 2)
		return;
	sorted = arena_alloc(ps->arena, t->n_rows * sizeof(*sorted));
	memcpy(sorted, t->rows, t->n_rows * sizeof(*sorted));
	qsort(sorted, t->n_rows, sizeof(*sorted), row_order);
	for (i = 1; i < t->n_rows; i++)
		if (strcmp(sorted[i].text, sorted[i - 1].text) == 0)
			diag_error(ps->d, sorted[i].pos, NULL,
			    "`%s` stands in <%s> twice", sorted[i].text,
			    t->name);
}

static int
digest_order(const void *va, const void *vb)
{
	uint64_t	 a = *(const uint64_t *)va, b = *(const uint64_t *)vb;

	return a < b ? -1 : a > b;
}

void
table_finish(struct parse *ps, struct table *t)
{
	static const struct ident_key	 zero;
	uint64_t			*d;
	size_t				 i;

	if (t->kind == TABLE_GROUPS)
		check_groups(ps, t);
	/* Equal sets, equal digests, in whatever order they were written. */
	d = arena_alloc(ps->arena, (t->n_rows + 1) * sizeof(*d));
	for (i = 0; i < t->n_rows; i++)
		d[i] = row_digest(t, &t->rows[i]);
	qsort(d, t->n_rows, sizeof(*d), digest_order);
	t->digest = ident_prf(&zero, d, t->n_rows * sizeof(*d));
}
