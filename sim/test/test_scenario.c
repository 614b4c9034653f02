/*
 * Scenario files: what is written is what is read, however it is stored.
 */
#include <stdlib.h>
#include <unistd.h>
#include <zstd.h>

#include "sim/scenario.h"
#include "tests/check.h"

static struct err	 why;
static char		 dir[] = "/tmp/test_scenario.XXXXXX";
static char		 path[64];

#define T0	INT64_C(1557249324000)

/* One event of every type, with every key. */
static struct scenario_event
full(enum scenario_type type)
{
	static const struct text	 ips[2] = {
		{ "10.0.0.0/8", 10 }, { "2001:db8::/32", 13 } };
	struct scenario_event			 ev;

	scenario_event_clear(&ev, type, type == SCENARIO_HEADER ? 0 : T0);
	ev.account = text_of("al\"ice\\\n\t\x01\xc3\xa9");
	ev.key = text_of("k-1");
	ev.id = text_of("w-1");
	ev.address = text_of("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa");
	ev.ip = text_of("10.1.2.3");
	ev.by = text_of("bob");
	ev.reason = text_of("because");
	ev.group = text_of("g");
	ev.partner = text_of("p");
	ev.name = text_of("kyc");
	ev.value_kind = VALUE_INTEGER;
	ev.value = 3;
	ev.amount_sat = 12345;
	ev.received_sat = 2100000000000000;
	ev.first_seen_ms = 1231006505000;
	ev.limit_sat = 10000000000;
	ev.tier = 2;
	ev.network = NETWORK_MAIN;
	ev.what = CREDENTIAL_EMAIL;
	ev.label = LABEL_ATTACK;
	ev.via = VIA_MOBILE;
	ev.code = TRI_NO;
	ev.device_new = TRI_YES;
	ev.paid = PAID_CANCELLED;
	ev.withdraw = true;
	ev.ips = ips;
	ev.n_ips = 2;
	/* fact: an account or an id; freeze: an account or a key. */
	if (type == SCENARIO_FACT)
		ev.id = text_of(NULL);
	if (type == SCENARIO_FREEZE || type == SCENARIO_UNFREEZE)
		ev.key = text_of(NULL);
	if (type == SCENARIO_FREEZE || type == SCENARIO_UNFREEZE ||
	    type == SCENARIO_HALT || type == SCENARIO_RESUME)
		ev.id = text_of(NULL);
	return ev;
}

static void
test_round_trip(void)
{
	struct scenario_parser	*p;
	struct scenario_event	 ev, back;
	char			 one[4096], two[4096];
	size_t			 n, m;
	int			 t;

	check_case("scenario lines go there and back");
	CHECK(scenario_parser_new(&p, &why) == RC_OK);
	for (t = 0; t < SCENARIO__COUNT; t++) {
		ev = full((enum scenario_type)t);
		n = scenario_line(&ev, one);
		CHECK(n < scenario_line_room(&ev));
		one[n] = '\0';
		if (!CHECK(scenario_parse(p, one, n, &back, &why) ==
		    RC_OK)) {
			printf("#   %s: %s\n", one, why.text);
			continue;
		}
		m = scenario_line(&back, two);
		two[m] = '\0';
		CHECK_STR(two, one);
	}
	scenario_parser_free(&p);
}

