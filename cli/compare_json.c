#include <stdio.h>

#include "cli/compare.h"
#include "lib/json.h"

static void
put_part(struct json *j, const char *key, const struct suite_part *p,
    const struct suite_part *all)
{
	json_open_object(j, key);
	json_put_int(j, "count", p->count);
	json_put_sat(j, "btc", p->sat);
	json_put_ratio(j, "share", p->count, all->count, 6);
	json_put_ratio(j, "share_of_value", p->sat, all->sat, 6);
	json_close(j);
}

static void
put_price(struct json *j, const char *key, const struct suite_price *p)
{
	struct suite_part	 blocked = p->held;

	blocked.count += p->denied.count;
	blocked.sat += p->denied.sat;
	json_open_object(j, key);
	json_put_int(j, "count", p->all.count);
	json_put_sat(j, "btc", p->all.sat);
	put_part(j, "held_or_denied", &blocked, &p->all);
	put_part(j, "held", &p->held, &p->all);
	put_part(j, "denied", &p->denied, &p->all);
	put_part(j, "delayed", &p->delayed, &p->all);
	json_put_int(j, "delay_median_s", p->delay_median_ms / 1000);
	put_part(j, "stepped_up", &p->stepped, &p->all);
	put_part(j, "stopped", &p->stopped, &p->all);
	json_close(j);
}

static void
put_sum(struct json *j, const char *key, const struct compare *cmp,
    const struct suite_result *results, int size, int kind)
{
	const struct suite_options	*o = &cmp->scenes.suite;
	struct suite_sum		 s;

	suite_sum(&s, results, cmp->n_results, false, size, kind);
	json_open_object(j, key);
	if (size >= 0)
		json_put_text(j, "size", o->sizes[size]);
	if (kind >= 0)
		json_put_text(j, "kind", o->kinds[kind]);
	json_put_int(j, "scenes", s.scenes);
	json_put_ratio(j, "asked_share_of_hot", s.asked_ppm, 1000000, 6);
	json_put_ratio(j, "loss_share_of_hot", s.loss_mean_ppm, 1000000, 6);
	json_put_ratio(j, "loss_share_of_hot_worst", s.loss_worst_ppm,
	    1000000, 6);
	json_put_ratio(j, "loss_share_of_asked", s.loss_share_ppm, 1000000,
	    6);
	if (kind < 0 && s.worst_kind >= 0) {
		json_put_text(j, "worst_kind", o->kinds[s.worst_kind]);
		json_put_text(j, "worst_size", o->sizes[s.worst_size]);
	}
	json_put_int(j, "without_alarm", s.unalarmed);
	json_put_int(j, "alarm_worst_ms", s.alarm_worst_ms);
	json_put_int(j, "false_halts", s.false_halts);
	json_put_int(j, "reviews", s.reviews);
	put_price(j, "honest", &s.honest);
	json_close(j);
}

static void
put_quiet(struct json *j, const struct compare *cmp,
    const struct suite_result *results, int size)
{
	struct suite_sum	 s;

	suite_sum(&s, results, cmp->n_results, true, size, -1);
	json_open_object(j, NULL);
	if (size >= 0)
		json_put_text(j, "size", cmp->scenes.suite.sizes[size]);
	put_price(j, "honest", &s.honest);
	json_put_int(j, "false_halts", s.false_halts);
	json_put_int(j, "reviews", s.reviews);
	json_close(j);
}

static void
put_played(struct json *j, const struct compare *cmp,
    const struct compared *c, int reviewer)
{
	const struct suite_result	*results = c->results[reviewer];
	const struct suite_options	*o = &cmp->scenes.suite;
	int				 i, k;

	json_open_object(j, NULL);
	json_put_text(j, "policy", c->path);
	json_put_text(j, "reviewer", cmp->scenes.reviewer_texts[reviewer]);
	json_open_array(j, "without_attack");
	for (i = -1; i < o->n_sizes; i++)
		put_quiet(j, cmp, results, i);
	json_close(j);
	if (o->n_kinds > 0) {
		put_sum(j, "all", cmp, results, -1, -1);
		json_open_array(j, "sizes");
		for (i = 0; i < o->n_sizes; i++)
			put_sum(j, NULL, cmp, results, i, -1);
		json_close(j);
		json_open_array(j, "kinds");
		for (i = 0; i < o->n_sizes; i++)
			for (k = 0; k < o->n_kinds; k++)
				put_sum(j, NULL, cmp, results, i, k);
		json_close(j);
	}
	json_close(j);
}

enum rc
compare_json(const struct compare *cmp, struct err *e)
{
	const struct suite_options	*o = &cmp->scenes.suite;
	struct json			 j;
	int				 i, k;

	json_to_file(&j, stdout, true);
	json_open_object(&j, NULL);
	json_open_array(&j, "sizes");
	for (i = 0; i < o->n_sizes; i++)
		json_put_text(&j, NULL, o->sizes[i]);
	json_close(&j);
	json_put_int(&j, "first_seed", o->first_seed);
	json_put_int(&j, "seeds", o->n_seeds);
	json_put_ratio(&j, "owners", o->owners_ppm, 1000000, 6);
	json_open_array(&j, "results");
	for (i = 0; i < cmp->n_policies; i++)
		for (k = 0; k < cmp->scenes.n_reviewers; k++)
			put_played(&j, cmp, &cmp->policies[i], k);
	json_close(&j);
	json_close(&j);
	if (json_end(&j) != RC_OK)
		return err_set(e, "standard output cannot be written");
	return RC_OK;
}
