#include "cli/played.h"

#include <inttypes.h>
#include <stdio.h>

#include "lib/json.h"
#include "policy/words.h"

/* Tenths, in integers. */
static void
tenths(const char *after, uint64_t num, uint64_t den)
{
	uint64_t	 n = den == 0 ? 0 : (num * 10 + den / 2) / den;

	(void)printf("%" PRIu64 ".%" PRIu64 "%s", n / 10, n % 10, after);
}

static uint64_t
per_second(const struct played *p)
{
	return p->elapsed_ms <= 0 ? 0 : p->counts.taken * 1000 /
	    (uint64_t)p->elapsed_ms;
}

static enum rc
print_json(const struct played *p)
{
	static const char *const policies[] = {
		[PLAYED_POLICY_SAME] = "same",
		[PLAYED_POLICY_NEW] = "new",
		[PLAYED_POLICY_WAITS] = "waits",
	};
	struct json	 j;
	int		 v;

	json_to_file(&j, stdout, true);
	json_open_object(&j, NULL);
	json_put_text(&j, "scenario", p->scenario);
	json_put_uint(&j, "taken", p->counts.taken);
	json_put_uint(&j, "there_already", p->counts.there);
	json_put_uint(&j, "ignored", p->counts.ignored);
	json_put_uint(&j, "refused", p->counts.refused);
	json_put_uint(&j, "history", p->counts.history);
	json_open_object(&j, "verdicts");
	for (v = VERDICT_ALLOW; v <= VERDICT_HALT; v++)
		json_put_uint(&j, verdict_text((enum verdict)v),
		    p->counts.verdicts[v]);
	json_put_uint(&j, "stopped", p->counts.stopped);
	json_close(&j);
	json_put_text(&j, "policy", policies[p->policy]);
	json_put_text(&j, "policy_hash", p->policy_hash);
	json_put_uint(&j, "events", p->seq);
	json_put_uint(&j, "bytes", p->bytes);
	json_put_uint(&j, "commits", p->commits);
	json_put_int(&j, "elapsed_ms", p->elapsed_ms);
	json_put_uint(&j, "events_per_second", per_second(p));
	json_put_text(&j, "head", p->head);
	json_close(&j);
	return json_end(&j);
}

static void
print_verdicts(const struct record_counts *n)
{
	const char	*comma = "";
	int		 v;

	(void)printf("withdrawals: ");
	for (v = VERDICT_ALLOW; v <= VERDICT_HALT; v++) {
		if (n->verdicts[v] == 0)
			continue;
		(void)printf("%s%" PRIu64 " %s", comma, n->verdicts[v],
		    verdict_text((enum verdict)v));
		comma = ", ";
	}
	if (n->stopped > 0) {
		(void)printf("%s%" PRIu64 " stopped", comma, n->stopped);
		comma = ", ";
	}
	(void)printf("%s\n", *comma == '\0' ? "none" : "");
}

static void
print_text(const struct played *p)
{
	const struct record_counts	*n = &p->counts;

	(void)printf("%s: %" PRIu64 " events %s", p->scenario, n->taken,
	    p->history ? "imported" : "recorded");
	if (n->there > 0)
		(void)printf(", %" PRIu64 " were there already", n->there);
	if (n->ignored > 0)
		(void)printf(", %" PRIu64 " left out: people's decisions",
		    n->ignored);
	if (n->refused > 0)
		(void)printf(", %" PRIu64 " not taken by the engine",
		    n->refused);
	(void)printf("\n");
	if (p->history)
		(void)printf("withdrawals learnt from: %" PRIu64 "\n",
		    n->history);
	else
		print_verdicts(n);
	if (p->policy == PLAYED_POLICY_NEW)
		(void)printf("policy: loosens nothing, and is in force now\n");
	(void)printf("journal: %" PRIu64 " events, ", p->seq);
	tenths(" bytes each\n", p->bytes, p->seq);
	if (n->taken > 0) {
		(void)printf("speed: %" PRIu64 " commits in ", p->commits);
		tenths(" s, ", (uint64_t)p->elapsed_ms, 1000);
		(void)printf("%" PRIu64 " events a second\n", per_second(p));
	}
	(void)printf("head: %s\n", p->head);
}

enum rc
played_print(const struct played *p, bool json, struct err *e)
{
	if (!json) {
		print_text(p);
		return RC_OK;
	}
	return print_json(p) == RC_OK ? RC_OK :
	    err_set(e, "standard output cannot be written");
}
