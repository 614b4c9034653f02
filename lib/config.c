#include "lib/config.h"

#include <arpa/inet.h>
#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/amount.h"

#define FILE_MAX	((size_t)64 << 10)
#define WORDS_MAX	(CONFIG_LIST_MAX + 2)
#define WORD_MAX	256

#define SECOND_MS	INT64_C(1000)
#define MINUTE_MS	(60 * SECOND_MS)
#define HOUR_MS		(60 * MINUTE_MS)
#define DAY_MS		(24 * HOUR_MS)

enum kind { KIND_TEXT, KIND_FLAG, KIND_DURATION, KIND_AMOUNT, KIND_COUNT,
	KIND_NETS };

struct name_def {
	const char	*name;
	enum kind	 kind;
	size_t		 at;
	size_t		 room;		/* of a text */
	int64_t		 min, max;	/* of a number */
	bool		(*good)(const char *value);
	const char	*want;		/* what a bad one should be */
};

/* What texts may be */

/* "127.0.0.1:8080", "[::1]:8080". */
static bool
is_listen(const char *s)
{
	unsigned char	 ip[16];
	char		 host[64];
	const char	*colon = strrchr(s, ':');
	size_t		 len, i;
	long		 port = 0;
	bool		 v6 = s[0] == '[';

	if (colon == NULL || colon[1] == '\0' || strlen(colon + 1) > 5)
		return false;
	for (i = 1; colon[i] != '\0'; i++) {
		if (colon[i] < '0' || colon[i] > '9')
			return false;
		port = port * 10 + (colon[i] - '0');
	}
	len = (size_t)(colon - s);
	if (port > 65535 || len >= sizeof(host) || len < 2 ||
	    (v6 && s[len - 1] != ']'))
		return false;
	memcpy(host, v6 ? s + 1 : s, v6 ? len - 2 : len);
	host[v6 ? len - 2 : len] = '\0';
	return inet_pton(v6 ? AF_INET6 : AF_INET, host, ip) == 1;
}

static bool
is_listen_or_none(const char *s)
{
	return s[0] == '\0' || is_listen(s);
}

static bool
is_network(const char *s)
{
	return strcmp(s, "main") == 0 || strcmp(s, "test") == 0 ||
	    strcmp(s, "signet") == 0 || strcmp(s, "regtest") == 0;
}

static bool
begins(const char *s, const char *with)
{
	return strncmp(s, with, strlen(with)) == 0 &&
	    s[strlen(with)] != '\0';
}

static bool
is_master_key(const char *s)
{
	if (begins(s, "credential:"))
		return strchr(s, '/') == NULL;
	return s[0] == '\0' || begins(s, "file:") ||
	    strcmp(s, "passphrase") == 0;
}

static bool
is_url(const char *s)
{
	return s[0] == '\0' || begins(s, "http://") || begins(s, "https://");
}

static bool
is_smtp(const char *s)
{
	return s[0] == '\0' || begins(s, "smtp://") || begins(s, "smtps://");
}

/* A header's name: RFC 9110's tokens. */
static bool
is_header(const char *s)
{
	for (; *s != '\0'; s++) {
		if ((*s < 'a' || *s > 'z') && (*s < 'A' || *s > 'Z') &&
		    (*s < '0' || *s > '9') && *s != '-' && *s != '_')
			return false;
	}
	return true;
}

/* An Ed25519 key; lower case, so that it is written in one way. */
static bool
is_key_or_none(const char *s)
{
	return s[0] == '\0' || (strlen(s) == 64 &&
	    strspn(s, "0123456789abcdef") == 64);
}

static bool
is_not_empty(const char *s)
{
	return s[0] != '\0';
}

static bool
is_any(const char *s)
{
	(void)s;
	return true;
}

#define AT(m)		offsetof(struct config, m)
#define TEXT(name, m, good, want) \
	{ name, KIND_TEXT, AT(m), sizeof(((struct config *)0)->m), 0, 0, \
	    good, want }
