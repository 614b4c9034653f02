#include "policy/scan.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/parse_tab.h"
#include "policy/words.h"

#define QUEUE		8
#define PHRASE_WORDS	6
#define TOKEN_MAX	256	/* no token is longer */

/* Between the bytes and the grammar: words are not told apart yet. */
enum raw_kind { RAW_END, RAW_NL, RAW_WORD, RAW_TOKEN, RAW_BAD };

struct raw {
	enum raw_kind	 kind;
	int		 token;		/* RAW_TOKEN */
	struct tok	 tok;
};

struct scan {
	struct parse	*ps;
	int		 file;
	const char	*text;
	size_t		 len;
	size_t		 at;
	int		 line;
	int		 col;
	bool		 started;	/* a token of this statement was seen */
	bool		 in_braces;
	bool		 in_set;
	bool		 in_labels;	/* between `from` and `when` */
	bool		 want_name;	/* behind `let`, `class`, `declare` */
	bool		 complained;	/* in this statement */
	struct pos	 last;		/* behind the last token */
	struct raw	 queue[QUEUE];
	int		 n_queue;
};

struct keyword {
	const char	*text;
	int		 token;
};

static const struct keyword keywords[] = {
	{ "above", K_ABOVE }, { "account", K_ACCOUNT },
	{ "accounts", K_ACCOUNTS }, { "addresses", K_ADDRESSES },
	{ "advise", K_ADVISE }, { "after", K_AFTER }, { "allow", K_ALLOW },
	{ "amount", K_AMOUNT }, { "and", K_AND }, { "asked", K_ASKED },
	{ "at", K_AT }, { "blocked", K_BLOCKED }, { "btc", K_BTC },
	{ "busy", K_BUSY }, { "by", K_BY }, { "cap", K_CAP },
	{ "ceiling", K_CEILING }, { "class", K_CLASS },
	{ "committed", K_COMMITTED }, { "confirmed", K_CONFIRMED },
	{ "count", K_COUNT }, { "declare", K_DECLARE },
	{ "default", K_DEFAULT }, { "delay", K_DELAY }, { "deny", K_DENY },
	{ "destination", K_DESTINATION }, { "destinations", K_DESTINATIONS },
	{ "device", K_DEVICE }, { "distinct", K_DISTINCT },
	{ "each", K_EACH }, { "enforce", K_ENFORCE }, { "exempt", K_EXEMPT },
	{ "file", K_FILE }, { "flag", K_FLAG }, { "from", K_FROM },
	{ "full", K_FULL }, { "fund", K_FUND }, { "group", K_GROUP },
	{ "groups", K_GROUPS }, { "halt", K_HALT }, { "hold", K_HOLD },
	{ "hot", K_HOT }, { "in", K_IN }, { "include", K_INCLUDE },
	{ "ip", K_IP }, { "ips", K_IPS }, { "is", K_IS }, { "key", K_KEY },
	{ "keys", K_KEYS }, { "known", K_KNOWN }, { "let", K_LET },
	{ "mode", K_MODE }, { "networks", K_NETWORKS }, { "new", K_NEW },
	{ "no", K_NO }, { "normal", K_NORMAL }, { "not", K_NOT },
	{ "number", K_NUMBER_WORD }, { "observe", K_OBSERVE }, { "of", K_OF },
	{ "on", K_ON }, { "or", K_OR }, { "partner", K_PARTNER },
	{ "per", K_PER }, { "platform", K_PLATFORM }, { "plus", K_PLUS },
	{ "policy", K_POLICY }, { "proven", K_PROVEN },
	{ "released", K_RELEASED }, { "sat", K_SAT }, { "set", K_SET },
	{ "shadow", K_SHADOW }, { "step-up", K_STEP_UP }, { "sum", K_SUM },
	{ "table", K_TABLE }, { "time", K_TIME }, { "to", K_TO },
	{ "trust", K_TRUST }, { "unknown", K_UNKNOWN }, { "until", K_UNTIL },
	{ "upto", K_UPTO }, { "used", K_USED }, { "when", K_WHEN },
	{ "x", K_X }, { "yes", K_YES },
};