static void
test_optional(void)
{
	struct scenario_parser	*p;
	struct scenario_event	 ev;
	const char		*line = "{\"type\":\"withdraw\",\"t\":5,"
	    "\"id\":\"1\",\"account\":\"a\",\"via\":\"web\",\"key\":null,"
	    "\"address\":\"x\",\"amount\":\"1\",\"asset\":\"BTC\",\"fee\":{}}";

	check_case("scenario: absent is unknown");
	CHECK(scenario_parser_new(&p, &why) == RC_OK);
	CHECK(scenario_parse(p, line, strlen(line), &ev, &why) == RC_OK);
	CHECK(ev.code == TRI_UNKNOWN && ev.label == LABEL_NONE);
	CHECK(ev.key.p == NULL && ev.ip.p == NULL);
	CHECK_INT(ev.amount_sat, 100000000);
	line = "{\"type\":\"account\",\"t\":5,\"account\":\"a\"}";
	CHECK(scenario_parse(p, line, strlen(line), &ev, &why) == RC_OK);
	CHECK(ev.limit_sat == -1 && ev.tier == -1 && ev.group.p == NULL);
	line = "{\"type\":\"cancel\",\"t\":5,\"id\":\"a\","
	    "\"reason\":\"not_me\"}";
	CHECK(scenario_parse(p, line, strlen(line), &ev, &why) == RC_OK);
	CHECK(ev.not_me);
	scenario_parser_free(&p);
}

static void
put_file(const char *text, size_t len)
{
	FILE	*f = fopen(path, "w");

	if (!CHECK(f != NULL))
		return;
	CHECK(fwrite(text, 1, len, f) == len);
	CHECK(fclose(f) == 0);
}

/* How many events; -1: an error, and why says which. */
static int
read_all(int64_t *sum)
{
	struct scenario_reader	*r = NULL;
	struct scenario_event	 ev;
	bool			 more = true;
	int			 n = 0;

	*sum = 0;
	if (scenario_reader_open(&r, path, &why) != RC_OK)
		return -1;
	while (more) {
		if (scenario_read(r, &ev, &more, &why) != RC_OK) {
			n = -1;
			break;
		}
		n += more;
		if (more)
			*sum += ev.amount_sat;
	}
	scenario_reader_free(&r);
	return n;
}

static void
check_text(const char *text, int want)
{
	int64_t	 sum;

	put_file(text, strlen(text));
	CHECK_INT(read_all(&sum), want);
}

#define FUND	"{\"type\":\"fund\",\"t\":7,\"amount\":\"1\"}"

static void
test_lines(void)
{
	check_case("scenario: ends of lines and files");
	check_text("", 0);
	check_text("\n\n", 0);
	check_text(FUND, 1);
	check_text(FUND "\n", 1);
	check_text(FUND "\r\n" FUND "\r\n", 2);
	check_text("\n" FUND "\n \t\n" FUND, 2);
	check_text("\xef\xbb\xbf" FUND "\n", -1);
	check_text(FUND "\n" FUND "x", -1);
	CHECK(strstr(why.text, ":2: ") != NULL);
	put_file(FUND "\n\0\n", sizeof(FUND "\n\0\n") - 1);
	CHECK_INT(read_all(&(int64_t){ 0 }), -1);
}

/* Lines of all lengths over many times the size of the buffer. */
static void
write_many(int n)
{
	static char		 reason[1000];
	struct scenario_writer	*w = NULL;
	struct scenario_event	 ev;
	int			 i;

	memset(reason, 'x', sizeof(reason));
	CHECK(scenario_writer_open(&w, path, &why) == RC_OK);
	for (i = 0; i < n; i++) {
		scenario_event_clear(&ev, i % 2 == 0 ? SCENARIO_FUND :
		    SCENARIO_HALT, T0 + i);
		ev.amount_sat = i % 2 == 0 ? i : 0;
		ev.by = text_of("b");
		ev.reason.p = reason;
		ev.reason.len = (size_t)(i * 37 % 1000);
		if (!CHECK(scenario_write(w, &ev) == RC_OK))
			break;
	}
	CHECK(access(path, F_OK) != 0);
	CHECK(scenario_writer_close(&w, &why) == RC_OK);
	CHECK(w == NULL);
}