#define FLAG(name, m)	{ name, KIND_FLAG, AT(m), 0, 0, 0, NULL, NULL }
#define NUMBER(name, kind, m, min, max) \
	{ name, kind, AT(m), 0, min, max, NULL, NULL }

/* In the order that the manual and the canonical text have. */
static const struct name_def config_names[] = {
	TEXT("listen", listen, is_listen, "ADDRESS:PORT, as 127.0.0.1:8080 or "
	    "[::1]:8080"),
	TEXT("metrics", metrics, is_listen_or_none, "ADDRESS:PORT, as "
	    "127.0.0.1:9095"),
	TEXT("data", data, is_not_empty, "a folder"),
	TEXT("user", user, is_any, NULL),
	TEXT("network", network, is_network, "main, test, signet or regtest"),
	TEXT("policy", policy, is_any, NULL),
	TEXT("master-key", master_key, is_master_key, "file:PATH, "
	    "credential:NAME or passphrase"),
	TEXT("url", url, is_url, "http://... or https://..."),
	TEXT("signer-folder", signer_folder, is_any, NULL),
	{ "proxies", KIND_NETS, AT(proxies), 0, 0, 0, NULL, NULL },
	FLAG("proxy-protocol", proxy_protocol),
	TEXT("proxy-header", proxy_header, is_header, "the name of a header"),
	FLAG("decoded-signatures", decoded_signatures),
	FLAG("keys-without-ips", keys_without_ips),
	NUMBER("step-up", KIND_DURATION, step_up_ms, MINUTE_MS, 7 * DAY_MS),
	NUMBER("receipt", KIND_DURATION, receipt_ms, SECOND_MS, DAY_MS),
	TEXT("signer-key", signer_key, is_key_or_none, "64 hex digits"),
	NUMBER("own-receipt-for", KIND_DURATION, own_receipt_for_ms,
	    MINUTE_MS, 30 * DAY_MS),
	NUMBER("fee-max", KIND_AMOUNT, fee_max_sat, 0, SAT_PER_BTC),
	NUMBER("connections-max", KIND_COUNT, connections_max, 16, 100000),
	NUMBER("snapshot-every", KIND_COUNT, snapshot_every, 100,
	    INT64_C(1000000000)),
	TEXT("smtp", smtp, is_smtp, "smtp://HOST:PORT or smtps://HOST:PORT"),
	TEXT("mail-from", mail_from, is_any, NULL),
	TEXT("mail-command", mail_command, is_any, NULL),
	TEXT("sms-command", sms_command, is_any, NULL),
	TEXT("webhook", webhook, is_url, "http://... or https://..."),
	TEXT("webhook-secret", webhook_secret, is_any, NULL),
};
#define N_NAMES		(sizeof(config_names) / sizeof(config_names[0]))

void
config_clear(struct config *c)
{
	memset(c, 0, sizeof(*c));
	(void)snprintf(c->listen, sizeof(c->listen), "127.0.0.1:8080");
	(void)snprintf(c->data, sizeof(c->data), "/var/lib/drawbridge");
	(void)snprintf(c->network, sizeof(c->network), "regtest");
	c->step_up_ms = 15 * MINUTE_MS;
	c->receipt_ms = 15 * MINUTE_MS;
	c->own_receipt_for_ms = DAY_MS;
	c->fee_max_sat = 100000;
	c->connections_max = 4096;
	c->snapshot_every = 100000;
}

/* Words of a line */

struct word {
	char	 text[WORD_MAX];
	int	 column;
};

struct reader {
	const char	*name;
	const char	*p, *end;
	int		 line, column;
	struct word	 words[WORDS_MAX];
	size_t		 n_words;
	bool		 seen[N_NAMES];
	struct config	*c;
	struct err	*e;
};

static enum rc PRINTF(3, 4)
complain(const struct reader *r, int column, const char *fmt, ...)
{
	char	 why[512];
	va_list	 ap;

	va_start(ap, fmt);
	(void)vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	return err_set(r->e, "%s:%d:%d: %s", r->name, r->line, column, why);
}

static int
peek(const struct reader *r)
{
	return r->p < r->end ? (unsigned char)*r->p : -1;
}

