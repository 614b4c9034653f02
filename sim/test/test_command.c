/*
 * Scenario lines as commands and back: the line that comes out is the one
 * that went in, and the engine is asked for the same.
 */
#include "sim/command.h"

#include <stdlib.h>

#include "engine/take.h"
#include "sim/feed.h"
#include "sim/params.h"
#include "sim/simulate.h"
#include "tests/check.h"

static struct err	 why;
static const struct ident_key ids = { "0123456789abcde" };

/* The facts that the lines below name. */
static char		 amount_name[] = "aml_sum", count_name[] = "kyc";
static char		 time_name[] = "age", flag_name[] = "pep";
static struct declared	 declared[] = {
	{ .name = amount_name, .type = TYPE_AMOUNT },
	{ .name = count_name, .type = TYPE_COUNT },
	{ .name = time_name, .type = TYPE_TIME },
	{ .name = flag_name, .type = TYPE_FLAG },
};
static const struct policy policy = { .declared = declared,
	.n_declared = 4 };

static bool
same_input(const struct input *a, const struct input *b)
{
	size_t	 i;

	for (i = 0; i < a->n_cidrs && i < b->n_cidrs; i++) {
		if (a->cidrs[i].bits != b->cidrs[i].bits ||
		    memcmp(a->cidrs[i].ip, b->cidrs[i].ip, 16) != 0)
			return false;
	}
	return a->type == b->type && a->t_ms == b->t_ms &&
	    ident_equal(a->account, b->account) &&
	    ident_equal(a->key, b->key) && ident_equal(a->id, b->id) &&
	    ident_equal(a->script, b->script) && ident_equal(a->by, b->by) &&
	    ident_equal(a->group, b->group) &&
	    ident_equal(a->partner, b->partner) &&
	    a->amount_sat == b->amount_sat && a->limit_sat == b->limit_sat &&
	    a->tier == b->tier && a->first_seen_ms == b->first_seen_ms &&
	    a->value == b->value && a->declared == b->declared &&
	    a->via == b->via && a->form == b->form && a->code == b->code &&
	    a->device_new == b->device_new && a->paid == b->paid &&
	    a->withdraw == b->withdraw && a->history == b->history &&
	    a->not_me == b->not_me && a->has_ip == b->has_ip &&
	    (!a->has_ip || memcmp(a->ip, b->ip, 16) == 0) &&
	    a->n_cidrs == b->n_cidrs && a->n_facts == b->n_facts;
}

/* What the engine would be asked, by both ways. */
static bool
asked_alike(struct feed *f, const struct scenario_event *ev,
    const struct command *c, enum network net, bool history)
{
	static struct cidr	 cidrs[SCENARIO_IPS_MAX];
	static struct input_fact facts[COMMAND_FACTS_MAX];
	struct feed_item	 item;
	struct input		 in;
	bool			 taken;

	if (feed_read(f, ev, net, history, cidrs, &item, &why) != RC_OK ||
	    take(&in, &taken, facts, c, &ids, &policy, &why) != RC_OK)
		return false;
	return item.skip == !taken && (item.skip ||
	    same_input(&item.in, &in));
}

/* Event, command, bytes, command, event; its line into `line`. */
static bool
round_trip(struct feed *f, const struct scenario_event *ev,
    enum network net, char *line, size_t room)
{
	static unsigned char		 open[65536], sealed[65536];
	static struct command_room	 there;
	static struct command_lists	 lists;
	static struct event_room	 back;
	struct command			 c, again;
	struct scenario_event		 out;
	size_t				 n, m;
	bool				 any;

	line[0] = '\0';
	if (command_of_event(&c, &any, &there, ev, net, false, &why) != RC_OK)
		return false;
	if (!any)
		return true;
	if (command_open_room(&c) > sizeof(open) ||
	    command_sealed_room(&c) > sizeof(sealed))
		return false;
	command_pack(&c, open, &n, sealed, &m);
	if (command_unpack(&again, &lists, open, n, sealed, m, &why) !=
	    RC_OK || !asked_alike(f, ev, &again, net, false))
		return false;
	if (event_of_command(&out, &any, &back, &again, net, &why) !=
	    RC_OK || !any || scenario_line_room(&out) >= room)
		return false;
	line[scenario_line(&out, line)] = '\0';
	return true;
}

/* Lines one by one */

