/*
 * What the parts of `drawbridge audit` share.
 */
#ifndef CLI_AUDIT_H
#define CLI_AUDIT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "cli/opened.h"
#include "engine/heads.h"
#include "engine/verify.h"
#include "lib/err.h"

struct audit {
	const char	*db;		/* NULL: $DRAWBRIDGE_DATA */
	const char	*head;		/* a file or the text; NULL: none */
	const char	*account, *by;
	uint64_t	 from, until;	/* events; 0: all */
	bool		 json, quiet, decisions, personal, help;
};

/* What was found by re-applying. */
struct audit_decisions {
	bool		 done;
	uint64_t	 judged;	/* decided again, and the same */
	uint64_t	 followed;	/* taken as recorded */
	uint64_t	 tail_from;	/* judged from a snapshot on; 0: not */
};

struct audit_report {
	const char	*path;
	const struct verified *v;
	const struct heads *heads;	/* n 0: none was given */
	struct audit_decisions decisions;
};

/* audit_text.c: what is whole, for people and as JSON. */
void audit_text(const struct audit_report *r, FILE *f);
enum rc audit_json(const struct audit_report *r, FILE *f, struct err *e)
    MUST_CHECK;

/* audit_asked.c: *good_out false: something was signed otherwise. */
enum rc audit_asked(const struct audit *a, struct opened *op, bool *good_out,
    struct err *e) MUST_CHECK;

/* audit_log.c */
enum rc audit_log(const struct audit *a, struct opened *op, struct err *e)
    MUST_CHECK;

#endif