/* One byte; a column is a character. */
static void
step(struct reader *r)
{
	r->p++;
	if (r->p == r->end || ((unsigned char)*r->p & 0xc0) != 0x80)
		r->column++;
}

static enum rc
add_byte(struct reader *r, struct word *w, size_t *len)
{
	int	 c = peek(r);

	if (c < ' ' || c == 0x7f)
		return complain(r, r->column, "a control character (%d)", c);
	if (*len == sizeof(w->text) - 1)
		return complain(r, w->column, "a word of more than %d bytes",
		    WORD_MAX - 1);
	w->text[(*len)++] = (char)c;
	step(r);
	return RC_OK;
}

/* Between quotes; there \" and \\ stand for themselves. */
static enum rc
read_quoted(struct reader *r, struct word *w, size_t *len)
{
	int	 c;

	for (step(r); (c = peek(r)) != '"';) {
		if (c == -1 || c == '\n')
			return complain(r, w->column, "a closing `\"` is "
			    "missing in this line");
		if (c == '\\') {
			step(r);
			if (peek(r) != '"' && peek(r) != '\\')
				return complain(r, r->column, "only `\"` and "
				    "`\\` may follow a `\\`");
		}
		if (add_byte(r, w, len) != RC_OK)
			return RC_FAILED;
	}
	step(r);
	return RC_OK;
}

static bool
ends_word(int c)
{
	return c == -1 || c == ' ' || c == '\t' || c == '\n' || c == '\r' ||
	    c == '#';
}

static enum rc
read_word(struct reader *r)
{
	struct word	*w;
	size_t		 len = 0;

	if (r->n_words == WORDS_MAX)
		return complain(r, r->column, "more than %d values",
		    WORDS_MAX - 1);
	w = &r->words[r->n_words++];
	w->column = r->column;
	if (peek(r) == '"') {
		if (read_quoted(r, w, &len) != RC_OK)
			return RC_FAILED;
		if (!ends_word(peek(r)))
			return complain(r, r->column, "a blank is missing "
			    "behind `\"`");
	}
	while (!ends_word(peek(r))) {
		if (peek(r) == '"')
			return complain(r, r->column, "a `\"` in the middle "
			    "of a word");
		if (add_byte(r, w, &len) != RC_OK)
			return RC_FAILED;
	}
	w->text[len] = '\0';
	return RC_OK;
}

static enum rc
read_line(struct reader *r)
{
	int	 c;

	r->n_words = 0;
	r->column = 1;
	while ((c = peek(r)) != -1 && c != '\n') {
		if (c == '#') {
			while (peek(r) != -1 && peek(r) != '\n')
				step(r);
		} else if (c == ' ' || c == '\t' || c == '\r') {
			step(r);
		} else if (read_word(r) != RC_OK) {
			return RC_FAILED;
		}
	}
	if (c == '\n')
		r->p++;
	return RC_OK;
}

/* Values */

static enum rc
set_text(struct reader *r, const struct name_def *d, const struct word *w)
{
	if (strlen(w->text) >= d->room)
		return complain(r, w->column, "`%s` holds %zu bytes at most",
		    d->name, d->room - 1);
	if (!d->good(w->text))
		return complain(r, w->column, "`%s` is %s, not `%s`",
		    d->name, d->want, w->text);
	memset((char *)r->c + d->at, 0, d->room);
	memcpy((char *)r->c + d->at, w->text, strlen(w->text));
	return RC_OK;
}

static enum rc
set_flag(struct reader *r, const struct name_def *d, const struct word *w)
{
	bool	 yes = strcmp(w->text, "yes") == 0;

	if (!yes && strcmp(w->text, "no") != 0)
		return complain(r, w->column, "`%s` is yes or no, not `%s`",
		    d->name, w->text);
	memcpy((char *)r->c + d->at, &yes, sizeof(yes));
	return RC_OK;
}

static const struct {
	const char	*text;
	int64_t		 ms;
} units[] = {
	{ "d", DAY_MS }, { "h", HOUR_MS }, { "min", MINUTE_MS },
	{ "m", MINUTE_MS }, { "s", SECOND_MS }, { "ms", 1 },
};
#define N_UNITS		(sizeof(units) / sizeof(units[0]))

