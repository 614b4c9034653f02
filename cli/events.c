/*
 * drawbridge events: the feed, one JSON line each; with --follow for ever.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/acting.h"
#include "cli/commands.h"

#define WAIT_MS		8000
#define AT_ONCE		500

enum { OPT_AFTER = 256, OPT_FOLLOW };

static const struct option	 names[] = {
	{ "after", required_argument, NULL, OPT_AFTER },
	{ "follow", no_argument, NULL, OPT_FOLLOW },
	{ "json", no_argument, NULL, ACTING_JSON },
	{ "help", no_argument, NULL, ACTING_HELP },
	{ NULL, 0, NULL, 0 }
};

/* *more_out: the page was full, or it goes on for ever. */
static enum rc
page(struct service *s, int64_t *after, bool follow, bool *more_out,
    struct err *e)
{
	struct message	 q;
	json_t		*j, *rows, *one, *seq;
	size_t		 i;

	message_clear(&q, MESSAGE_QUERY, 0);
	q.endpoint = ENDPOINT_LOCAL_EVENTS;
	q.seq = *after;
	q.limit = AT_ONCE;
	q.wait_ms = follow ? WAIT_MS : 0;
	if ((j = service_query(s, &q, e)) == NULL)
		return RC_FAILED;
	rows = json_is_array(j) ? j : json_object_get(j, "events");
	for (i = 0; i < json_array_size(rows); i++) {
		one = json_array_get(rows, i);
		seq = json_object_get(one, "seq");
		(void)json_dumpf(one, stdout, JSON_COMPACT);
		(void)putchar('\n');
		if (json_is_integer(seq))
			*after = json_integer_value(seq);
	}
	(void)fflush(stdout);
	*more_out = follow || i == AT_ONCE;
	json_decref(j);
	return RC_OK;
}

int
cmd_events(int argc, char **argv)
{
	struct service	*s = NULL;
	struct acting	 acting;
	struct err	 e;
	int64_t		 after = 0;
	bool		 follow = false, more = true;
	int		 option, status;
	enum rc		 rc;

	acting_begin(&acting);
	while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
		if (option == OPT_AFTER)
			after = strtoll(optarg, NULL, 10);
		else if (option == OPT_FOLLOW)
			follow = true;
		else if (!acting_option(&acting, option, "events", &status))
			return status;
	}
	if (optind != argc || after < 0)
		return usage("events");
	rc = service_open(&s, &e);
	while (rc == RC_OK && more && !ferror(stdout))
		rc = page(s, &after, follow, &more, &e);
	service_close(&s);
	return rc == RC_OK ? STATUS_DONE : acting_failed("events", &e);
}
