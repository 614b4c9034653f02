/* Combiner, Finalizer and Extractor: others' worked examples. */
#include "tests/check.h"

#include <stdlib.h>

#include "bitcoin/curve.h"
#include "bitcoin/psbt.h"
#include "bitcoin/test/psbt_same.h"
#include "bitcoin/test/vectors.h"

#define OTHERS	"../shared/vectors/psbt/"

static void
run_combiner(json_t *c)
{
	json_t		*list = json_object_get(c, "combine"), *one;
	struct psbt	*into = NULL, *from, *want;
	struct err	 e;
	size_t		 i;

	if (list == NULL)
		list = json_object_get(c, "psbts");
	json_array_foreach(list, i, one) {
		from = read64(json_string_value(one));
		if (into == NULL) {
			into = from;
			continue;
		}
		CHECK(psbt_combine(into, from, &e) == RC_OK);
		psbt_free(&from);
	}
	want = read64(vectors_text(c, "result"));
	CHECK(same_psbt(into, want));
	check_reread(into);
	/* Again changes nothing. */
	CHECK(psbt_combine(into, want, &e) == RC_OK);
	CHECK(same_psbt(into, want));
	psbt_free(&into);
	psbt_free(&want);
}

/* libwally's `flags` 1 keeps what BIP174 would clear: then only what is
 * final is compared. */
static void
run_finalizer(json_t *c)
{
	const char	*given = vectors_text(c, "psbt");
	bool		 kept = json_integer_value(json_object_get(c,
			    "flags")) == 1;
	struct psbt	*p, *want = read64(vectors_text(c, "result"));
	struct err	 e = { "" };
	size_t		 i;

	if (*given == '\0')
		given = vectors_text(c, "finalize");
	p = read64(given);
	if (!CHECK(psbt_finalize(p, &e) == RC_OK))
		printf("#   %s %s\n", vectors_text(c, "id"), e.text);
	for (i = 0; i < p->tx.n_in; i++)
		CHECK(text_equal(p->in[i].final_witness,
		    want->in[i].final_witness) &&
		    text_equal(p->in[i].final_script_sig,
		    want->in[i].final_script_sig));
	if (!kept && !CHECK(same_psbt(p, want)))
		printf("#   %s\n", vectors_text(c, "id"));
	check_reread(p);
	psbt_free(&p);
	psbt_free(&want);
}

static void
run_extractor(json_t *c)
{
	static unsigned char want[1 << 16];
	const char	*given = vectors_text(c, "psbt");
	unsigned char	*got = NULL;
	struct psbt	*p;
	struct err	 e;
	size_t		 len, want_len;

	if (*given == '\0')
		given = vectors_text(c, "extract");
	p = read64(given);
	want_len = vectors_hex(want, sizeof(want), vectors_text(c, "result"));
	if (CHECK(psbt_extract(&got, &len, p, &e) == RC_OK))
		CHECK(len == want_len && memcmp(got, want, len) == 0);
	free(got);
	psbt_free(&p);
}

/*
 * What libwally finalizes and we do not: a checked signature and then a
 * multisig, which it calls optimized; and inputs that do not say what they
 * spend, where no signature can be verified.
 */
static bool
is_not_ours(json_t *c)
{
	const char	*why;
	struct psbt	*p;
	struct err	 e = { "" };
	bool		 other;

	if (strstr(vectors_text(c, "comment"), "optimized") != NULL)
		why = "no multisig of compressed keys";
	else if (strcmp(vectors_text(c, "id"), "6420f8909a8f") == 0)
		why = "does not say, or not rightly, what it spends";
	else
		return false;
	p = read64(vectors_text(c, "psbt"));
	other = psbt_finalize(p, &e) != RC_OK;
	CHECK(strstr(e.text, why) != NULL);
	psbt_free(&p);
	return other;
}

static void
run_roles(const char *path, size_t combiners, size_t finalizers,
    size_t extractors, size_t others)
{
	json_t		*cases = vectors_read(path), *c;
	const char	*role;
	size_t		 i, n[4] = { 0, 0, 0, 0 };

	check_case(path);
	if (cases == NULL) {
		vectors_skip(path, path);
		check_case_name = NULL;
		return;
	}
	json_array_foreach(cases, i, c) {
		role = vectors_text(c, "role");
		if (strcmp(role, "combiner") == 0) {
			n[0]++;
			run_combiner(c);
		} else if (strcmp(role, "extractor") == 0) {
			n[2]++;
			run_extractor(c);
		} else if (strcmp(role, "finalizer") == 0) {
			if (is_not_ours(c)) {
				n[3]++;
			} else {
				n[1]++;
				run_finalizer(c);
			}
		}
	}
	CHECK_INT(n[0], combiners);
	CHECK_INT(n[1], finalizers);
	CHECK_INT(n[2], extractors);
	CHECK_INT(n[3], others);
}

int
main(void)
{
	struct err	 e;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (curve_begin(&e) != RC_OK)
		return 1;
	run_roles(OTHERS "core-roles.json", 1, 1, 1, 0);
	run_roles(OTHERS "wally-roles.json", 2, 14, 2, 4);
	return check_done();
}
