/*
 * What `record` and `import` say when they are done.
 */
#ifndef CLI_PLAYED_H
#define CLI_PLAYED_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/head.h"
#include "lib/err.h"
#include "sim/record.h"

enum played_policy {
	PLAYED_POLICY_SAME,
	PLAYED_POLICY_NEW,	/* it tightens, and is in force */
	PLAYED_POLICY_WAITS,	/* it loosens, and is not */
};

struct played {
	const char	*scenario;
	bool		 history;
	struct record_counts counts;
	enum played_policy policy;
	uint64_t	 commits;
	uint64_t	 bytes;		/* of all rows */
	uint64_t	 seq;		/* the journal's last event */
	int64_t		 elapsed_ms;	/* playing, without the restart */
	char		 policy_hash[65];	/* in force, in hex */
	char		 head[HEAD_TEXT_MAX];
};

/* On standard output. */
enum rc played_print(const struct played *p, bool json, struct err *e)
    MUST_CHECK;

#endif
