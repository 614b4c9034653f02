/*
 * The line scanner: cases of its own, the public suite of JSON files where
 * it is there, and a comparison with jansson on random and mutated lines.
 */
#include <dirent.h>
#include <jansson.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sim/jsonline.h"
#include "tests/check.h"

#define SUITE	"../shared/vectors/json-suite/test_parsing"

static struct jsonline	 scanner;
static struct err	 why;

/* Scan it all; how many members, or -1. */
static int
scan(const char *line, size_t len)
{
	struct jsonline_member	 m;
	bool			 more;
	int			 n = 0;

	if (jsonline_begin(&scanner, line, len, &why) != RC_OK)
		return -1;
	for (;;) {
		if (jsonline_next(&scanner, &m, &more, &why) != RC_OK)
			return -1;
		if (!more)
			return n;
		n++;
	}
}

static int
scan_text(const char *line)
{
	return scan(line, strlen(line));
}

/* The first member of a line, which must be good. */
static struct jsonline_member
first(const char *line)
{
	struct jsonline_member	 m = { 0 };
	bool			 more;

	CHECK(jsonline_begin(&scanner, line, strlen(line), &why) == RC_OK);
	CHECK(jsonline_next(&scanner, &m, &more, &why) == RC_OK && more);
	return m;
}

static void
check_string(const char *line, const char *want, size_t len)
{
	struct jsonline_member	 m = first(line);

	CHECK_INT(m.kind, JSONLINE_STRING);
	CHECK_INT(m.text.len, len);
	CHECK(m.text.len == len && memcmp(m.text.p, want, len) == 0);
}

static void
test_values(void)
{
	struct jsonline_member	 m;

	check_case("jsonline values");
	CHECK_INT(scan_text("{}"), 0);
	CHECK_INT(scan_text(" { \"a\" : 1 , \"b\" : \"x\" } "), 2);
	m = first("{\"a\":-9223372036854775808}");
	CHECK(m.kind == JSONLINE_INTEGER && m.integer == INT64_MIN);
	m = first("{\"a\":9223372036854775807}");
	CHECK(m.kind == JSONLINE_INTEGER && m.integer == INT64_MAX);
	m = first("{\"a\":9223372036854775808}");
	CHECK_INT(m.kind, JSONLINE_NUMBER);
	m = first("{\"a\":-9223372036854775809}");
	CHECK_INT(m.kind, JSONLINE_NUMBER);
	m = first("{\"a\":-0}");
	CHECK(m.kind == JSONLINE_INTEGER && m.integer == 0);
	CHECK_INT(first("{\"a\":1.0}").kind, JSONLINE_NUMBER);
	CHECK_INT(first("{\"a\":1e3}").kind, JSONLINE_NUMBER);
	CHECK_INT(first("{\"a\":true}").kind, JSONLINE_TRUE);
	CHECK_INT(first("{\"a\":false}").kind, JSONLINE_FALSE);
	CHECK_INT(first("{\"a\":null}").kind, JSONLINE_NULL);
	CHECK_INT(first("{\"a\":{\"b\":[1]}}").kind, JSONLINE_OBJECT);
	CHECK_INT(first("{\"a\":[1]}").kind, JSONLINE_ARRAY);
	m = first("{\"a\":[]}");
	CHECK(m.kind == JSONLINE_STRINGS && m.n_items == 0);
	m = first("{\"a\":[\"x\",\"y\\u0041\"]}");
	CHECK(m.kind == JSONLINE_STRINGS && m.n_items == 2);
	CHECK(m.items[1].len == 2 && memcmp(m.items[1].p, "yA", 2) == 0);
	CHECK_INT(first("{\"a\":[\"x\",[\"y\"]]}").kind, JSONLINE_ARRAY);
}

static void
test_strings(void)
{
	check_case("jsonline strings");
	check_string("{\"a\":\"\"}", "", 0);
	check_string("{\"a\":\"0123456\"}", "0123456", 7);
	check_string("{\"a\":\"01234567\"}", "01234567", 8);
	check_string("{\"a\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"}",
	    "\"\\/\b\f\n\r\t", 8);
	check_string("{\"a\":\"\\u00e9\\u20AC\\ud83d\\ude00\"}",
	    "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", 9);
	check_string("{\"a\":\"x\\u0000y\"}", "x\0y", 3);
	check_string("{\"a\":\"\xc3\xa9\xf0\x9f\x98\x80\"}",
	    "\xc3\xa9\xf0\x9f\x98\x80", 6);
	check_string("{\"a\":\"\x7f\"}", "\x7f", 1);
}

