/*
 * Scenario lines from outside: whatever is taken can be written, and what is
 * written is read as the same.  The feed checks what is taken further.
 */
#include <stdlib.h>
#include <string.h>

#include "policy/ast.h"
#include "sim/feed.h"
#include "sim/scenario.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct scenario_parser	*parser, *again;

static void
there_and_back(const struct scenario_event *ev)
{
	struct scenario_event	 back;
	size_t			 room = scenario_line_room(ev), n, m;
	char			*one = malloc(room), *two = malloc(room * 6);

	if (one == NULL || two == NULL)
		abort();
	n = scenario_line(ev, one);
	if (n > room ||
	    scenario_parse(again, one, n, &back, NULL) != RC_OK)
		abort();
	m = scenario_line(&back, two);
	if (m != n || memcmp(one, two, n) != 0)
		abort();
	free(one);
	free(two);
}

static void
line(struct feed *f, const char *p, size_t len)
{
	static struct cidr	 cidrs[SCENARIO_IPS_MAX];
	struct scenario_event	 ev;
	struct feed_item	 item;
	struct err		 e = { "" };

	if (scenario_parse(parser, p, len, &ev, &e) != RC_OK) {
		if (e.text[0] == '\0')
			abort();
		return;
	}
	there_and_back(&ev);
	if ((feed_read(f, &ev, NETWORK_MAIN, false, cidrs, &item, &e) !=
	    RC_OK || feed_check(f, &item, &e) != RC_OK) &&
	    e.text[0] == '\0')
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct ident_key	 key = { "0123456789abcde" };
	static const struct policy	 policy;
	const char			*p = (const char *)data, *nl;
	struct feed			*f = NULL;
	size_t				 n;

	if (parser == NULL && (scenario_parser_new(&parser, NULL) != RC_OK ||
	    scenario_parser_new(&again, NULL) != RC_OK))
		abort();
	if (feed_new(&f, &key, &policy, NULL) != RC_OK)
		abort();
	while (size > 0) {
		nl = memchr(p, '\n', size);
		n = nl != NULL ? (size_t)(nl - p) : size;
		line(f, p, n);
		n += nl != NULL;
		p += n;
		size -= n;
	}
	feed_free(&f);
	return 0;
}
