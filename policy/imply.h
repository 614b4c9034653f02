/*
 * What follows from a condition, as far as intervals tell.
 *
 * A set of conditions is taken apart into cases (a tableau: every `or` is a
 * branch, classes are opened, names are looked through); in each case every
 * quantity has an interval, every class is true, false or open.  A case
 * whose intervals are empty cannot happen and is dropped.  The answers are
 * one-sided: "cannot be true" and "implies" are proofs, their opposites only
 * mean that no proof was found.
 *
 * Values are never negative.  Shares are taken as not rounded: a proof may
 * be wrong by less than one satoshi.  What is known besides the text: a sum
 * that includes this withdrawal is at least its amount (S9), a longer window
 * or no class counts no less than a shorter or a class, one channel and one
 * address form at a time.  `less up to` is taken at its weakest.
 */
#ifndef POLICY_IMPLY_H
#define POLICY_IMPLY_H

#include "policy/ast.h"

/* `cond`, or its opposite.  A NULL cond is always true.  Where the walk
 * meets the test `flip` (in a class too), it takes the opposite of that. */
struct imply_term {
	const struct cond *cond;
	bool		 negate;
	const struct cond *flip;
};

/* One way in which all the terms may be true at once. */
struct imply_case;

/*
 * From now on all questions of this thread together may look at so many
 * cases; after that none is proven any more, and imply_spent() is true.
 * Classes made of classes made of classes have more cases than anybody can
 * wait for.  INT64_MAX, as at start: no bound but that of each question.
 */
void imply_allow(int64_t cases);
bool imply_spent(void);

/*
 * Call each() for every case until it returns false.  Returns false when
 * there were too many to go through: then some were not shown.
 */
bool imply_cases(const struct policy *p, const struct imply_term *terms,
    int n_terms, bool (*each)(void *ctx, const struct imply_case *c),
    void *ctx);

/* False: they can certainly not all be true. */
bool imply_possible(const struct policy *p, const struct imply_term *terms,
    int n_terms);

/* True: whenever a is, b certainly is. */
bool imply_implies(const struct policy *p, const struct cond *a,
    const struct cond *b);

/* True: the condition certainly makes class `cls` true (or, not). */
bool imply_class(const struct policy *p, const struct cond *a, int cls,
    bool value);

/* The classes known to be true and known to be false in a case. */
void imply_case_classes(const struct imply_case *c, uint64_t *yes_out,
    uint64_t *no_out);

/*
 * The interval of a quantity in a case, when constants bound it: 0 and
 * INT64_MAX where nothing does.  Comparisons with hot are not constants.
 */
void imply_case_range(const struct imply_case *c, const struct quantity *q,
    int64_t *lo_out, int64_t *hi_out);

/*
 * What one account must at least ask for in this case, this withdrawal or
 * its sums: in satoshi, and as a share of hot in millionths.
 */
void imply_case_spend(const struct imply_case *c, int64_t *sat_out,
    int64_t *hot_ppm_out);

#endif