/* Digits; *rest_out is what follows.  False: none, or too many. */
static bool
read_digits(int64_t *out, const char *s, const char **rest_out)
{
	const char	*p;

	*out = 0;
	for (p = s; *p >= '0' && *p <= '9'; p++) {
		if (p - s == 15)
			return false;
		*out = *out * 10 + (*p - '0');
	}
	*rest_out = p;
	return p > s;
}

static bool
read_number(int64_t *out, enum kind kind, const char *s)
{
	const char	*rest;
	size_t		 i;

	if (kind == KIND_AMOUNT)
		return amount_parse(out, s, strlen(s), NULL) == RC_OK;
	if (!read_digits(out, s, &rest))
		return false;
	if (kind == KIND_COUNT)
		return *rest == '\0';
	for (i = 0; i < N_UNITS; i++) {
		if (strcmp(rest, units[i].text) == 0)
			return !__builtin_mul_overflow(*out, units[i].ms,
			    out);
	}
	return false;
}

/* In the form that is read back; returns buf. */
static const char *
number_text(char buf[AMOUNT_TEXT_MAX], enum kind kind, int64_t v)
{
	size_t	 i;

	if (kind == KIND_AMOUNT)
		return amount_format(buf, v);
	if (kind == KIND_DURATION) {
		for (i = 0; v % units[i].ms != 0; i++)
			;
		(void)snprintf(buf, AMOUNT_TEXT_MAX, "%" PRId64 "%s",
		    v / units[i].ms, units[i].text);
	} else {
		(void)snprintf(buf, AMOUNT_TEXT_MAX, "%" PRId64, v);
	}
	return buf;
}

static enum rc
set_number(struct reader *r, const struct name_def *d, const struct word *w)
{
	static const char *const	 what[] = {
		[KIND_DURATION] = "a time, as 90s, 15min, 2h or 1d",
		[KIND_AMOUNT] = "an amount in BTC, as 0.001",
		[KIND_COUNT] = "a whole number",
	};
	char				 lo[AMOUNT_TEXT_MAX];
	char				 hi[AMOUNT_TEXT_MAX];
	int64_t				 v;

	if (!read_number(&v, d->kind, w->text))
		return complain(r, w->column, "`%s` is %s, not `%s`",
		    d->name, what[d->kind], w->text);
	if (v < d->min || v > d->max)
		return complain(r, w->column, "`%s` is from %s to %s, not "
		    "`%s`", d->name, number_text(lo, d->kind, d->min),
		    number_text(hi, d->kind, d->max), w->text);
	memcpy((char *)r->c + d->at, &v, sizeof(v));
	return RC_OK;
}

static bool
read_net(struct config_net *n, const char *s)
{
	static const unsigned char	 mapped[12] = { [10] = 0xff, 0xff };
	char				 host[WORD_MAX];
	const char			*slash = strchr(s, '/'), *rest = "";
	int64_t				 bits;
	size_t				 len, i;
	bool				 v4;

	memset(n, 0, sizeof(*n));
	len = slash != NULL ? (size_t)(slash - s) : strlen(s);
	memcpy(host, s, len);
	host[len] = '\0';
	v4 = inet_pton(AF_INET, host, n->ip + 12) == 1;
	if (v4)
		memcpy(n->ip, mapped, sizeof(mapped));
	else if (inet_pton(AF_INET6, host, n->ip) != 1)
		return false;
	bits = v4 ? 32 : 128;
	if (slash != NULL && (!read_digits(&bits, slash + 1, &rest) ||
	    *rest != '\0' || bits > (v4 ? 32 : 128)))
		return false;
	n->bits = (uint8_t)(v4 ? bits + 96 : bits);
	/* 10.0.0.1/8 is a slip of somebody who means something else. */
	for (i = n->bits; i < 128; i++) {
		if ((n->ip[i / 8] & 0x80 >> i % 8) != 0)
			return false;
	}
	return true;
}

