#include "sim/reviewer.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/civil.h"
#include "sim/idmap.h"

#define NONE		UINT32_MAX
#define MINUTES_MAX	INT64_C(5256000)	/* ten years */
#define LOOKS_MAX	INT64_C(100000)

struct member {
	uint32_t	ref;
	uint32_t	next;
};

struct waiting_case {
	int64_t		due_ms;
	struct ident	group;
	uint32_t	first, last;	/* members */
	uint32_t	n;
};

struct reviewer {
	struct replay_reviewer terms;
	struct waiting_case *cases;	/* in order of due_ms */
	size_t		head, n, room;	/* cases[head .. n) wait */
	struct member	*members;
	uint32_t	n_members, room_members, free_member;
	struct idmap	groups;		/* value: 1 + number of its case */
	uint64_t	base;		/* number of cases[0] */
	int64_t		*looks;		/* a ring of the last N */
	uint64_t	n_looks;
	int64_t		resume_ms;	/* INT64_MAX: not halted */
	uint32_t	*refs;
	size_t		room_refs;
};

/* Reading the option */

static bool
number(const char **p, int64_t max, int64_t *out)
{
	const char	*s = *p;
	int64_t		 v = 0;

	for (; *s >= '0' && *s <= '9'; s++) {
		if ((v = v * 10 + (*s - '0')) > max)
			return false;
	}
	if (s == *p)
		return false;
	*p = s;
	*out = v;
	return true;
}

/* "12%" or "0.25%": a share in millionths. */
static bool
percent_tail(const char **p, int64_t *ppm)
{
	int64_t	 unit = 1000;

	*ppm *= 10000;
	if (**p == '.') {
		for ((*p)++; **p >= '0' && **p <= '9' && unit > 0; (*p)++) {
			*ppm += (**p - '0') * unit;
			unit /= 10;
		}
	}
	if (**p != '%')
		return false;
	(*p)++;
	return *ppm <= 1000000;
}

static bool
parse_oracle(struct replay_reviewer *out, const char *p)
{
	int64_t	 v;
	bool	 looks = false, wrong = false;

	if (!number(&p, MINUTES_MAX, &v))
		return false;
	out->oracle = true;
	out->after_ms = v * MS_PER_MIN;
	while (*p == ',') {
		p++;
		if (!number(&p, LOOKS_MAX, &v))
			return false;
		if (strncmp(p, "/h", 2) == 0 && !looks && v > 0) {
			p += 2;
			out->looks_per_hour = v;
			looks = true;
		} else if (!wrong && percent_tail(&p, &v)) {
			out->wrong_ppm = v;
			wrong = true;
		} else {
			return false;
		}
	}
	return *p == '\0';
}

enum rc
replay_reviewer_parse(struct replay_reviewer *out, const char *text,
    struct err *e)
{
	struct replay_reviewer	 terms = { 0 };

	if (strcmp(text, "none") != 0 &&
	    (strncmp(text, "oracle:", 7) != 0 ||
	    !parse_oracle(&terms, text + 7)))
		return err_set(e, "%s: a reviewer is `none` or "
		    "`oracle:MINUTES[,N/h][,P%%]`", text);
	*out = terms;
	return RC_OK;
}

/* The reviewer */

enum rc
reviewer_new(struct reviewer **out, const struct replay_reviewer *terms,
    struct err *e)
{
	struct reviewer	*r = calloc(1, sizeof(*r));

	if (r == NULL)
		return err_set(e, "out of memory");
	r->terms = *terms;
	r->free_member = NONE;
	r->resume_ms = INT64_MAX;
	if (terms->looks_per_hour > 0 && (r->looks =
	    calloc((size_t)terms->looks_per_hour, sizeof(*r->looks))) ==
	    NULL) {
		free(r);
		return err_set(e, "out of memory");
	}
	*out = r;
	return RC_OK;
}

void
reviewer_free(struct reviewer **rp)
{
	struct reviewer	*r = *rp;

	*rp = NULL;
	if (r == NULL)
		return;
	idmap_free(&r->groups);
	free(r->cases);
	free(r->members);
	free(r->looks);
	free(r->refs);
	free(r);
}

static uint32_t
new_member(struct reviewer *r)
{
	struct member	*more;
	uint32_t	 m = r->free_member;

	if (m != NONE) {
		r->free_member = r->members[m].next;
		return m;
	}
	if (r->n_members == r->room_members) {
		more = realloc(r->members,
		    ((size_t)r->room_members * 2 + 256) * sizeof(*more));
		if (more == NULL)
			return NONE;
		r->members = more;
		r->room_members = r->room_members * 2 + 256;
	}
	return r->n_members++;
}

