/*
 * A policy from outside.  What loads must print, its canonical form must
 * load and be its own, and the checks that walk over it must end.  No file
 * is opened: there is no path.
 */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/against.h"
#include "policy/ast.h"
#include "policy/diag.h"
#include "policy/program.h"
#include "policy/warn.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *
print(const struct policy *p, size_t *len)
{
	char	*text = NULL;
	FILE	*f = open_memstream(&text, len);

	if (f == NULL)
		abort();
	policy_print(p, f);
	(void)fclose(f);
	return text;
}

static void
warn(const struct policy *p)
{
	struct diag	*d = diag_new(p);

	warn_check(p, d, 20782, -1);
	diag_free(&d);
}

static void
compile(const struct policy *p)
{
	struct program	*prog = NULL;

	/* What loads also compiles. */
	if (program_new(&prog, p, NULL) != RC_OK)
		abort();
	program_free(&prog);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct policy	*p = NULL, *q = NULL;
	struct against_counts n;
	struct err	 e;
	char		*said = NULL, *once, *twice;
	size_t		 said_len = 0, once_len = 0, twice_len = 0;
	FILE		*f = open_memstream(&said, &said_len);

	if (f == NULL)
		abort();
	e.text[0] = '\0';
	if (policy_load_text(&p, NULL, (const char *)data, size, f, &e) !=
	    RC_OK) {
		(void)fclose(f);
		/* Every refusal has a reason, in both places. */
		if (p != NULL || e.text[0] == '\0' || said_len == 0)
			abort();
		free(said);
		return 0;
	}
	(void)fclose(f);
	if (said_len != 0)
		abort();
	free(said);
	once = print(p, &once_len);
	compile(p);
	warn(p);
	if (policy_load_text(&q, NULL, once, once_len, stderr, &e) != RC_OK)
		abort();
	twice = print(q, &twice_len);
	if (once_len != twice_len || memcmp(once, twice, once_len) != 0)
		abort();
	/* The same policy in another spelling changes nothing. */
	against_compare(p, q, NULL, NULL, &n);
	if (n.loosens != 0 || n.tightens != 0)
		abort();
	policy_free(&p);
	policy_free(&q);
	free(once);
	free(twice);
	return 0;
}