static enum rc
set_nets(struct reader *r)
{
	size_t	 i;

	r->c->n_proxies = 0;
	for (i = 1; i < r->n_words; i++) {
		if (i > CONFIG_LIST_MAX)
			return complain(r, r->words[i].column, "more than %d "
			    "networks", CONFIG_LIST_MAX);
		if (!read_net(&r->c->proxies[i - 1], r->words[i].text))
			return complain(r, r->words[i].column, "`proxies` is "
			    "networks, as 10.0.0.0/8 or ::1, not `%s`",
			    r->words[i].text);
		r->c->n_proxies = i;
	}
	return RC_OK;
}

/* `master_key` is `master-key`: nobody should have to remember which. */
static bool
is_name(const char *name, const char *word)
{
	for (; *name != '\0' && (*word == *name ||
	    (*name == '-' && *word == '_')); name++, word++)
		;
	return *name == *word;
}

static enum rc
set(struct reader *r)
{
	const struct word	*w = &r->words[1];
	const struct name_def	*d;
	size_t			 i;

	for (i = 0; i < N_NAMES; i++) {
		if (is_name(config_names[i].name, r->words[0].text))
			break;
	}
	if (i == N_NAMES)
		return complain(r, r->words[0].column, "no setting is called "
		    "`%s`", r->words[0].text);
	d = &config_names[i];
	if (r->seen[i])
		return complain(r, r->words[0].column, "`%s` for the second "
		    "time", d->name);
	r->seen[i] = true;
	if (r->n_words == 1)
		return complain(r, r->column, "`%s` needs a value", d->name);
	if (d->kind == KIND_NETS)
		return set_nets(r);
	if (r->n_words > 2)
		return complain(r, r->words[2].column, "`%s` has one value; "
		    "one with blanks stands in quotes", d->name);
	switch (d->kind) {
	case KIND_TEXT:
		return set_text(r, d, w);
	case KIND_FLAG:
		return set_flag(r, d, w);
	case KIND_DURATION:
	case KIND_AMOUNT:
	case KIND_COUNT:
		return set_number(r, d, w);
	case KIND_NETS:
		break;
	}
	return set_nets(r);
}

/* What only the whole shows. */
static enum rc
check_whole(struct reader *r)
{
	const struct config	*c = r->c;

	if (c->proxy_protocol && c->proxy_header[0] != '\0')
		return complain(r, 1, "`proxy-protocol` or `proxy-header`, "
		    "not both: which one would be believed?");
	if ((c->proxy_protocol || c->proxy_header[0] != '\0') &&
	    c->n_proxies == 0)
		return complain(r, 1, "`proxies` is missing: from whom "
		    "%s is believed", c->proxy_protocol ?
		    "`proxy-protocol`" : "`proxy-header`");
	if (c->smtp[0] != '\0' && c->mail_command[0] != '\0')
		return complain(r, 1, "`smtp` or `mail-command`, not both");
	if (c->smtp[0] != '\0' && c->mail_from[0] == '\0')
		return complain(r, 1, "`mail-from` is missing: `smtp` needs "
		    "it");
	return RC_OK;
}

enum rc
config_parse(struct config *c, const char *name, const char *bytes,
    size_t len, struct err *e)
{
	struct reader	 r = { .name = name, .p = bytes, .end = bytes + len,
			    .c = c, .e = e };

	config_clear(c);
	if (len > FILE_MAX)
		return err_set(e, "%s: larger than %zu KiB", name,
		    FILE_MAX >> 10);
	while (r.p < r.end) {
		r.line++;
		if (read_line(&r) != RC_OK ||
		    (r.n_words > 0 && set(&r) != RC_OK))
			return RC_FAILED;
	}
	if (r.line == 0)
		r.line = 1;
	return check_whole(&r);
}

/* A configuration that came as bytes */

static bool
sound_text(const char *at, const struct name_def *d)
{
	size_t	 i;

	for (i = 0; i < d->room && at[i] != '\0'; i++) {
		if ((unsigned char)at[i] < ' ' || at[i] == 0x7f)
			return false;
	}
	return i < d->room && d->good(at);
}