static const char *const unchanged[] = {
	"{\"type\":\"account\",\"t\":0,\"account\":\"a\"}",
	"{\"type\":\"account\",\"t\":1,\"account\":\"a\","
	    "\"limit_24h\":\"0.00000000\",\"tier\":0,\"group\":\"g\"}",
	"{\"type\":\"key\",\"t\":1,\"account\":\"a\",\"key\":\"k\","
	    "\"withdraw\":false,\"ips\":[]}",
	"{\"type\":\"key\",\"t\":1,\"account\":\"a\",\"key\":\"k\","
	    "\"withdraw\":true,\"ips\":[\"10.0.0.0/8\",\"192.0.2.7/32\","
	    "\"0.0.0.0/0\",\"::/0\",\"2001:db8::/33\",\"::1/128\","
	    "\"::fffe:0:0/95\"],\"partner\":\"p\"}",
	"{\"type\":\"key_revoke\",\"t\":1,\"key\":\"k\"}",
	"{\"type\":\"security_change\",\"t\":1,\"account\":\"a\","
	    "\"what\":\"2fa\"}",
	"{\"type\":\"security_change\",\"t\":1,\"account\":\"a\","
	    "\"what\":\"password\"}",
	"{\"type\":\"login\",\"t\":1,\"account\":\"a\"}",
	"{\"type\":\"login\",\"t\":1,\"account\":\"a\","
	    "\"ip\":\"2001:db8::1\",\"device\":\"known\"}",
	"{\"type\":\"login\",\"t\":1,\"account\":\"a\","
	    "\"ip\":\"0.0.0.0\",\"device\":\"new\"}",
	"{\"type\":\"fact\",\"t\":1,\"account\":\"a\",\"name\":\"kyc\","
	    "\"value\":3}",
	"{\"type\":\"fact\",\"t\":1,\"id\":\"w\",\"name\":\"age\","
	    "\"value\":\"6h\"}",
	"{\"type\":\"fact\",\"t\":1,\"id\":\"w\",\"name\":\"age\","
	    "\"value\":\"06h\"}",
	"{\"type\":\"fact\",\"t\":1,\"id\":\"w\",\"name\":\"age\","
	    "\"value\":21600000}",
	"{\"type\":\"fact\",\"t\":1,\"account\":\"a\",\"name\":\"pep\","
	    "\"value\":true}",
	"{\"type\":\"fact\",\"t\":1,\"account\":\"a\",\"name\":\"pep\","
	    "\"value\":false}",
	"{\"type\":\"fact\",\"t\":1,\"account\":\"a\",\"name\":\"pep\","
	    "\"value\":1}",
	"{\"type\":\"fact\",\"t\":1,\"account\":\"a\",\"name\":\"aml_sum\","
	    "\"value\":\"0.5\"}",
	"{\"type\":\"fact\",\"t\":1,\"account\":\"a\",\"name\":\"other\","
	    "\"value\":-9223372036854775808}",
	"{\"type\":\"fact\",\"t\":1,\"account\":\"a\",\"name\":\"other\","
	    "\"value\":\"\"}",
	"{\"type\":\"deposit\",\"t\":1,\"account\":\"a\","
	    "\"amount\":\"0.00000000\"}",
	"{\"type\":\"balance\",\"t\":1,\"account\":\"a\","
	    "\"amount\":\"21000000.00000000\"}",
	"{\"type\":\"hot_balance\",\"t\":1,\"amount\":\"7.00000001\"}",
	"{\"type\":\"fund\",\"t\":1,\"amount\":\"7.00000001\"}",
	"{\"type\":\"chain_seen\",\"t\":1,"
	    "\"address\":\"1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa\","
	    "\"first_seen\":1231006505000,\"received\":\"50.00000000\"}",
	"{\"type\":\"address_add\",\"t\":1,\"account\":\"a\","
	    "\"address\":\"3P14159f73E4gFr7JterCCQh9QjiTjiZrG\"}",
	"{\"type\":\"address_remove\",\"t\":1,\"account\":\"a\",\"address\":"
	    "\"bc1qp6k6tux6g3gr3sxw94g9tx4l0cjtu2pt65r6xp\"}",
	"{\"type\":\"withdraw\",\"t\":1,\"id\":\"w\",\"account\":\"a\","
	    "\"via\":\"internal\",\"address\":"
	    "\"bc1qp6k6tux6g3gr3sxw94g9tx4l0cjtu2pt65r6xp\","
	    "\"amount\":\"0.00000001\"}",
	"{\"type\":\"withdraw\",\"t\":253402300799999,"
	    "\"id\":\"\\u0000\\\" \xe2\x82\xac\",\"account\":\"\xc3\xa9\","
	    "\"via\":\"api\",\"address\":"
	    "\"bc1qp6k6tux6g3gr3sxw94g9tx4l0cjtu2pt65r6xp\","
	    "\"amount\":\"21000000.00000000\",\"key\":\"k\","
	    "\"second_factor\":false,\"ip\":\"255.255.255.255\"}",
	"{\"type\":\"outcome\",\"t\":1,\"id\":\"w\",\"state\":\"paid\"}",
	"{\"type\":\"outcome\",\"t\":1,\"id\":\"w\",\"state\":\"denied\"}",
	"{\"type\":\"cancel\",\"t\":1,\"id\":\"w\"}",
	"{\"type\":\"cancel\",\"t\":1,\"id\":\"w\",\"reason\":\"not_me\"}",
	"{\"type\":\"cancel\",\"t\":1,\"id\":\"w\",\"reason\":\"dear\"}",
	"{\"type\":\"release\",\"t\":1,\"id\":\"w\",\"by\":\"bob\"}",
	"{\"type\":\"deny\",\"t\":1,\"id\":\"w\",\"by\":\"bob\","
	    "\"reason\":\"not_me\"}",
	"{\"type\":\"freeze\",\"t\":1,\"account\":\"a\",\"by\":\"bob\"}",
	"{\"type\":\"freeze\",\"t\":1,\"key\":\"k\",\"by\":\"bob\","
	    "\"reason\":\"stolen\"}",
	"{\"type\":\"unfreeze\",\"t\":1,\"key\":\"k\",\"by\":\"bob\"}",
	"{\"type\":\"halt\",\"t\":1,\"by\":\"bob\"}",
	"{\"type\":\"resume\",\"t\":1,\"by\":\"bob\",\"reason\":\"over\"}",
};

