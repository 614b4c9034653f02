/*
 * What `drawbridge audit verify` found, for people and as JSON.
 */
#include <inttypes.h>
#include <string.h>

#include "cli/audit.h"
#include "lib/civil.h"
#include "lib/json.h"
#include "lib/term.h"

#define NUMBER_MAX	40

static const char *
count_text(char buf[NUMBER_MAX], uint64_t n)
{
	char	 digits[24];
	int	 len = snprintf(digits, sizeof(digits), "%" PRIu64, n);
	int	 i, used = 0;

	for (i = 0; i < len; i++) {
		if (i > 0 && (len - i) % 3 == 0)
			buf[used++] = ',';
		buf[used++] = digits[i];
	}
	buf[used] = '\0';
	return buf;
}

/* "2.3 MiB" */
static const char *
bytes_text(char buf[NUMBER_MAX], uint64_t n)
{
	static const char *const	 units[] = { "bytes", "KiB", "MiB",
		"GiB", "TiB" };
	size_t				 u = 0;
	uint64_t			 tenths = n * 10;

	while (tenths >= 10240 && u + 1 < sizeof(units) / sizeof(units[0])) {
		tenths /= 1024;
		u++;
	}
	if (u == 0)
		(void)snprintf(buf, NUMBER_MAX, "%" PRIu64 " bytes", n);
	else
		(void)snprintf(buf, NUMBER_MAX, "%" PRIu64 ".%" PRIu64 " %s",
		    tenths / 10, tenths % 10, units[u]);
	return buf;
}

static void
hex_text(char *out, const unsigned char *bytes, size_t len)
{
	size_t	 i;

	for (i = 0; i < len; i++)
		(void)snprintf(out + 2 * i, 3, "%02x", bytes[i]);
}

/* The last head that holds; NULL: none. */
static const struct heads_one *
last_good(const struct heads *h)
{
	const struct heads_one	*one, *last = NULL;

	for (one = h->list; one < h->list + h->n; one++)
		if (one->state == HEADS_HOLDS)
			last = one;
	return last;
}

static size_t
count_good(const struct heads *h)
{
	size_t	 i, n = 0;

	for (i = 0; i < h->n; i++)
		n += h->list[i].state == HEADS_HOLDS;
	return n;
}

/* Text */

static void
label(FILE *f, const struct term *t, const char *name)
{
	(void)fprintf(f, "  %s%-11s%s", term_style(t, STYLE_DIM), name,
	    term_style(t, STYLE_PLAIN));
}

static void
put_personal(FILE *f, const struct term *t, const struct verified *v)
{
	char		 n[NUMBER_MAX];
	uint64_t	 opened = v->sealed_rows - v->forgotten_rows -
	    v->unread_rows;
	const char	*lead = "";

	if (v->sealed_rows == 0)
		return;
	label(f, t, "personal");
	if (opened > 0) {
		(void)fprintf(f, "%s row%s opened", count_text(n, opened),
		    opened == 1 ? "" : "s");
		lead = ", ";
	}
	if (v->forgotten_rows > 0) {
		(void)fprintf(f, "%s%s destroyed", lead,
		    count_text(n, v->forgotten_rows));
		lead = ", ";
	}
	if (v->unread_rows > 0)
		(void)fprintf(f, "%s%s sealed, and no keyring", lead,
		    count_text(n, v->unread_rows));
	(void)fputc('\n', f);
}

static void
put_decisions(FILE *f, const struct term *t, const struct audit_decisions *d)
{
	char	 n[NUMBER_MAX];

	if (!d->done)
		return;
	label(f, t, "decisions");
	(void)fprintf(f, "%s judged again, all the same",
	    count_text(n, d->judged));
	if (d->tail_from > 0)
		(void)fprintf(f, " (from event %s on a snapshot)",
		    count_text(n, d->tail_from));
	(void)fputc('\n', f);
	if (d->followed == 0)
		return;
	label(f, t, "");
	(void)fprintf(f, "%s only followed: their records were believed\n",
	    count_text(n, d->followed));
}

static void
put_end(FILE *f, const struct audit_report *r)
{
	const struct heads_one	*one = last_good(r->heads);
	char			 n[NUMBER_MAX];

	if (one == NULL)
		(void)fputs("\n  Complete up to its own last row; only a head "
		    "kept elsewhere proves that\n  nothing was cut off: "
		    "--head.\n", f);
	else if (one->head.seq == r->v->seq)
		(void)fputs("\n  Nothing was cut off: the head is that of the "
		    "last row.\n", f);
	else
		(void)fprintf(f, "\n  Nothing up to event %s was cut off or "
		    "made anew; what follows is complete\n  up to its own last "
		    "row.\n", count_text(n, one->head.seq));
}

