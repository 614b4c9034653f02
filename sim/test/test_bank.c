/*
 * Events kept in memory come back as they went in.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/civil.h"
#include "sim/bank.h"
#include "sim/scenario.h"
#include "sim/simulate.h"
#include "tests/check.h"

struct twice {
	struct bank	*bank;
	char		*lines;		/* all of them, as text */
	size_t		 len;
	size_t		 room;
	struct err	*e;
};

static void
append(struct twice *t, const struct scenario_event *ev)
{
	const size_t	 room = scenario_line_room(ev);

	if (t->len + room > t->room) {
		t->room = (t->len + room) * 2;
		t->lines = realloc(t->lines, t->room);
		if (t->lines == NULL)
			abort();
	}
	t->len += scenario_line(ev, t->lines + t->len);
}

static enum rc
both(void *ctx, const struct scenario_event *ev)
{
	struct twice	*t = ctx;

	append(t, ev);
	return bank_add(t->bank, ev, t->e);
}

static void
test_platform(void)
{
	struct bank			 bank = { 0 };
	struct err			 e;
	struct twice			 in = { .bank = &bank, .e = &e };
	struct twice			 out = { 0 };
	const struct simulate_sink	 sink = { both, &in };
	struct bank_cursor		 c;
	struct scenario_event		 ev;
	struct params			 p;
	size_t				 n = 0;

	check_case("a platform's events come back byte for byte");
	params_default(&p);
	p.accounts = 200;
	p.days = 8;
	p.attack_owners_ppm = 500000;
	CHECK(simulate_run(&p, attack_kinds(&n)[0].name, &sink, &e) ==
	    RC_OK);
	bank_begin(&c, &bank);
	for (n = 0; bank_next(&c, &ev); n++)
		append(&out, &ev);
	CHECK_INT(n, bank.count);
	CHECK(n > 1000);
	CHECK_INT(out.len, in.len);
	CHECK(out.len == in.len && memcmp(out.lines, in.lines, in.len) == 0);
	CHECK_INT(bank.first_ms, 0);
	CHECK_INT(bank_next_ms(&c), INT64_MAX);
	free(in.lines);
	free(out.lines);
	bank_free(&bank);
}

/* What simulate never writes. */
static void
test_rare(void)
{
	struct bank		 bank = { 0 };
	struct bank_cursor	 c;
	struct scenario_event	 ev, back;
	struct text	 ips[2];
	struct err		 e;

	check_case("rare keys come back too");
	scenario_event_clear(&ev, SCENARIO_FACT, 5);
	ev.account = text_of("a");
	ev.name = text_of("kyc");
	ev.value_text = text_of("");
	ev.value = -3;
	CHECK(bank_add(&bank, &ev, &e) == RC_OK);
	scenario_event_clear(&ev, SCENARIO_KEY, 7);
	ips[0] = text_of("10.0.0.0/8");
	ips[1] = text_of("::1");
	ev.ips = ips;
	ev.n_ips = 2;
	ev.tier = 3;
	CHECK(bank_add(&bank, &ev, &e) == RC_OK);
	bank_begin(&c, &bank);
	CHECK_INT(bank_next_ms(&c), 5);
	CHECK(bank_next(&c, &back));
	CHECK_INT(back.value, -3);
	CHECK(back.value_text.p != NULL && back.value_text.len == 0);
	CHECK(back.key.p == NULL);
	CHECK_INT(back.tier, -1);
	CHECK(bank_next(&c, &back));
	CHECK_INT(back.n_ips, 2);
	CHECK(back.ips[1].len == 3 && memcmp(back.ips[1].p, "::1", 3) == 0);
	CHECK_INT(back.tier, 3);
	CHECK(!bank_next(&c, &back));
	bank_free(&bank);
}

int
main(void)
{
	test_platform();
	test_rare();
	return check_done();
}