static void
test_refused(void)
{
	static const char *const	 bad[] = {
		"", " ", "{", "}", "[]", "1", "null", "{}{}", "{} x", "{,}",
		"{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{\"a\":1 \"b\":2}",
		"{a:1}", "{'a':1}", "{1:1}", "{\"a\":1", "{\"a\":[1,]}",
		"{\"a\":[1 2]}", "{\"a\":[}", "{\"a\":{]}", "{\"a\":01}",
		"{\"a\":1.}", "{\"a\":.1}", "{\"a\":1e}", "{\"a\":1e+}",
		"{\"a\":-}", "{\"a\":+1}", "{\"a\":0x1}", "{\"a\":NaN}",
		"{\"a\":tru}", "{\"a\":nulll}", "{\"a\":\"\\x41\"}",
		"{\"a\":\"\\u12\"}", "{\"a\":\"\\u12g4\"}",
		"{\"a\":\"\\ud800\"}", "{\"a\":\"\\udc00\"}",
		"{\"a\":\"\\ud800\\u0041\"}", "{\"a\":\"\\ud800x\"}",
		"{\"a\":\"\t\"}", "{\"a\":\"\x01\"}", "{\"a\":\"x",
		"{\"a\":\"\\",
		"{\"a\":\"\\\"", "{\"a\":\"\xff\"}", "{\"a\":\"\xc0\xaf\"}",
		"{\"a\":\"\xe0\x80\xaf\"}", "{\"a\":\"\xed\xa0\x80\"}",
		"{\"a\":\"\xf4\x90\x80\x80\"}", "{\"a\":\"\xc3\"}",
		"{\"a\":1,\"a\":1}", "{\"a\":1,\"\\u0061\":2}",
		"{\"x\":{\"b\":1,\"b\":2}}", "{\"x\":[{\"b\":1,\"b\":2}]}",
		"{\"0123456789\":1,\"0123456789\":2}",
		"\xef\xbb\xbf{}", "{\"a\":1/**/}", "// x",
	};
	size_t	 i;

	check_case("jsonline refuses");
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (!CHECK(scan_text(bad[i]) == -1))
			printf("#   %s\n", bad[i]);
	}
	/* One name in two objects is fine, so are names that are alike. */
	CHECK_INT(scan_text("{\"x\":{\"a\":1},\"a\":{\"a\":{\"a\":2}}}"), 2);
	CHECK_INT(scan_text("{\"0123456789\":1,\"0123456780\":2,\"01\":3}"),
	    3);
}

/* [[[...]]] of so many arrays within the line's object. */
static int
nested(int depth)
{
	char	 line[256];
	int	 i, n = 0;

	n += snprintf(line, sizeof(line), "{\"a\":");
	for (i = 0; i < depth; i++)
		line[n++] = '[';
	for (i = 0; i < depth; i++)
		line[n++] = ']';
	line[n++] = '}';
	return scan(line, (size_t)n);
}

static void
test_bounds(void)
{
	char	*line = malloc(8192);
	int	 i, n;

	check_case("jsonline bounds");
	CHECK_INT(nested(JSONLINE_DEPTH_MAX - 1), 1);
	CHECK_INT(nested(JSONLINE_DEPTH_MAX), -1);
	for (n = JSONLINE_NAMES_MAX; n <= JSONLINE_NAMES_MAX + 1; n++) {
		int	 used = 0;

		for (i = 0; i < n; i++)
			used += snprintf(line + used, 16, "%c\"%d\":1",
			    i == 0 ? '{' : ',', i);
		line[used++] = '}';
		CHECK_INT(scan(line, (size_t)used),
		    n == JSONLINE_NAMES_MAX ? n : -1);
	}
	free(line);
}

/* No byte beyond the line may be read: it ends where memory ends. */
static void
test_edge(void)
{
	static const char *const	 lines[] = { "{\"a\":\"0123456\"}",
		"{\"a\":\"01234567", "{\"a\":\"\\u00", "{\"a\":\"\xf0\x9f",
		"{\"a\":tr", "{\"a\":12", "{\"a\"", "{\"abcdefg", "{" };
	size_t				 page = (size_t)getpagesize(), n, i;
	char				*two;

	check_case("jsonline at the edge of memory");
	two = mmap(NULL, page * 2, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (!CHECK(two != MAP_FAILED))
		return;
	CHECK(mprotect(two + page, page, PROT_NONE) == 0);
	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		n = strlen(lines[i]);
		memcpy(two + page - n, lines[i], n);
		CHECK_INT(scan(two + page - n, n), i == 0 ? 1 : -1);
	}
	(void)munmap(two, page * 2);
}