static const struct {
	const char	*in;
	const char	*out;
} changed[] = {
	/* One spelling of an address and a network. */
	{ "{\"type\":\"address_add\",\"t\":1,\"account\":\"a\",\"address\":"
	    "\"BC1QP6K6TUX6G3GR3SXW94G9TX4L0CJTU2PT65R6XP\"}",
	  "{\"type\":\"address_add\",\"t\":1,\"account\":\"a\",\"address\":"
	    "\"bc1qp6k6tux6g3gr3sxw94g9tx4l0cjtu2pt65r6xp\"}" },
	{ "{\"type\":\"login\",\"t\":1,\"account\":\"a\","
	    "\"ip\":\"2001:DB8:0:0::1\"}",
	  "{\"type\":\"login\",\"t\":1,\"account\":\"a\","
	    "\"ip\":\"2001:db8::1\"}" },
	{ "{\"type\":\"login\",\"t\":1,\"account\":\"a\","
	    "\"ip\":\"::ffff:192.0.2.1\"}",
	  "{\"type\":\"login\",\"t\":1,\"account\":\"a\","
	    "\"ip\":\"192.0.2.1\"}" },
	{ "{\"type\":\"key\",\"t\":1,\"account\":\"a\",\"key\":\"k\","
	    "\"withdraw\":true,\"ips\":[\"10.1.2.3/8\",\"192.0.2.1\","
	    "\"::ffff:10.0.0.0/104\",\"::ffff:0:0/90\"]}",
	  "{\"type\":\"key\",\"t\":1,\"account\":\"a\",\"key\":\"k\","
	    "\"withdraw\":true,\"ips\":[\"10.0.0.0/8\",\"192.0.2.1/32\","
	    "\"10.0.0.0/8\",\"::ffc0:0:0/90\"]}" },
	/* The engine never sees a label, and an empty reason is none. */
	{ "{\"type\":\"withdraw\",\"t\":1,\"id\":\"w\",\"account\":\"a\","
	    "\"via\":\"web\",\"address\":"
	    "\"bc1qp6k6tux6g3gr3sxw94g9tx4l0cjtu2pt65r6xp\","
	    "\"amount\":\"1.00000000\",\"label\":\"attack\"}",
	  "{\"type\":\"withdraw\",\"t\":1,\"id\":\"w\",\"account\":\"a\","
	    "\"via\":\"web\",\"address\":"
	    "\"bc1qp6k6tux6g3gr3sxw94g9tx4l0cjtu2pt65r6xp\","
	    "\"amount\":\"1.00000000\"}" },
	{ "{\"type\":\"halt\",\"t\":1,\"by\":\"bob\",\"reason\":\"\"}",
	  "{\"type\":\"halt\",\"t\":1,\"by\":\"bob\"}" },
};

