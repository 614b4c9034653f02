/*
 * Packed commands: what is taken packs to the same bytes, still parses when
 * its sealed part is destroyed, and makes a line that can be read.
 *
 * Input: a byte, 255 for no sealed part or else its length, the sealed part,
 * and the open one, which so ends where the input does.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/take.h"
#include "policy/ast.h"
#include "sim/command.h"
#include "wire/command.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NO_SEALED	255

static struct command_lists	 lists;

/* What packing makes of it. */
static void
same_bytes(const struct command *c, const uint8_t *open, size_t open_len,
    const uint8_t *sealed, size_t sealed_len)
{
	unsigned char	*o = malloc(command_open_room(c));
	unsigned char	*s = malloc(command_sealed_room(c));
	size_t		 n, m;

	if (o == NULL || s == NULL || command_check(c, NULL) != RC_OK)
		abort();
	command_pack(c, o, &n, s, &m);
	if (n > command_open_room(c) || m > command_sealed_room(c) ||
	    n != open_len || memcmp(o, open, n) != 0 || m != sealed_len ||
	    (m > 0 && memcmp(s, sealed, m) != 0))
		abort();
	free(o);
	free(s);
}

static void
line(const struct command *c)
{
	static struct scenario_parser	*parser;
	static struct event_room	 room;
	struct scenario_event		 ev, back;
	char				*buf;
	bool				 any;

	if (parser == NULL && scenario_parser_new(&parser, NULL) != RC_OK)
		abort();
	if (event_of_command(&ev, &any, &room, c, NETWORK_REGTEST, NULL) !=
	    RC_OK || !any)
		return;
	if ((buf = malloc(scenario_line_room(&ev))) == NULL ||
	    scenario_parse(parser, buf, scenario_line(&ev, buf), &back,
	    NULL) != RC_OK)
		abort();
	free(buf);
}

static void
ask(const struct command *c)
{
	static const struct ident_key	 key = { "0123456789abcde" };
	static const struct policy	 policy;
	static struct input_fact	 facts[COMMAND_FACTS_MAX];
	struct input			 in;
	struct err			 e = { "" };
	bool				 taken;

	if (take(&in, &taken, facts, c, &key, &policy, &e) != RC_OK &&
	    e.text[0] == '\0')
		abort();
}

static bool
unpack(struct command *c, const uint8_t *open, size_t open_len,
    const uint8_t *sealed, size_t sealed_len)
{
	struct err	 e = { "" };

	if (command_unpack(c, &lists, open, open_len, sealed, sealed_len,
	    &e) == RC_OK)
		return true;
	if (e.text[0] == '\0')
		abort();
	return false;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct command	 c, tidy;
	unsigned char	*sealed = NULL;
	size_t		 m = 0;

	if (size == 0 || (data[0] != NO_SEALED && size - 1 < data[0]))
		return 0;
	if (data[0] != NO_SEALED) {
		m = data[0];
		/* Its own memory, so that its end is one, too. */
		if ((sealed = malloc(m + (m == 0))) == NULL)
			abort();
		memcpy(sealed, data + 1, m);
	}
	data += 1 + m;
	size -= 1 + m;
	if (unpack(&c, data, size, sealed, m)) {
		if (sealed != NULL && c.forgotten)
			abort();
		same_bytes(&c, data, size, sealed, m);
		command_tidy(&tidy, &c);
		same_bytes(&tidy, data, size, sealed, m);
		line(&c);
		ask(&c);
		if (!unpack(&c, data, size, NULL, 0) ||
		    (c.forgotten != (m > 0) && sealed != NULL))
			abort();
		same_bytes(&c, data, size, NULL, 0);
		line(&c);
	}
	free(sealed);
	return 0;
}
