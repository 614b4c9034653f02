/*
 * Events in memory, in order of time, packed one behind the other.
 *
 * A suite plays the same traffic against many policies and with many
 * attacks; generating it once and keeping it costs about a hundred bytes an
 * event.  What is read back are the events as they were added, with texts
 * that point into the bank.
 */
#ifndef SIM_BANK_H
#define SIM_BANK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"
#include "sim/scenario.h"

/* All zero is an empty bank. */
struct bank {
	unsigned char	*bytes;		/* owned */
	size_t		 len;
	size_t		 room;
	size_t		 count;		/* of events */
	int64_t		 first_ms;	/* of the first event; INT64_MAX */
	int64_t		 last_ms;	/* of the last event; INT64_MIN */
};

void bank_free(struct bank *b);

/* Keep a copy.  Times may not decrease, which is asserted. */
enum rc bank_add(struct bank *b, const struct scenario_event *ev,
    struct err *e) MUST_CHECK;

/* A place in a bank.  The bank is borrowed and may not change meanwhile. */
struct bank_cursor {
	const struct bank *bank;
	size_t		 at;
	struct text ips[SCENARIO_IPS_MAX];
};
void bank_begin(struct bank_cursor *c, const struct bank *b);
/* When the next event is; INT64_MAX at the end. */
int64_t bank_next_ms(const struct bank_cursor *c);
/* The next event; false at the end.  Its texts live as long as the bank, its
 * `ips` until the next call. */
bool bank_next(struct bank_cursor *c, struct scenario_event *ev);

#endif