/* Known only in a `set` statement: elsewhere they are free as names. */
static const struct keyword set_words[] = {
	{ "buckets", K_BUCKETS }, { "capacity", K_CAPACITY },
	{ "codes", K_CODES }, { "exemptions", K_EXEMPTIONS },
	{ "expiry", K_EXPIRY }, { "external", K_EXTERNAL }, { "for", K_FOR },
	{ "growth", K_GROWTH }, { "holds", K_HOLDS }, { "ledger", K_LEDGER },
	{ "listed", K_LISTED }, { "most", K_MOST }, { "pairs", K_PAIRS },
	{ "waiting", K_WAITING }, { "withdrawals", K_WITHDRAWALS },
};

/* Phrases that are not facts. */
static const struct keyword phrases[] = {
	{ "by lot", K_BY_LOT }, { "confirmed fraud", K_CONFIRMED_FRAUD },
	{ "less up to", K_LESS_UP_TO }, { "until learnt", K_UNTIL_LEARNT },
};

#define N(a) ((int)(sizeof(a) / sizeof((a)[0])))

struct scan *
scan_new(struct parse *ps, int file, const char *text, size_t len)
{
	struct scan	*s = arena_alloc(ps->arena, sizeof(*s));

	s->ps = ps;
	s->file = file;
	s->text = text;
	s->len = len;
	s->line = 1;
	s->col = 1;
	if (len >= 3 && memcmp(text, "\357\273\277", 3) == 0)
		s->at = 3;	/* A byte order mark is no character. */
	return s;
}

static int
peek(const struct scan *s, size_t ahead)
{
	return s->at + ahead < s->len ?
	    (unsigned char)s->text[s->at + ahead] : -1;
}

static void
step(struct scan *s)
{
	int	 c = peek(s, 0);

	assert(c != -1);
	s->at++;
	if (c == '\n') {
		s->line++;
		s->col = 1;
	} else if ((peek(s, 0) & 0xc0) != 0x80 || peek(s, 0) == -1) {
		s->col++;
	}
}