static struct scenario_parser	*parser;
static struct feed		*feed;
static char			 line[65536];

static void
one_line(const char *in, const char *want)
{
	struct scenario_event	 ev;

	if (!CHECK(scenario_parse(parser, in, strlen(in), &ev, &why) ==
	    RC_OK) || !CHECK(round_trip(feed, &ev, NETWORK_MAIN, line,
	    sizeof(line)))) {
		printf("#   %s\n#   %s\n", in, why.text);
		return;
	}
	CHECK_STR(line, want);
}

static void
test_lines(void)
{
	size_t	 i;

	check_case("lines of every type come back as they were");
	for (i = 0; i < sizeof(unchanged) / sizeof(unchanged[0]); i++)
		one_line(unchanged[i], unchanged[i]);
	check_case("other spellings come back in the one there is");
	for (i = 0; i < sizeof(changed) / sizeof(changed[0]); i++)
		one_line(changed[i].in, changed[i].out);
}

/* Files */

struct tally {
	enum network	 net;
	uint64_t	 lines, wrong;
	bool		 by_type[SCENARIO__COUNT];
};

static enum rc
tally(void *ctx, const struct scenario_event *ev)
{
	static char		 want[65536];
	struct tally		*t = ctx;
	struct scenario_event	 plain = *ev;

	t->lines++;
	t->by_type[ev->type] = true;
	if (ev->type == SCENARIO_HEADER) {
		t->net = ev->network;
		return RC_OK;
	}
	plain.label = LABEL_NONE;
	want[scenario_line(&plain, want)] = '\0';
	/* Read again: a writer does not clear what its type has not. */
	if (scenario_parse(parser, want, strlen(want), &plain, &why) !=
	    RC_OK ||
	    !round_trip(feed, &plain, t->net, line, sizeof(line)) ||
	    strcmp(line, want) != 0) {
		if (t->wrong++ == 0)
			printf("#   %s\n#   %s\n#   %s\n", want, line,
			    why.text);
	}
	return RC_OK;
}

static void
test_file(void)
{
	struct scenario_reader	*r = NULL;
	struct scenario_event	 ev;
	struct tally		 t = { .net = NETWORK_MAIN };
	bool			 more = true;

	check_case("the whole of the 2019 scenario comes back");
	if (!CHECK(scenario_reader_open(&r, "etc/scenarios/binance-2019.jsonl",
	    &why) == RC_OK))
		return;
	for (;;) {
		if (!CHECK(scenario_read(r, &ev, &more, &why) == RC_OK) ||
		    !more)
			break;
		(void)tally(&t, &ev);
	}
	CHECK(t.lines > 100000);
	CHECK_INT(t.wrong, 0);
	scenario_reader_free(&r);
}

static void
test_simulated(void)
{
	struct tally		 t = { .net = NETWORK_MAIN };
	struct simulate_sink	 sink = { tally, &t };
	struct params		 p;

	check_case("a simulated scenario comes back");
	params_default(&p);
	CHECK(params_preset(&p, "small"));
	p.days = 3;
	p.seed = 7;
	CHECK(simulate_run(&p, NULL, &sink, &why) == RC_OK);
	CHECK(t.lines > 5000);
	CHECK(t.by_type[SCENARIO_WITHDRAW] && t.by_type[SCENARIO_KEY] &&
	    t.by_type[SCENARIO_LOGIN]);
	CHECK_INT(t.wrong, 0);
}

/* What is not a line, or no command */

