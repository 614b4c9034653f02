/*
 * The people who look at what is held, in a replay.
 *
 * A case is one withdrawal, or a group: what the same rule held for the same
 * reason since the group was last looked at.  A case is due AFTER the first
 * of it was held; looks go to the oldest case first, at most so many in any
 * hour.  A halt is ended AFTER it began.  The reviewer only says what to do
 * and when; the caller does it.
 */
#ifndef SIM_REVIEWER_H
#define SIM_REVIEWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"
#include "lib/ident.h"
#include "sim/replay.h"

struct reviewer;

/* Nobody, if terms->oracle is false: then all calls do nothing. */
enum rc reviewer_new(struct reviewer **out,
    const struct replay_reviewer *terms, struct err *e) MUST_CHECK;
void reviewer_free(struct reviewer **r);

/*
 * Withdrawal REF was held at T_MS.  `group`: a fingerprint of rule and
 * reason, or none for a case of its own.
 */
enum rc reviewer_held(struct reviewer *r, int64_t t_ms, uint32_t ref,
    struct ident group, struct err *e) MUST_CHECK;
void reviewer_halted(struct reviewer *r, int64_t t_ms);
void reviewer_resumed(struct reviewer *r);

/* When the next look or resume is due, INT64_MAX if none is. */
int64_t reviewer_next_ms(const struct reviewer *r);

enum review {
	REVIEW_CASE,		/* look at refs[0 .. n) */
	REVIEW_RESUME,
};

/*
 * Take what is due at reviewer_next_ms().  For a case, its withdrawals are
 * good until the next call of anything here; those no longer held are for
 * the caller to skip, and if one was still held, he calls
 * reviewer_looked().  At equal times looks come before a resume.
 */
enum review reviewer_take(struct reviewer *r, const uint32_t **refs_out,
    size_t *n_out);
void reviewer_looked(struct reviewer *r, int64_t t_ms);
uint64_t reviewer_looks(const struct reviewer *r);

/* Is he wrong about this one?  Drawn by a hash of its id. */
bool reviewer_wrong(const struct reviewer *r, struct ident id);

#endif
