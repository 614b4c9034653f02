/*
 * Whoever owns `api` talks to `auth`: he sees what customers sign, and may
 * drop it or send it again, but invents and changes nothing.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/redteam/redteam.h"

#define QUERY_MAX	2048
#define HUGE_LEN	((size_t)15 << 20)
#define FLOOD		200000
#define RSS_MAX_KB	(512L * 1024)

static struct end	 end = { .fd = -1 };

static bool
connected(void)
{
	return end.fd != -1 || end_open(&end, ROOM_API, ROOM_AUTH, true);
}

/* The status of the answer; 0: cut off or none. */
static int
ask(struct message *m)
{
	static uint64_t	 tags = 1000;
	struct message	 back;

	if (!connected())
		return 0;
	m->tag = ++tags;
	if (!end_say(&end, m))
		return 0;
	while (end_hear(&end, &back, 20000)) {
		if (back.type == MESSAGE_ANSWER && back.tag == m->tag)
			return (int)back.status;
	}
	return 0;
}

static int
ask_for(enum endpoint e, const char *query)
{
	struct message	 m;

	clear_request(&m, e, text_of(query));
	return ask(&m);
}

static size_t
sign_read(char *out, size_t room, const char *more)
{
	char	 params[512];

	(void)snprintf(params, sizeof(params), "coin=BTC&recvWindow=60000&"
	    "timestamp=%lld%s", (long long)wall_ms(), more);
	return sign(out, room, params);
}

static bool
honest(struct end *d)
{
	char		 q[QUERY_MAX];
	struct message	 m, back;

	(void)sign_apply(q, sizeof(q), "");
	clear_request(&m, ENDPOINT_APPLY, text_of(q));
	m.tag = 77;
	if (!end_say(d, &m))
		return false;
	while (end_hear(d, &back, 20000)) {
		if (back.tag == 77)
			return back.status == 200;
	}
	return false;
}

/* Once and its replays */
static void
replays(void)
{
	char		 q[QUERY_MAX];
	struct message	 m;
	int		 first, again = 0, i;

	(void)sign_apply(q, sizeof(q), "");
	first = ask_for(ENDPOINT_APPLY, q);
	for (i = 0; i < 2000; i++) {
		clear_request(&m, ENDPOINT_APPLY, text_of(q));
		roll_bytes(m.ip + 12, 4);
		m.target = text_of(i % 2 == 0 ? "/" : "/sapi/v1/other");
		again += ask(&m) == 200;
	}
	outcome("one signature, one answer", first == 200 && again == 0,
	    "first %d, again %d times", first, again);
}

/* All the ways in which the bytes fall into query and body. */
static void
moved(void)
{
	char		 q[QUERY_MAX];
	struct message	 m;
	size_t		 len = sign_apply(q, sizeof(q), ""), i;
	int		 taken = 0;

	for (i = 1; i < len; i++) {
		clear_request(&m, ENDPOINT_APPLY, (struct text){ q, i });
		m.body = (struct text){ q + i, len - i };
		taken += ask(&m) == 200;
		m.body = (struct text){ q, i };
		m.query = (struct text){ q + i, len - i };
		taken += ask(&m) == 200;
		m.query = (struct text){ q, i };
		m.body = text_of(NULL);
		taken += ask(&m) == 200;
	}
	outcome("bytes moved between query and body, or dropped: refused",
	    taken == 0, "%d were taken", taken);
	outcome("and the message as it was signed is taken",
	    ask_for(ENDPOINT_APPLY, q) == 200, "it is not");
}

