#include "sim/report.h"

#include <errno.h>
#include <string.h>

#include "lib/amount.h"
#include "lib/civil.h"
#include "lib/json.h"

static void
put_cell(struct json *j, const struct score_cell *c)
{
	json_put_uint(j, "count", c->count);
	json_put_sat(j, "btc", c->sat);
}

static void
put_side(struct json *j, const char *key, const struct score_side *side)
{
	int	 k;

	json_open_object(j, key);
	put_cell(j, &side->all);
	for (k = 0; k < SCORE__KEYS; k++) {
		json_open_object(j, score_key_text((enum score_key)k));
		put_cell(j, &side->keys[k]);
		if (k == SCORE_DELAYED) {
			json_put_int(j, "median_s",
			    side->median_ms / MS_PER_S);
			json_put_int(j, "p99_s", side->p99_ms / MS_PER_S);
		}
		if (k == SCORE_STEPPED_UP)
			json_put_uint(j, "refused", side->code_refused);
		json_close(j);
	}
	json_close(j);
}

static void
put_halts(struct json *j, const struct report *r)
{
	const struct score_halt	*h;
	size_t			 i;

	json_open_array(j, "halts");
	for (i = 0; i < r->score->n_halts; i++) {
		h = &r->score->halts[i];
		json_open_object(j, NULL);
		json_put_int(j, "t", h->t_ms);
		if (h->until_ms >= 0)
			json_put_int(j, "until", h->until_ms);
		else
			json_put_null(j, "until");
		if (h->rule >= 0) {
			json_put_text(j, "rule",
			    r->program->rules[h->rule].name);
			json_put_text(j, "at",
			    r->program->rules[h->rule].where);
			json_put_null(j, "by");
		} else {
			json_put_null(j, "rule");
			json_put_null(j, "at");
			json_put_text(j, "by", h->by);
		}
		json_close(j);
	}
	json_close(j);
}

/* Only rules that spoke. */
static void
put_rules(struct json *j, const struct report *r)
{
	const struct score_rule	*rule;
	uint64_t		 matched;
	int			 i;

	json_open_array(j, "by_rule");
	for (i = 0; i < r->program->n_rules; i++) {
		rule = &r->score->rules[i];
		matched = rule->sides[LABEL_NONE].count +
		    rule->sides[LABEL_LEGIT].count +
		    rule->sides[LABEL_ATTACK].count;
		if (matched == 0)
			continue;
		json_open_object(j, NULL);
		json_put_text(j, "rule", r->program->rules[i].name);
		json_put_text(j, "at", r->program->rules[i].where);
		json_put_text(j, "verdict",
		    verdict_text(r->program->rules[i].verdict));
		json_put_bool(j, "shadow", r->program->rules[i].shadow);
		json_put_uint(j, "matched", matched);
		json_put_uint(j, "legit", rule->sides[LABEL_LEGIT].count);
		json_put_uint(j, "attack", rule->sides[LABEL_ATTACK].count);
		json_put_sat(j, "legit_btc", rule->sides[LABEL_LEGIT].sat);
		json_put_sat(j, "attack_btc", rule->sides[LABEL_ATTACK].sat);
		json_close(j);
	}
	json_close(j);
}

/* Ours, behind what the contract names. */
static void
put_more(struct json *j, const struct report *r)
{
	const struct score		*s = r->score;
	const struct score_side		*legit = &s->sides[LABEL_LEGIT];
	int64_t				 n = (int64_t)legit->all.count;

	json_put_ratio(j, "held_share",
	    (int64_t)legit->keys[SCORE_HELD].count, n, 6);
	json_put_ratio(j, "delayed_share",
	    (int64_t)legit->keys[SCORE_DELAYED].count, n, 6);
	json_put_ratio(j, "code_share",
	    (int64_t)legit->keys[SCORE_STEPPED_UP].count, n, 6);
	json_put_ratio(j, "held_value_share", legit->keys[SCORE_HELD].sat,
	    legit->all.sat, 6);
	if (s->hot_sat >= 0)
		json_put_sat(j, "hot_btc", s->hot_sat);
	else
		json_put_null(j, "hot_btc");
	json_put_uint(j, "events", s->events);
	json_put_ratio(j, "seconds", r->elapsed_ms, 1000, 3);
	json_put_uint(j, "events_per_second",
	    s->events * 1000 / (uint64_t)(r->elapsed_ms > 0 ?
	    r->elapsed_ms : 1));
	put_rules(j, r);
}

enum rc
report_json(const struct report *r, FILE *f, struct err *e)
{
	const struct score	*s = r->score;
	struct json		 j;

	json_to_file(&j, f, true);
	json_open_object(&j, NULL);
	json_put_text(&j, "scenario", r->scenario);
	json_put_text(&j, "policy", r->policy);
	json_put_uint(&j, "withdrawals", s->withdrawals);
	put_side(&j, "legit", &s->sides[LABEL_LEGIT]);
	put_side(&j, "attack", &s->sides[LABEL_ATTACK]);
	put_side(&j, "unlabelled", &s->sides[LABEL_NONE]);
	json_put_sat(&j, "loss_btc", s->loss_sat);
	if (s->hot_sat >= 0)
		json_put_ratio(&j, "loss_share_of_hot", s->loss_sat,
		    s->hot_sat, 9);
	else
		json_put_null(&j, "loss_share_of_hot");
	if (s->alarm_ms >= 0)
		json_put_int(&j, "first_alarm_ms", s->alarm_ms);
	else
		json_put_null(&j, "first_alarm_ms");
	put_halts(&j, r);
	json_put_uint(&j, "reviews", s->reviews);
	json_put_uint(&j, "decisions_per_second", s->withdrawals * 1000 /
	    (uint64_t)(r->elapsed_ms > 0 ? r->elapsed_ms : 1));
	put_more(&j, r);
	json_close(&j);
	if (json_end(&j) != RC_OK)
		return err_set(e, "standard output: %s", strerror(errno));
	return RC_OK;
}