void
audit_text(const struct audit_report *r, FILE *f)
{
	const struct term	 t = term_of(f);
	const struct verified	*v = r->v;
	char			 a[NUMBER_MAX], b[NUMBER_MAX], c[NUMBER_MAX];
	char			 hash[2 * ROW_HASH_LEN + 1];

	(void)fprintf(f, "%s%s is whole%s\n", term_style(&t, STYLE_GOOD),
	    r->path, term_style(&t, STYLE_PLAIN));
	label(f, &t, "events");
	(void)fprintf(f, "%s to %s in %s row", count_text(a, v->from),
	    count_text(b, v->seq), count_text(c, v->rows));
	(void)fprintf(f, "%s, %s\n", v->rows == 1 ? "" : "s",
	    bytes_text(a, v->bytes));
	label(f, &t, "time");
	(void)fprintf(f, "%s to ", civil_format(a, v->first_ms));
	(void)fprintf(f, "%s UTC\n", civil_format(a, v->t_ms));
	put_personal(f, &t, v);
	label(f, &t, "policies");
	(void)fprintf(f, "%s; semantic version %" PRIu32,
	    count_text(a, v->policies), v->semantics_min);
	if (v->semantics_max != v->semantics_min)
		(void)fprintf(f, " to %" PRIu32, v->semantics_max);
	(void)fputc('\n', f);
	put_decisions(f, &t, &r->decisions);
	if (r->heads->n > 0) {
		label(f, &t, "heads");
		(void)fprintf(f, "%s of %s hold\n",
		    count_text(a, count_good(r->heads)),
		    count_text(b, r->heads->n));
	}
	hex_text(hash, v->hash, sizeof(v->hash));
	label(f, &t, "hash");
	(void)fprintf(f, "%s\n", hash);
	put_end(f, r);
}

/* JSON */

static void
json_wrong(struct json *j, const struct verified *v)
{
	const struct row_head	*h = &v->at.head;
	uint64_t		 first = v->seq > 0 ? v->seq + 1 : v->from;
	char			 name[VERIFY_NAME_MAX];

	if (!v->wrong) {
		json_put_null(j, "wrong");
		return;
	}
	json_open_object(j, "wrong");
	if (v->from <= 1)
		json_put_uint(j, "row", v->rows + 1);
	json_put_uint(j, "first", first);
	if (v->at.parsed) {
		json_put_uint(j, "last", first + h->events - 1);
		json_put_int(j, "t", h->t_ms);
	}
	json_put_text(j, "name", verified_name(name, v));
	json_put_text(j, "reason", v->why.text);
	json_close(j);
}

static void
json_heads(struct json *j, const struct audit_report *r)
{
	const struct heads_one	*one;
	struct err		 e;

	json_open_array(j, "heads");
	for (one = r->heads->list; one < r->heads->list + r->heads->n; one++) {
		json_open_object(j, NULL);
		json_put_int(j, "line", one->line);
		json_put_uint(j, "seq", one->head.seq);
		json_put_int(j, "t", one->head.t_ms);
		if (one->state == HEADS_BEYOND && r->v->wrong) {
			json_put_text(j, "state", "unknown");
		} else {
			json_put_text(j, "state",
			    heads_state_text(one->state));
			if (one->state != HEADS_HOLDS) {
				heads_why(one, r->v->seq, &e);
				json_put_text(j, "reason", e.text);
			}
		}
		json_close(j);
	}
	json_close(j);
}

static void
json_decisions(struct json *j, const struct audit_decisions *d)
{
	if (!d->done) {
		json_put_null(j, "decisions");
		return;
	}
	json_open_object(j, "decisions");
	json_put_uint(j, "judged", d->judged);
	json_put_uint(j, "followed", d->followed);
	if (d->tail_from > 0)
		json_put_uint(j, "judged_from_snapshot", d->tail_from);
	json_close(j);
}

static void
json_counts(struct json *j, const struct verified *v)
{
	json_put_uint(j, "rows", v->rows);
	json_put_uint(j, "events", v->events);
	json_put_uint(j, "first", v->from);
	json_put_uint(j, "last", v->seq);
	json_put_int(j, "first_t", v->first_ms);
	json_put_int(j, "last_t", v->t_ms);
	json_put_uint(j, "bytes", v->bytes);
	json_put_uint(j, "sealed_rows", v->sealed_rows);
	json_put_uint(j, "destroyed_rows", v->forgotten_rows);
	json_put_uint(j, "unread_rows", v->unread_rows);
	json_put_uint(j, "policies", v->policies);
	json_put_uint(j, "semantics_min", v->semantics_min);
	json_put_uint(j, "semantics_max", v->semantics_max);
}

enum rc
audit_json(const struct audit_report *r, FILE *f, struct err *e)
{
	const struct heads_one	*good = last_good(r->heads);
	const struct verified	*v = r->v;
	char			 hash[2 * ROW_HASH_LEN + 1];
	struct json		 j;

	hex_text(hash, v->hash, sizeof(v->hash));
	json_to_file(&j, f, true);
	json_open_object(&j, NULL);
	json_put_text(&j, "database", r->path);
	json_put_bool(&j, "whole", !v->wrong);
	json_counts(&j, v);
	json_put_text(&j, "hash", hash);
	json_wrong(&j, v);
	json_decisions(&j, &r->decisions);
	json_heads(&j, r);
	if (good != NULL)
		json_put_uint(&j, "proved_up_to", good->head.seq);
	else
		json_put_null(&j, "proved_up_to");
	json_close(&j);
	return json_end(&j) == RC_OK ? RC_OK : err_set(e,
	    "standard output cannot be written");
}