static void
flipped(void)
{
	static const char *const	 names[] = { "coin=", "network=",
		    "address=", "amount=", "withdrawOrderId=", "recvWindow=",
		    "timestamp=", "signature=" };
	char		 q[QUERY_MAX], *at;
	size_t		 len = sign_apply(q, sizeof(q), ""), i;
	struct message	 m;
	int		 taken = 0, tried = 0, bit;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		at = strstr(q, names[i]);
		at += strlen(names[i]);
		for (; *at != '&' && *at != '\0'; at++) {
			for (bit = 0; bit < 8; bit++) {
				*at = (char)(*at ^ 1 << bit);
				clear_request(&m, ENDPOINT_APPLY,
				    (struct text){ q, len });
				/* A hexadecimal digit's other case is the
				 * same signature. */
				if (i < 7 || bit != 5)
					taken += ask(&m) == 200;
				*at = (char)(*at ^ 1 << bit);
				tried++;
			}
		}
	}
	outcome("every bit of every value flipped: refused", taken == 0,
	    "%d of %d taken", taken, tried);
}

/* A message signed for one thing, at every other. */
static void
elsewhere(void)
{
	char		 q[QUERY_MAX], path[64];
	struct message	 m;
	enum endpoint	 e;
	int		 taken = 0, acted = 0, status;

	for (e = 0; e < ENDPOINT__COUNT; e++) {
		(void)sign_read(q, sizeof(q), "");
		taken += ask_for(ENDPOINT_APPLY, q) == 200;
		/* What stands in the signature's place at other doors. */
		(void)sign_apply(q, sizeof(q), "");
		clear_request(&m, e, text_of(q));
		m.signature = text_of(strstr(q, "signature=") + 10);
		(void)snprintf(path, sizeof(path), "%lld",
		    (long long)wall_ms());
		m.when = text_of(path);
		m.id = text_of("1");
		m.body = text_of("{}");
		m.target = text_of(endpoints[e].path != NULL ?
		    endpoints[e].path : "/");
		status = ask(&m);
		if (status == 200 && endpoints[e].security !=
		    SECURITY_SIGNED && e != ENDPOINT_NONE)
			acted++;
		m.body = text_of(NULL);
		status = ask(&m);
		if (status == 200 && e != ENDPOINT_APPLY &&
		    endpoints[e].security != SECURITY_SIGNED)
			acted++;
	}
	outcome("a read's message is no withdrawal", taken == 0, "%d",
	    taken);
	outcome("a withdrawal's message opens no other door", acted == 0,
	    "%d", acted);
}

static void
strangers(void)
{
	static char	 huge[70000];
	char		 q[QUERY_MAX], key[65];
	struct message	 m;
	int		 taken = 0, i;

	memset(huge, 'k', sizeof(huge) - 1);
	(void)sign_apply(q, sizeof(q), "");
	for (i = 0; i < 300; i++) {
		clear_request(&m, ENDPOINT_APPLY, text_of(q));
		roll_bytes(key, sizeof(key));
		m.key = (struct text){ key, roll_below(sizeof(key)) };
		if (i % 5 == 0)
			m.key = text_of(known.other_key);
		else if (i % 5 == 1)
			m.key = text_of(huge);
		else if (i % 5 == 2)
			m.key = text_of(NULL);
		else if (i % 5 == 3)
			m.key.len = 0;
		m.endpoint = (enum endpoint)roll_below(ENDPOINT__COUNT);
		if (endpoints[m.endpoint].security == SECURITY_NONE)
			m.endpoint = ENDPOINT_APPLY;
		taken += ask(&m) == 200;
		(void)rooms_alive();
	}
	outcome("keys that are not there, or another's: refused", taken == 0,
	    "%d", taken);
	clear_request(&m, ENDPOINT_APPLY, text_of(q));
	m.has_ip = false;
	outcome("from nowhere: not in the key's list", ask(&m) != 200,
	    "taken");
	m.has_ip = true;
	memset(m.ip, 7, sizeof(m.ip));
	outcome("from elsewhere: neither", ask(&m) != 200, "taken");
}