static void
test_history(void)
{
	static const enum scenario_type	 out[] = { SCENARIO_CANCEL,
		SCENARIO_RELEASE, SCENARIO_DENY, SCENARIO_HALT,
		SCENARIO_RESUME, SCENARIO_HEADER };
	struct command_room	 room;
	struct scenario_event	 ev;
	struct command		 c;
	bool			 any;
	size_t			 i;

	check_case("history: what is left out, what is marked");
	for (i = 0; i < sizeof(out) / sizeof(out[0]); i++) {
		scenario_event_clear(&ev, out[i], 1);
		CHECK(command_of_event(&c, &any, &room, &ev, NETWORK_MAIN,
		    true, &why) == RC_OK && !any);
	}
	scenario_event_clear(&ev, SCENARIO_WITHDRAW, 1);
	ev.id = ev.account = text_of("x");
	ev.address = text_of("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa");
	ev.amount_sat = 1;
	CHECK(command_of_event(&c, &any, &room, &ev, NETWORK_MAIN, true,
	    &why) == RC_OK && any && c.history);
	CHECK(command_of_event(&c, &any, &room, &ev, NETWORK_MAIN, false,
	    &why) == RC_OK && any && !c.history);
	scenario_event_clear(&ev, SCENARIO_DEPOSIT, 1);
	ev.account = text_of("x");
	CHECK(command_of_event(&c, &any, &room, &ev, NETWORK_MAIN, true,
	    &why) == RC_OK && any && !c.history);
}

static void
bad(const struct scenario_event *ev, const char *want)
{
	static struct command_room	 room;
	struct command			 c;
	bool				 any;

	why.text[0] = '\0';
	CHECK(command_of_event(&c, &any, &room, ev, NETWORK_MAIN, false,
	    &why) == RC_FAILED);
	if (!CHECK(strncmp(why.text, want, strlen(want)) == 0))
		printf("#   %s\n", why.text);
}

static void
test_bad(void)
{
	static char		 reason[2000];
	static const struct text ips[] = { { "10.0.0.0/33", 11 } };
	struct scenario_event	 ev;

	check_case("errors begin with the key");
	scenario_event_clear(&ev, SCENARIO_LOGIN, 1);
	bad(&ev, "`account`: missing");
	ev.account = text_of("a");
	ev.ip = text_of("1.2.3");
	bad(&ev, "`ip`: ");
	scenario_event_clear(&ev, SCENARIO_ADDRESS_ADD, 1);
	ev.account = text_of("a");
	ev.address = text_of("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb");
	bad(&ev, "`address`: ");
	scenario_event_clear(&ev, SCENARIO_KEY, 1);
	ev.account = ev.key = text_of("a");
	ev.ips = ips;
	ev.n_ips = 1;
	bad(&ev, "`ips`: ");
	scenario_event_clear(&ev, SCENARIO_HALT, 1);
	ev.by = text_of("bob");
	memset(reason, 'x', sizeof(reason));
	ev.reason = (struct text){ reason, sizeof(reason) };
	bad(&ev, "`reason`: 2000 bytes; at most 1024");
}

static void
test_no_line(void)
{
	static struct event_room	 room;
	struct command_fact		 fact = { .name = { "kyc", 3 },
		.kind = VALUE_INTEGER, .value = 2 };
	struct scenario_event		 ev;
	struct command			 c;
	bool				 any;
	int				 t, n = 0;

	check_case("what no line can say");
	for (t = COMMAND_TICK; t < COMMAND__END; t++) {
		command_clear(&c, (enum command_type)t, 1);
		CHECK(event_of_command(&ev, &any, &room, &c, NETWORK_MAIN,
		    &why) == RC_OK);
		n += any;
	}
	CHECK_INT(n, SCENARIO__COUNT - 1);
	command_clear(&c, COMMAND_CANCEL, 1);
	c.id = text_of("w");
	c.reason = text_of("not_me");
	CHECK(event_of_command(&ev, &any, &room, &c, NETWORK_MAIN, &why) ==
	    RC_OK && ev.reason.p == NULL && !ev.not_me);
	command_clear(&c, COMMAND_WITHDRAW, 1);
	c.id = text_of("w");
	c.script = text_of("xyz");
	CHECK(event_of_command(&ev, &any, &room, &c, NETWORK_MAIN, &why) ==
	    RC_FAILED);
	c.facts = &fact;
	c.n_facts = 1;
	event_of_fact(&ev, &c, 0);
	line[scenario_line(&ev, line)] = '\0';
	CHECK_STR(line, "{\"type\":\"fact\",\"t\":1,\"id\":\"w\","
	    "\"name\":\"kyc\",\"value\":2}");
}

int
main(void)
{
	if (scenario_parser_new(&parser, &why) != RC_OK ||
	    feed_new(&feed, &ids, &policy, &why) != RC_OK)
		return 1;
	test_lines();
	test_file();
	test_simulated();
	test_history();
	test_bad();
	test_no_line();
	feed_free(&feed);
	scenario_parser_free(&parser);
	return check_done();
}
