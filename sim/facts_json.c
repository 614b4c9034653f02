#include "sim/facts_json.h"

#include "policy/reads.h"
#include "policy/slot.h"

static void
put_classes(struct json *j, const struct program *p, uint64_t read,
    uint64_t held)
{
	int	 c;

	for (; read != 0; read &= read - 1) {
		c = __builtin_ctzll(read);
		/* `proven` and the internal one are facts, if at all. */
		if (c >= CLASS_FIRST || c == CLASS_PROVEN)
			json_put_bool(j, p->policy->classes[c].name,
			    held >> c & 1);
	}
}

void
facts_json_env(struct json *j, const struct program *p,
    const struct prog_reads *reads, const struct eval_env *env)
{
	uint64_t	 bits;
	int		 i, slot;

	put_classes(j, p, reads->classes, env->classes);
	for (i = 0; i < SLOTS_MAX / 64; i++) {
		bits = reads->slots[i] & env->known[i];
		for (; bits != 0; bits &= bits - 1) {
			slot = i * 64 + __builtin_ctzll(bits);
			slot_json(p, j, slot, env->value[slot]);
		}
	}
	if (reads->hot && env->hot_sat >= 0)
		json_put_sat(j, "hot", env->hot_sat);
	if (reads->fund && env->fund_sat >= 0)
		json_put_sat(j, "fund", env->fund_sat);
}

static void
put_reading(struct json *j, const char *name, bool read, int64_t sat)
{
	if (!read)
		return;
	if (sat < 0)
		json_put_null(j, name);
	else
		json_put_sat(j, name, sat);
}

void
facts_json_record(struct json *j, const struct program *p,
    const struct outcome_record *r)
{
	struct prog_reads	 reads = { .classes = 0 };
	const struct outcome_fact *f = r->facts;
	int			 i, amount = p->amount_slot;

	for (i = 0; i < r->n_rules; i++)
		if (r->rules[i] < p->n_rules &&
		    outcome_tells(r, i, p))
			reads_add(&reads, &p->reads[r->rules[i]]);
	put_classes(j, p, reads.classes, r->classes);
	if (amount >= 0 && (reads.slots[amount / 64] >> amount % 64 & 1) == 0)
		amount = -1;
	for (i = 0; i < r->n_facts; i++, f++) {
		if (amount >= 0 && f->slot > amount) {
			slot_json(p, j, amount, r->amount_sat);
			amount = -1;
		}
		if (f->slot >= p->n_slots)
			continue;
		if (f->known)
			slot_json(p, j, f->slot, f->value);
		else
			slot_json_unknown(p, j, f->slot);
	}
	if (amount >= 0)
		slot_json(p, j, amount, r->amount_sat);
	put_reading(j, "hot", r->hot_read, r->hot_sat);
	put_reading(j, "fund", r->fund_read, r->fund_sat);
}