static bool
is_blank(int c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static bool
is_digit(int c)
{
	return c >= '0' && c <= '9';
}

static bool
is_letter(int c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool
is_word(int c)
{
	return is_letter(c) || is_digit(c) || c == '-' || c == '_';
}

static struct pos
here(const struct scan *s)
{
	struct pos	 pos = { s->file, s->line, s->col, 1 };

	return pos;
}

/* Skip blanks, comments and empty lines.  True at the end of a statement. */
static bool
skip_space(struct scan *s)
{
	bool	 fresh = s->at == 0 || s->text[s->at - 1] == '\n';
	bool	 indented = false;
	int	 c;

	for (;;) {
		c = peek(s, 0);
		if (c == '#') {
			while (peek(s, 0) != -1 && peek(s, 0) != '\n')
				step(s);
		} else if (c == '\n') {
			step(s);
			fresh = true;
			indented = false;
		} else if (is_blank(c)) {
			step(s);
			indented = true;
		} else {
			break;
		}
	}
	return c == -1 || (fresh && !indented);
}

/* One mistake in a statement's signs is enough: the rest follows from it. */
static void
complain(struct scan *s, struct pos pos, const char *fmt, int arg)
{
	if (!s->complained)
		diag_error(s->ps->d, pos, NULL, fmt, arg);
	s->complained = true;
}

static void
token_end(struct scan *s, struct raw *r, size_t from, size_t to)
{
	r->tok.pos.len = s->line == r->tok.pos.line ?
	    s->col - r->tok.pos.col : 1;
	if (r->tok.pos.len < 1)
		r->tok.pos.len = 1;
	if (to - from > TOKEN_MAX) {
		complain(s, r->tok.pos, "longer than %d characters",
		    TOKEN_MAX);
		r->kind = RAW_BAD;
		to = from;
	}
	r->tok.text = arena_strndup(s->ps->arena, s->text + from, to - from);
}

static void
scan_string(struct scan *s, struct raw *r)
{
	size_t	 from;
	int	 c;

	step(s);
	from = s->at;
	while ((c = peek(s, 0)) != -1 && c != '\n' && c != '"' && c != '\r' &&
	    c != '\t')
		step(s);
	r->kind = RAW_TOKEN;
	r->token = STRING;
	if (c == '"') {
		step(s);
		token_end(s, r, from, s->at - 1);
		return;
	}
	token_end(s, r, from, s->at);
	complain(s, r->tok.pos, c == '\t' ? "a tab in quotes" :
	    "a closing `\"` is missing in this line", 0);
	r->kind = RAW_BAD;
}

/* `<name>`, or false when the `<` is a comparison. */
static bool
scan_table(struct scan *s, struct raw *r)
{
	size_t	 n = 1;

	if (!is_letter(peek(s, 1)))
		return false;
	while (is_word(peek(s, n)))
		n++;
	if (peek(s, n) != '>')
		return false;
	while (n-- > 0)
		step(s);
	step(s);
	r->kind = RAW_TOKEN;
	r->token = TABLE;
	token_end(s, r, s->at - (size_t)(s->col - r->tok.pos.col) + 1,
	    s->at - 1);
	return true;
}

static bool
is_date(const struct scan *s)
{
	static const char form[] = "dddd-dd-dd";
	size_t	 i;

	for (i = 0; form[i] != '\0'; i++)
		if (form[i] == 'd' ? !is_digit(peek(s, i)) :
		    peek(s, i) != form[i])
			return false;
	return !is_word(peek(s, i));
}

/* A comma stands within a number only before exactly three digits. */
static bool
comma_inside(const struct scan *s)
{
	return peek(s, 0) == ',' && is_digit(peek(s, 1)) &&
	    is_digit(peek(s, 2)) && is_digit(peek(s, 3)) &&
	    !is_digit(peek(s, 4));
}

static void
scan_number(struct scan *s, struct raw *r)
{
	char	 buf[TOKEN_MAX + 1];
	size_t	 from = s->at, n = 0;
	bool	 date = is_date(s), point = false;
	int	 c, unit;

	r->kind = RAW_TOKEN;
	r->token = date ? DATE : NUMBER;
	while ((c = peek(s, 0)) != -1) {
		if (!is_digit(c) && !(date && c == '-') &&
		    !(c == '.' && !point && is_digit(peek(s, 1))) &&
		    !(!point && comma_inside(s)))
			break;
		point |= c == '.';
		if (c != ',' && n < TOKEN_MAX)
			buf[n++] = (char)c;
		step(s);
	}
	unit = peek(s, 0);
	if (!date && unit != -1 && strchr("smhdw", unit) != NULL &&
	    !is_word(peek(s, 1))) {
		r->token = DURATION;
		if (n < TOKEN_MAX)
			buf[n++] = (char)unit;
		step(s);
	}
	token_end(s, r, from, s->at);
	if (r->kind != RAW_BAD)
		r->tok.text = arena_strndup(s->ps->arena, buf, n);
}

static void
scan_word(struct scan *s, struct raw *r)
{
	size_t	 from = s->at;
	bool	 ip;

	while (is_word(peek(s, 0)))
		step(s);
	ip = s->at - from == 2 && memcmp(s->text + from, "ip", 2) == 0;
	ip |= s->at - from == 3 && memcmp(s->text + from, "ip6", 3) == 0;
	r->kind = RAW_WORD;
	if (ip && peek(s, 0) == '/' && is_digit(peek(s, 1))) {
		r->kind = RAW_TOKEN;
		r->token = IP_SCOPE;
		r->tok.scope = s->at - from == 2 ? SCOPE_IP : SCOPE_IP6;
		step(s);
		while (is_digit(peek(s, 0))) {
			if (r->tok.prefix < 1000)
				r->tok.prefix = r->tok.prefix * 10 +
				    peek(s, 0) - '0';
			step(s);
		}
	}
	token_end(s, r, from, s->at);
}

static void
scan_item(struct scan *s, struct raw *r)
{
	size_t	 from = s->at;
	int	 c;

	while ((c = peek(s, 0)) != -1 && c != ',' && c != '}' && c != '\n' &&
	    c != '#' && c != '"' && !is_blank(c))
		step(s);
	r->kind = RAW_TOKEN;
	r->token = ITEM;
	token_end(s, r, from, s->at);
}

static void
scan_sign(struct scan *s, struct raw *r)
{
	int	 c = peek(s, 0);

	r->kind = RAW_TOKEN;
	r->token = c;
	step(s);
	if ((c == '<' || c == '>') && peek(s, 0) == '=') {
		step(s);
		r->token = c == '<' ? LE : GE;
	}
	token_end(s, r, s->at - (size_t)(s->col - r->tok.pos.col), s->at);
	if (c == '{')
		s->in_braces = true;
	if (c == '}')
		s->in_braces = false;
	if (c >= ' ' && c < 0x7f && strchr("{}(),%=<>", c) != NULL)
		return;
	while (peek(s, 0) != -1 && (peek(s, 0) & 0xc0) == 0x80)
		step(s);
	complain(s, r->tok.pos, c >= ' ' && c < 0x7f ?
	    "`%c` means nothing here" : "a character that means nothing here",
	    c);
	r->kind = RAW_BAD;
}

static void
raw_next(struct scan *s, struct raw *r)
{
	bool	 end = skip_space(s);
	int	 c = peek(s, 0);

	memset(r, 0, sizeof(*r));
	r->tok.text = "";
	r->tok.pos = here(s);
	if (end && s->started) {
		s->started = false;
		s->in_braces = false;
		s->complained = false;
		r->kind = RAW_NL;
		r->tok.pos = s->last;
		return;
	}
	if (c == -1) {
		r->kind = RAW_END;
		return;
	}
	s->started = true;
	if (c == '"')
		scan_string(s, r);
	else if (s->in_braces && c != ',' && c != '}')
		scan_item(s, r);
	else if (c == '<' && scan_table(s, r))
		;
	else if (is_digit(c))
		scan_number(s, r);
	else if (is_letter(c) || c == '_')
		scan_word(s, r);
	else
		scan_sign(s, r);
	s->last = here(s);
}

static const struct raw *
queue_at(struct scan *s, int i)
{
	assert(i < QUEUE);
	while (s->n_queue <= i)
		raw_next(s, &s->queue[s->n_queue++]);
	return &s->queue[i];
}

static void
queue_drop(struct scan *s, int n)
{
	assert(n <= s->n_queue);
	s->n_queue -= n;
	memmove(s->queue, s->queue + n, (size_t)s->n_queue * sizeof(*s->queue));
}

/* How many words of the queue spell the phrase; 0 when they do not. */
static int
phrase_match(struct scan *s, const char *phrase)
{
	const struct raw	*r;
	size_t			 n;
	int			 words = 0;

	while (*phrase != '\0') {
		n = strcspn(phrase, " ");
		r = queue_at(s, words);
		if (r->kind != RAW_WORD || strlen(r->tok.text) != n ||
		    memcmp(r->tok.text, phrase, n) != 0)
			return 0;
		words++;
		phrase += n + (phrase[n] == ' ');
	}
	return words;
}

static int
fact_token(enum fact f)
{
	return f == FACT_AMOUNT ? K_AMOUNT : f == FACT_HOT ? K_HOT :
	    f == FACT_FUND ? K_FUND : f == FACT_PROVEN ? K_PROVEN : FACT;
}

static int
find_keyword(const struct keyword *k, int n, const char *text)
{
	int	 i;

	for (i = 0; i < n; i++)
		if (strcmp(k[i].text, text) == 0)
			return k[i].token;
	return 0;
}

/* The longest phrase at the head of the queue: its token and words. */
static int
find_phrase(struct scan *s, int *fact, int *words)
{
	int	 i, n, token = 0;

	*words = 0;
	for (i = 0; i < FACT__COUNT; i++) {
		n = phrase_match(s, word_of((enum fact)i)->text);
		if (n > *words) {
			*words = n;
			*fact = i;
			token = fact_token((enum fact)i);
		}
	}
	for (i = 0; i < N(phrases); i++) {
		n = phrase_match(s, phrases[i].text);
		if (n > *words) {
			*words = n;
			token = phrases[i].token;
		}
	}
	return token;
}

static bool
begins_phrase(const char *text)
{
	size_t	 n = strlen(text);
	int	 i;

	for (i = 0; i < FACT__COUNT; i++)
		if (strncmp(word_of((enum fact)i)->text, text, n) == 0 &&
		    word_of((enum fact)i)->text[n] == ' ')
			return true;
	return false;
}

static bool
is_reserved(const char *text)
{
	int	 i;

	for (i = 0; i < FACT__COUNT; i++)
		if (strcmp(word_of((enum fact)i)->text, text) == 0)
			return true;
	return find_keyword(keywords, N(keywords), text) != 0 ||
	    begins_phrase(text);
}

/* The first n words of the queue and the place of them all. */
static struct pos
join_words(struct scan *s, int n, char *buf, size_t buf_len)
{
	const struct raw	*r = queue_at(s, 0);
	struct pos		 pos = r->tok.pos;
	size_t			 len = 0;
	int			 i;

	buf[0] = '\0';
	for (i = 0; i < n && len < buf_len; i++) {
		r = queue_at(s, i);
		len += (size_t)snprintf(buf + len, buf_len - len, "%s%s",
		    i > 0 ? " " : "", r->tok.text);
		pos.len = r->tok.pos.col + r->tok.pos.len - pos.col;
	}
	return pos;
}

/*
 * A word that begins phrases, and none of them follows: `age of acount`.
 * Say so with the nearest phrase, since the grammar could only say that it
 * does not know the word.
 */
static bool
phrase_broken(struct scan *s, int *words)
{
	char		 joined[TOKEN_MAX * 2], hint[160];
	const char	*near = NULL;
	struct pos	 pos;
	int		 n;

	if (!begins_phrase(queue_at(s, 0)->tok.text))
		return false;
	for (n = 1; n < PHRASE_WORDS - 1; n++)
		if (queue_at(s, n)->kind != RAW_WORD ||
		    queue_at(s, n)->tok.pos.line !=
		    queue_at(s, 0)->tok.pos.line)
			break;
	for (; n > 1 && near == NULL; n--) {
		pos = join_words(s, n, joined, sizeof(joined));
		near = scan_nearest(s->ps, joined);
		*words = n;
	}
	if (near == NULL) {
		*words = 1;
		pos = join_words(s, 1, joined, sizeof(joined));
	}
	(void)snprintf(hint, sizeof(hint), "did you mean `%s`?",
	    near != NULL ? near : "");
	diag_error(s->ps->d, pos, near != NULL ? hint : NULL,
	    "`%.100s` is not a fact", joined);
	return true;
}

/* `destination new ...`, `key has ...`: can be nothing but a phrase. */
static bool
must_be_phrase(struct scan *s)
{
	const struct raw	*r = queue_at(s, 1);

	return r->kind == RAW_WORD && (strcmp(r->tok.text, "new") == 0 ||
	    strcmp(r->tok.text, "has") == 0);
}

static int
word_token(struct scan *s, struct tok *tok, int *words)
{
	int	 token, fact = 0, i;

	*words = 1;
	if (s->in_set && (token = find_keyword(set_words, N(set_words),
	    tok->text)) != 0)
		return token;
	if (s->want_name)
		return is_reserved(tok->text) ? RESERVED : NAME;
	if (s->in_labels)
		return strcmp(tok->text, "when") == 0 ? K_WHEN : NAME;
	if ((token = find_phrase(s, &fact, words)) != 0) {
		tok->fact = fact;
		for (i = 1; i < *words; i++)
			if (queue_at(s, i)->tok.pos.line == tok->pos.line)
				tok->pos.len = queue_at(s, i)->tok.pos.col +
				    queue_at(s, i)->tok.pos.len -
				    tok->pos.col;
		return token;
	}
	*words = 1;
	token = find_keyword(keywords, N(keywords), tok->text);
	if ((token == 0 || must_be_phrase(s)) && phrase_broken(s, words))
		return YYerror;
	return token != 0 ? token : NAME;
}

/* What a token changes about the words behind it. */
static void
set_modes(struct scan *s, int token)
{
	s->want_name = token == K_LET || token == K_CLASS ||
	    token == K_DECLARE;
	if (token == K_SET)
		s->in_set = true;
	else if (token == K_FROM)
		s->in_labels = true;
	else if (token == K_WHEN)
		s->in_labels = false;
	else if (token == K_DEFAULT)
		s->ps->tried_default = true;
	else if (token == NL)
		s->in_set = s->in_labels = false;
}

int
yylex(union YYSTYPE *val, struct pos *loc, struct parse *ps)
{
	struct scan	*s = ps->scan;
	struct raw	 r = *queue_at(s, 0);
	int		 token = 0, words = 1;

	switch (r.kind) {
	case RAW_END:
		token = YYEOF;
		break;
	case RAW_NL:
		token = NL;
		break;
	case RAW_BAD:
		token = YYerror;
		break;
	case RAW_TOKEN:
		token = r.token;
		break;
	case RAW_WORD:
		token = word_token(s, &r.tok, &words);
		break;
	}
	set_modes(s, token);
	queue_drop(s, words);
	val->tok = r.tok;
	*loc = r.tok.pos;
	return token;
}