static void
test_files(void)
{
	int64_t	 sum, want = 0;
	int	 i, n = 20000;

	for (i = 0; i < n; i += 2)
		want += i;
	check_case("scenario: large files");
	(void)snprintf(path, sizeof(path), "%s/plain.jsonl", dir);
	write_many(n);
	CHECK_INT(read_all(&sum), n);
	CHECK_INT(sum, want);
	(void)unlink(path);
	check_case("scenario: compressed files");
	(void)snprintf(path, sizeof(path), "%s/packed.jsonl.zst", dir);
	write_many(n);
	CHECK_INT(read_all(&sum), n);
	CHECK_INT(sum, want);
	/* Cut in the middle. */
	CHECK(truncate(path, 20000) == 0);
	CHECK_INT(read_all(&sum), -1);
	CHECK(strstr(why.text, "compressed") != NULL);
	(void)unlink(path);
}

/* Two frames one after the other are one file. */
static void
test_frames(void)
{
	char	 packed[1024];
	size_t	 n, m;
	int64_t	 sum;

	check_case("scenario: frames");
	(void)snprintf(path, sizeof(path), "%s/frames", dir);
	n = ZSTD_compress(packed, sizeof(packed), FUND "\n", strlen(FUND) + 1,
	    1);
	m = ZSTD_compress(packed + n, sizeof(packed) - n, FUND "\n",
	    strlen(FUND) + 1, 1);
	put_file(packed, n + m);
	CHECK_INT(read_all(&sum), 2);
	put_file(packed, n + 5);
	CHECK_INT(read_all(&sum), -1);
	packed[n] = 'x';
	put_file(packed, n + m);
	CHECK_INT(read_all(&sum), -1);
	(void)unlink(path);
}

static void
test_long_lines(void)
{
	static char	 text[SCENARIO_LINE_MAX + 4096];
	int		 extra;
	size_t		 n;
	int64_t		 sum;

	check_case("scenario: a line of a mebibyte, and one byte more");
	(void)snprintf(path, sizeof(path), "%s/long", dir);
	for (extra = 0; extra < 2; extra++) {
		n = (size_t)snprintf(text, sizeof(text),
		    "%s\n{\"type\":\"halt\",\"t\":8,"
		    "\"by\":\"b\",\"reason\":\"", FUND);
		memset(text + n, 'y', SCENARIO_LINE_MAX);
		n = strlen(FUND) + 1 + SCENARIO_LINE_MAX - 2 + (size_t)extra;
		memcpy(text + n, "\"}\n", 3);
		n += 3;
		put_file(text, n);
		CHECK_INT(read_all(&sum), extra == 0 ? 2 : -1);
	}
	CHECK(strstr(why.text, ":2: a line of more than") != NULL);
	(void)unlink(path);
}

static void
test_discard(void)
{
	struct scenario_writer	*w = NULL;
	struct scenario_event	 ev = full(SCENARIO_FUND);

	check_case("scenario: given up, nothing is left");
	(void)snprintf(path, sizeof(path), "%s/none", dir);
	CHECK(scenario_writer_open(&w, path, &why) == RC_OK);
	CHECK(scenario_write(w, &ev) == RC_OK);
	scenario_writer_discard(&w);
	CHECK(access(path, F_OK) != 0);
	CHECK(rmdir(dir) == 0);
	CHECK(scenario_writer_open(&w, "/nowhere/x", &why) == RC_FAILED);
	CHECK(w == NULL);
	/* The disk is full. */
	CHECK(scenario_writer_open(&w, "/dev/full", &why) != RC_OK ||
	    scenario_write(w, &ev) != RC_OK ||
	    scenario_writer_close(&w, &why) != RC_OK);
	scenario_writer_discard(&w);
}

int
main(void)
{
	if (mkdtemp(dir) == NULL)
		return 1;
	(void)snprintf(path, sizeof(path), "%s/x.jsonl", dir);
	test_round_trip();
	test_optional();
	test_lines();
	(void)unlink(path);
	test_files();
	test_frames();
	test_long_lines();
	test_discard();
	return check_done();
}
