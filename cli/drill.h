/*
 * What a drill asked for, and how it is told.
 */
#ifndef CLI_DRILL_H
#define CLI_DRILL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bitcoin/address.h"
#include "lib/amount.h"

/* The header of a listed proxy that a demo's configuration believes, so that
 * a drill's requests come from where the scenario says. */
#define DRILL_HEADER	"Drill-Address"

struct drill_asked {
	int64_t		t_ms;		/* in the scenario */
	bool		attack;
	int64_t		amount_sat;
	char		amount[AMOUNT_TEXT_MAX];
	char		address[ADDRESS_TEXT_MAX];
	char		name[32];	/* in the scenario */
	char		from[96];	/* a header's line; empty: none */
	const json_t	*key;
	bool		with_code;	/* a second factor comes with it */
	/* What came of it. */
	int		status;		/* HTTP */
	int64_t		code;		/* of an error */
	char		why[80];	/* what the error said */
	char		id[40];		/* empty: refused at once */
	char		state[16];
	char		verdict[16];
};

void drill_begin(const struct drill_asked *a, size_t n, const char *url,
    bool again);
/* One line as it happens. */
void drill_line(const struct drill_asked *a, int64_t start_ms,
    int64_t now_ms);
/* `real`: the thief got all of it once. */
void drill_report(const struct drill_asked *a, size_t n, bool real,
    bool json);

#endif