/* Jansson's opinion: an object without a name twice. */
static bool
jansson_takes(const char *line, size_t len)
{
	json_t	*j = json_loadb(line, len,
	    JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
	bool	 good = json_is_object(j);

	json_decref(j);
	return good;
}

static void
suite_file(const char *name)
{
	char	 path[512];
	char	*text = malloc(1 << 20), *line = malloc((1 << 20) + 16);
	FILE	*f;
	size_t	 n;
	int	 got;

	(void)snprintf(path, sizeof(path), "%s/%s", SUITE, name);
	if ((f = fopen(path, "r")) == NULL) {
		CHECK(f != NULL);
		goto done;
	}
	n = fread(text, 1, 1 << 20, f);
	(void)fclose(f);
	/* Most are values of their own: they become a member's. */
	got = scan(text, n);
	if (got < 0) {
		memcpy(line, "{\"k\":", 5);
		memcpy(line + 5, text, n);
		line[5 + n] = '}';
		got = scan(line, n + 6);
	}
	/* These nest deeper than a line of ours may, or have a name twice:
	 * duplicates are refused here, and so is JSON with a byte order
	 * mark. */
	if (strncmp(name, "y_object_duplicated", 19) == 0)
		CHECK(got < 0);
	else if (name[0] == 'y' && !CHECK(got >= 0))
		printf("#   %s: %s\n", name, why.text);
	else if (name[0] == 'n' && !CHECK(got < 0))
		printf("#   %s\n", name);
done:
	free(text);
	free(line);
}

static void
test_suite(void)
{
	DIR		*d = opendir(SUITE);
	struct dirent	*entry;

	if (d == NULL) {
		printf("skip jsonline suite: no %s\n", SUITE);
		return;
	}
	check_case("jsonline suite");
	while ((entry = readdir(d)) != NULL) {
		/* Text that becomes two members when it is wrapped. */
		if (strstr(entry->d_name, ".json") != NULL &&
		    strcmp(entry->d_name, "n_structure_close_unopened_array"
		    ".json") != 0)
			suite_file(entry->d_name);
	}
	(void)closedir(d);
}

/* Random lines */

static uint64_t	 seed = 20190507;

static uint32_t
rnd(uint32_t n)
{
	seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (uint32_t)(seed >> 33) % n;
}

static size_t
random_value(char *p, int depth)
{
	static const char *const	 values[] = { "0", "-1", "12.5e-3",
		"true", "false", "null", "\"\"", "\"abc\"",
		"\"\\u00e9\\n\"", "\"\xc3\xa9\"", "\"\\ud83d\\ude00\"",
		"1234567890123", "\"a\\\"b\"", "\"0123456789abcdef\"" };
	const char			*v;
	size_t				 n = 0;
	uint32_t			 i, kids = rnd(4);
	bool				 object = rnd(2) == 0;

	if (depth > 4 || rnd(3) > 0) {
		v = values[rnd(sizeof(values) / sizeof(values[0]))];
		memcpy(p, v, strlen(v));
		return strlen(v);
	}
	p[n++] = object ? '{' : '[';
	for (i = 0; i < kids; i++) {
		if (i > 0)
			p[n++] = ',';
		if (rnd(8) == 0)
			p[n++] = " \t\n\r"[rnd(4)];
		if (object)
			n += (size_t)snprintf(p + n, 32, "\"%c%s\":",
			    (int)('a' + rnd(20)),
			    rnd(4) == 0 ? "\\u0062cdefghij" : "");
		n += random_value(p + n, depth + 1);
	}
	p[n++] = object ? '}' : ']';
	return n;
}

static size_t
random_line(char *p)
{
	static const char *const	 names[] = { "type", "t", "id",
		"account", "amount", "second_factor", "x" };
	size_t				 n = 0;
	uint32_t			 i, kids = rnd(5);

	p[n++] = '{';
	for (i = 0; i < kids; i++) {
		n += (size_t)snprintf(p + n, 32, "%s\"%s\":",
		    i > 0 ? "," : "", names[rnd(7)]);
		n += random_value(p + n, 0);
	}
	p[n++] = '}';
	return n;
}

static void
mutate(char *p, size_t *n)
{
	static const char	 soup[] = "{}[]\",:\\u0019eE+-.tfn \t\n\x01\xc3"
	    "\xa9\xed\xa0\x80\xff";
	size_t			 at;

	if (*n == 0)
		return;
	at = rnd((uint32_t)*n);
	switch (rnd(4)) {
	case 0:
		p[at] = soup[rnd(sizeof(soup) - 1)];
		break;
	case 1:
		memmove(p + at, p + at + 1, *n - at - 1);
		(*n)--;
		break;
	case 2:
		memmove(p + at + 1, p + at, *n - at);
		p[at] = soup[rnd(sizeof(soup) - 1)];
		(*n)++;
		break;
	default:
		*n = at;
		break;
	}
}

static void
test_against_jansson(void)
{
	static char	 line[65536];
	size_t		 n;
	int		 i, m;
	bool		 ours, theirs, good;
	long		 taken = 0;

	check_case("jsonline agrees with jansson");
	for (i = 0; i < 200000; i++) {
		n = random_line(line);
		for (m = (int)rnd(4); m > 0; m--)
			mutate(line, &n);
		ours = scan(line, n) >= 0;
		theirs = jansson_takes(line, n);
		/* Jansson refuses integers beyond 64 bits and reals beyond
		 * a double; grammar knows no such bound. */
		good = ours == theirs || (ours && !theirs &&
		    (memchr(line, 'e', n) != NULL ||
		    memchr(line, 'E', n) != NULL));
		taken += ours;
		if (!CHECK(good)) {
			printf("#   %s: %.*s\n", ours ? "taken" : why.text,
			    (int)n, line);
			break;
		}
	}
	/* Both kinds came up often. */
	CHECK(taken > 20000 && taken < 180000);
}

int
main(void)
{
	test_values();
	test_strings();
	test_refused();
	test_bounds();
	test_edge();
	test_suite();
	test_against_jansson();
	jsonline_free(&scanner);
	return check_done();
}