/* Each field as long as a frame can be, at each endpoint. */
static void
huge(void)
{
	static const char	 fill[] = { 'a', '%', '&', '=', '\0', '"',
		    '\n', '{' };
	char			*p = malloc(HUGE_LEN), q[QUERY_MAX];
	struct message		 m;
	struct text		 t = { p, HUGE_LEN }, *fields[] = { &m.query,
		    &m.body, &m.signature, &m.target, &m.when, &m.code,
		    &m.id, &m.key, &m.name, &m.open, &m.sealed, &m.order };
	size_t			 i, k;
	int			 e, taken = 0;

	for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		memset(p, fill[i % sizeof(fill)], HUGE_LEN);
		for (k = 0; k < 2; k++) {
			t.len = k == 0 ? HUGE_LEN : 65536;
			for (e = 1; e < ENDPOINT__COUNT; e += k == 0 ? 7 : 1) {
				(void)sign_read(q, sizeof(q), "");
				clear_request(&m, (enum endpoint)e,
				    text_of(q));
				*fields[i] = t;
				if (ask(&m) == 200 && endpoints[e].security !=
				    SECURITY_SIGNED)
					taken++;
			}
		}
	}
	free(p);
	outcome("fields as long as a frame", rooms_alive() && taken == 0,
	    "%d taken", taken);
}

/* Random requests whose every field is there. */
static void
nonsense(void)
{
	char		 bytes[12][300];
	struct message	 m;
	int		 i, k, taken = 0;

	for (i = 0; i < 5000 && connected(); i++) {
		clear_request(&m, (enum endpoint)(1 + roll_below(
		    ENDPOINT__COUNT - 1)), text_of(NULL));
		{
			struct text	*f[] = { &m.query, &m.body, &m.when,
				    &m.signature, &m.target, &m.code, &m.id,
				    &m.account, &m.by, &m.reason, &m.order,
				    &m.name };

			for (k = 0; k < 12; k++) {
				roll_bytes(bytes[k], sizeof(bytes[k]));
				if (roll_below(3) != 0)
					*f[k] = (struct text){ bytes[k],
					    roll_below(300) };
			}
		}
		m.tag = roll_below(4) == 0 ? 0 : roll();
		(void)end_say(&end, &m);
		if (i % 64 == 0)
			end_drain(&end, 0);
	}
	end_drain(&end, 500);
	outcome("nonsense in every field", rooms_alive() && taken == 0,
	    "%d taken", taken);
}

/* Nobody reads the answers. */
static void
flood(void)
{
	char		 q[QUERY_MAX];
	struct message	 m;
	long		 kb;
	int		 i;

	(void)connected();
	(void)sign_read(q, sizeof(q), "");
	for (i = 0; i < FLOOD; i++) {
		clear_request(&m, i % 2 == 0 ? ENDPOINT_WITHDRAW_ADDRESSES :
		    ENDPOINT_COINS, text_of(q));
		m.tag = i % 3 == 0 ? 0 : UINT64_MAX - (uint64_t)(i % 7);
		if (!end_say(&end, &m))
			break;
	}
	kb = rooms_rss_kb(ROOM_AUTH);
	(void)printf("# auth's memory at most: %ld kB after %d requests\n", kb,
	    i);
	outcome("a flood whose answers nobody reads", rooms_alive() &&
	    kb < RSS_MAX_KB, "%ld kB", kb);
	end_close(&end);
	(void)connected();
	outcome("and after it an honest word is heard", honest(&end),
	    "it is not");
}

void
owned_api(void)
{
	char		 q[QUERY_MAX];
	struct message	 m;

	rooms_start(ROOM_ENGINE);
	rooms_start(ROOM_AUTH);
	rooms_link(ROOM_ENGINE, ROOM_AUTH);
	outcome("owning api: linked", connected() && rooms_alive(), "not");
	/* Signed before auth was ready is refused. */
	do
		(void)sign_read(q, sizeof(q), "");
	while (rooms_alive() &&
	    ask_for(ENDPOINT_WITHDRAW_ADDRESSES, q) != 200);
	outcome("owning api: an honest word is heard", honest(&end), "not");
	(void)sign_apply(q, sizeof(q), "");
	clear_request(&m, ENDPOINT_APPLY, text_of(q));
	noise(ROOM_API, ROOM_AUTH, &m, honest);
	end_close(&end);	/* another took its place */
	replays();
	moved();
	flipped();
	elsewhere();
	strangers();
	huge();
	nonsense();
	flood();
	outcome("nobody died", rooms_alive(), "somebody did");
}