/* Room for one case more: those looked at make way. */
static bool
case_room(struct reviewer *r)
{
	struct waiting_case	*more;

	if (r->head > 1024 && r->head > r->n / 2) {
		memmove(r->cases, r->cases + r->head,
		    (r->n - r->head) * sizeof(*r->cases));
		r->base += r->head;
		r->n -= r->head;
		r->head = 0;
	}
	if (r->n < r->room)
		return true;
	more = realloc(r->cases, (r->room * 2 + 256) * sizeof(*more));
	if (more == NULL)
		return false;
	r->cases = more;
	r->room = r->room * 2 + 256;
	return true;
}

/* The open case of a group, or a new one; NULL: no memory. */
static struct waiting_case *
case_of(struct reviewer *r, int64_t due_ms, struct ident group)
{
	struct waiting_case	*c;
	uint64_t		*number = NULL;
	bool			 fresh;

	if (!ident_none(group)) {
		if ((number = idmap_put(&r->groups, group, &fresh)) == NULL)
			return NULL;
		if (*number > r->base + r->head)
			return &r->cases[*number - 1 - r->base];
	}
	if (!case_room(r))
		return NULL;
	c = &r->cases[r->n];
	c->due_ms = due_ms;
	c->group = group;
	c->first = c->last = NONE;
	c->n = 0;
	r->n++;
	if (number != NULL)
		*number = r->base + r->n;
	return c;
}

enum rc
reviewer_held(struct reviewer *r, int64_t t_ms, uint32_t ref,
    struct ident group, struct err *e)
{
	struct waiting_case	*c;
	uint32_t		 m;

	if (!r->terms.oracle)
		return RC_OK;
	if ((m = new_member(r)) == NONE ||
	    (c = case_of(r, t_ms + r->terms.after_ms, group)) == NULL)
		return err_set(e, "out of memory");
	r->members[m].ref = ref;
	r->members[m].next = NONE;
	if (c->last == NONE)
		c->first = m;
	else
		r->members[c->last].next = m;
	c->last = m;
	c->n++;
	return RC_OK;
}

void
reviewer_halted(struct reviewer *r, int64_t t_ms)
{
	if (r->terms.oracle)
		r->resume_ms = t_ms + r->terms.after_ms;
}

void
reviewer_resumed(struct reviewer *r)
{
	r->resume_ms = INT64_MAX;
}

static int64_t
next_look_ms(const struct reviewer *r)
{
	int64_t		 due, free_ms;
	uint64_t	 n = (uint64_t)r->terms.looks_per_hour;

	if (r->head == r->n)
		return INT64_MAX;
	due = r->cases[r->head].due_ms;
	if (n == 0 || r->n_looks < n)
		return due;
	/* The oldest of the last N must be an hour old. */
	free_ms = r->looks[r->n_looks % n] + MS_PER_HOUR;
	return free_ms > due ? free_ms : due;
}

int64_t
reviewer_next_ms(const struct reviewer *r)
{
	int64_t	 look = next_look_ms(r);

	return look < r->resume_ms ? look : r->resume_ms;
}

enum review
reviewer_take(struct reviewer *r, const uint32_t **refs_out, size_t *n_out)
{
	struct waiting_case	*c;
	uint32_t		 m, next;
	uint32_t		*more;

	*n_out = 0;
	if (next_look_ms(r) > r->resume_ms) {
		r->resume_ms = INT64_MAX;
		return REVIEW_RESUME;
	}
	assert(r->head < r->n);
	c = &r->cases[r->head++];
	if (c->n > r->room_refs) {
		more = realloc(r->refs, (size_t)c->n * 2 * sizeof(*more));
		/* A replay without memory for this is over anyhow. */
		if (more == NULL)
			abort();
		r->refs = more;
		r->room_refs = (size_t)c->n * 2;
	}
	for (m = c->first; m != NONE; m = next) {
		next = r->members[m].next;
		r->refs[(*n_out)++] = r->members[m].ref;
		r->members[m].next = r->free_member;
		r->free_member = m;
	}
	*refs_out = r->refs;
	return REVIEW_CASE;
}

void
reviewer_looked(struct reviewer *r, int64_t t_ms)
{
	if (r->terms.looks_per_hour > 0)
		r->looks[r->n_looks %
		    (uint64_t)r->terms.looks_per_hour] = t_ms;
	r->n_looks++;
}

uint64_t
reviewer_looks(const struct reviewer *r)
{
	return r->n_looks;
}

bool
reviewer_wrong(const struct reviewer *r, struct ident id)
{
	static const struct ident_key	 key = { "replay reviewer" };
	unsigned char			 bytes[16];
	int				 i;

	if (r->terms.wrong_ppm == 0)
		return false;
	for (i = 0; i < 8; i++) {
		bytes[i] = (unsigned char)(id.lo >> (8 * i));
		bytes[8 + i] = (unsigned char)(id.hi >> (8 * i));
	}
	return (int64_t)(ident_prf(&key, bytes, sizeof(bytes)) % 1000000) <
	    r->terms.wrong_ppm;
}