static bool
sound_nets(const struct config *c)
{
	size_t	 i;

	for (i = 0; i < CONFIG_LIST_MAX; i++) {
		if (c->proxies[i].bits > 128)
			return false;
	}
	return c->n_proxies <= CONFIG_LIST_MAX;
}

bool
config_sound(const struct config *c)
{
	const struct name_def	*d;
	const char		*at;
	unsigned char		 yes;
	int64_t			 v;
	bool			 good = true;

	for (d = config_names; good && d < config_names + N_NAMES; d++) {
		at = (const char *)c + d->at;
		switch (d->kind) {
		case KIND_TEXT:
			good = sound_text(at, d);
			break;
		case KIND_FLAG:
			memcpy(&yes, at, sizeof(yes));
			good = yes <= 1;
			break;
		case KIND_DURATION:
		case KIND_AMOUNT:
		case KIND_COUNT:
			memcpy(&v, at, sizeof(v));
			good = v >= d->min && v <= d->max;
			break;
		case KIND_NETS:
			good = sound_nets(c);
			break;
		}
	}
	return good;
}

/* The canonical text */

struct printer {
	char	*buf;
	size_t	 room, len;
};

static void PRINTF(2, 3)
put(struct printer *p, const char *fmt, ...)
{
	va_list	 ap;
	size_t	 left = p->len < p->room ? p->room - p->len : 0;
	int	 n;

	va_start(ap, fmt);
	n = vsnprintf(left > 0 ? p->buf + p->len : NULL, left, fmt, ap);
	va_end(ap);
	assert(n >= 0);
	p->len += (size_t)n;
}

static void
put_word(struct printer *p, const char *s)
{
	const char	*c;

	for (c = s; !ends_word((unsigned char)*c) && *c != '\0' &&
	    *c != '"' && *c != '\\'; c++)
		;
	if (*c == '\0' && c > s) {
		put(p, " %s", s);
		return;
	}
	put(p, " \"");
	for (c = s; *c != '\0'; c++)
		put(p, *c == '"' || *c == '\\' ? "\\%c" : "%c", *c);
	put(p, "\"");
}

static void
put_net(struct printer *p, const struct config_net *n)
{
	static const unsigned char	 mapped[12] = { [10] = 0xff, 0xff };
	char				 ip[INET6_ADDRSTRLEN];
	bool				 v4 = n->bits >= 96 &&
					    memcmp(n->ip, mapped, 12) == 0;

	if (inet_ntop(v4 ? AF_INET : AF_INET6, v4 ? n->ip + 12 : n->ip, ip,
	    sizeof(ip)) == NULL)
		assert(!"room for an address");
	put(p, " %s/%d", ip, v4 ? n->bits - 96 : n->bits);
}

static void
put_setting(struct printer *p, const struct config *c,
    const struct name_def *d)
{
	const char	*at = (const char *)c + d->at;
	char		 number[AMOUNT_TEXT_MAX];
	int64_t		 v;
	size_t		 i;
	bool		 yes;

	if (d->kind == KIND_NETS && c->n_proxies == 0)
		return;
	put(p, "%s", d->name);
	switch (d->kind) {
	case KIND_TEXT:
		put_word(p, at);
		break;
	case KIND_FLAG:
		memcpy(&yes, at, sizeof(yes));
		put(p, yes ? " yes" : " no");
		break;
	case KIND_DURATION:
	case KIND_AMOUNT:
	case KIND_COUNT:
		memcpy(&v, at, sizeof(v));
		put(p, " %s", number_text(number, d->kind, v));
		break;
	case KIND_NETS:
		for (i = 0; i < c->n_proxies; i++)
			put_net(p, &c->proxies[i]);
		break;
	}
	put(p, "\n");
}

int
config_print(const struct config *c, char *buf, size_t room)
{
	struct printer	 p = { buf, room, 0 };
	size_t		 i;

	for (i = 0; i < N_NAMES; i++)
		put_setting(&p, c, &config_names[i]);
	return p.len < room ? (int)p.len : -1;
}
