/*
 * Signed parameters: what was taken means one thing.  The canonical form
 * reads back as the same names and values, and is its own canonical form;
 * no name is there twice; the decoded form, where it is offered, splits into
 * the same parameters.
 *
 * Input: the query, a NUL, the body.
 */
#include <stdlib.h>
#include <string.h>

#include "auth/params.h"
#include "lib/amount.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ROOM	(3 * PARAMS_BYTES + 2 * PARAMS_MAX)

static struct params	 p, again;
static char		 canonical[ROOM], second[ROOM], out[ROOM];

static void
must(bool good)
{
	if (!good)
		abort();
}

static void
same(int n)
{
	int	 i;

	must(again.n == p.n && again.signature.p == NULL);
	for (i = 0; i < p.n; i++)
		must(text_equal(again.p[i].name, p.p[i].name) &&
		    text_equal(again.p[i].value, p.p[i].value));
	must(params_canonical(&again, second, sizeof(second)) == n &&
	    memcmp(canonical, second, (size_t)n) == 0);
}

static void
forms(void)
{
	struct params_error	 e;
	struct text		 t = { canonical, 0 };
	int			 n = params_canonical(&p, canonical, ROOM);

	must(n >= 0);
	t.len = (size_t)n;
	/* Three times as long, it may be too long to be sent. */
	if (t.len <= PARAMS_BYTES) {
		must(params_read(&again, t, text_of(""), &e));
		same(n);
	}
	n = params_received(&p, out, ROOM);
	must(n >= 0 && n <= PARAMS_BYTES + PARAMS_MAX);
	(void)params_decoded(&p, out, ROOM);
}

static void
values(void)
{
	int64_t	 sat, us, number;
	bool	 flag;
	int	 i;

	for (i = 0; i < p.n; i++) {
		if (params_amount(&sat, p.p[i].value) == 0)
			must(sat >= 0 && sat <= AMOUNT_SAT_MAX);
		if (params_window(&us, p.p[i].value))
			must(us >= 0);
		if (params_number(&number, p.p[i].value))
			must(number >= 0);
		(void)params_flag(&flag, p.p[i].value);
	}
}

static void
distinct(void)
{
	int	 i, k;

	for (i = 0; i < p.n; i++) {
		must(p.p[i].name.len > 0);
		for (k = 0; k < i; k++)
			must(!text_equal(p.p[i].name, p.p[k].name));
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char		*nul = size > 0 ? memchr(data, 0, size) : NULL;
	struct text		 query = { (const char *)data, size };
	struct text		 body = { "", 0 };
	struct params_error	 e;

	if (nul != NULL) {
		query.len = (size_t)(nul - query.p);
		body.p = nul + 1;
		body.len = size - query.len - 1;
	}
	if (!params_read(&p, query, body, &e)) {
		must(e.code == -1100 || e.code == -1101);
		return 0;
	}
	must(!(p.in_query && p.in_body));
	distinct();
	forms();
	values();
	return 0;
}
