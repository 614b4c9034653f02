/*
 * The settings as text: a table of names, each with its reader; and written
 * again in the one order.
 */
#include "wire/sign_settings.h"

#include <assert.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/amount.h"
#include "lib/sha256.h"
#include "wire/bytes.h"

#define WORDS_MAX	8
#define BLOCKS_MAX	1000000
#define CHANGE_MAX	1000
#define JUMP_MAX	UINT64_C(1000000000000)
#define RATE_MAX	INT64_C(1000000000)	/* a million sat/vB */

static const char *const	 networks[] = { "main", "test", "signet",
	"regtest" };
static const char *const	 wallets[] = { "wpkh", "tr", "wsh" };

/* One line, without its name. */
struct settings_line {
	struct text	word[WORDS_MAX];
	size_t		n;
};

typedef enum rc settings_reader(struct sign_settings *s,
    const struct settings_line *l, struct err *e);

/* Words */

static bool
is(struct text t, const char *word)
{
	return text_equal(t, text_of(word));
}

static bool
get_hex(unsigned char *out, size_t len, struct text t)
{
	size_t	 got = 0, i;

	for (i = 0; i < t.len; i++) {
		if (strchr("0123456789abcdef", t.p[i]) == NULL)
			return false;
	}
	return t.len == 2 * len && sodium_hex2bin(out, len, t.p, t.len, NULL,
	    &got, NULL) == 0 && got == len;
}

static bool
get_count(uint64_t *out, struct text t, uint64_t min, uint64_t max)
{
	uint64_t	 v = 0;
	size_t		 i;

	if (t.len == 0 || t.len > 18 || (t.len > 1 && t.p[0] == '0'))
		return false;
	for (i = 0; i < t.len; i++) {
		if (t.p[i] < '0' || t.p[i] > '9')
			return false;
		v = v * 10 + (uint64_t)(t.p[i] - '0');
	}
	*out = v;
	return v >= min && v <= max;
}

static enum rc
count(uint64_t *out, const struct settings_line *l, size_t at, uint64_t min,
    uint64_t max, struct err *e)
{
	if (at >= l->n || !get_count(out, l->word[at], min, max))
		return err_set(e, "want a number from %" PRIu64 " to %" PRIu64,
		    min, max);
	return RC_OK;
}

/* "N blocks" */
static enum rc
blocks(uint32_t *out, const struct settings_line *l, uint64_t min,
    struct err *e)
{
	uint64_t	 v;

	if (l->n < 2 || !get_count(&v, l->word[0], min, BLOCKS_MAX) ||
	    !is(l->word[1], v == 1 ? "block" : "blocks"))
		return err_set(e, "want `N blocks`, %" PRIu64 " to %d", min,
		    BLOCKS_MAX);
	*out = (uint32_t)v;
	return RC_OK;
}

/* "N BTC", from word `at` on, which are the last. */
static enum rc
btc(int64_t *out, const struct settings_line *l, size_t at, struct err *e)
{
	if (l->n != at + 2 || !is(l->word[at + 1], "BTC"))
		return err_set(e, "want an amount, as `0.5 BTC`");
	return amount_parse(out, l->word[at].p, l->word[at].len, e);
}

/* "N sat/vB": like an amount, with three decimals. */
static enum rc
rate(int64_t *out, const struct settings_line *l, struct err *e)
{
	const char	*point;
	size_t		 decimals = 0;
	int64_t		 v;

	if (l->n != 2 || !is(l->word[1], "sat/vB"))
		return err_set(e, "want a rate, as `200 sat/vB`");
	point = memchr(l->word[0].p, '.', l->word[0].len);
	if (point != NULL)
		decimals = (size_t)(l->word[0].p + l->word[0].len - point) -
		    1;
	if (decimals > 3 || amount_parse(&v, l->word[0].p, l->word[0].len,
	    e) != RC_OK || v / 100000 > RATE_MAX || v == 0)
		return err_set(e, "want a rate up to a million sat/vB, with "
		    "three decimals at most");
	*out = v / 100000;
	return RC_OK;
}

static enum rc
alone(const struct settings_line *l, struct err *e)
{
	return l->n == 1 ? RC_OK : err_set(e, "want one word behind it");
}

/* Names */

static enum rc
read_network(struct sign_settings *s, const struct settings_line *l,
    struct err *e)
{
	uint8_t	 i;

	for (i = 0; i < 4 && l->n == 1; i++) {
		if (is(l->word[0], networks[i])) {
			s->network = i;
			return RC_OK;
		}
	}
	return err_set(e, "want main, test, signet or regtest");
}

static enum rc
read_deployment(struct sign_settings *s, const struct settings_line *l,
    struct err *e)
{
	if (l->n != 1 || !get_hex(s->deployment, 16, l->word[0]))
		return err_set(e, "want 32 characters of hex");
	return RC_OK;
}

static enum rc
read_engine(struct sign_settings *s, const struct settings_line *l,
    struct err *e)
{
	if (l->n != 1 || !get_hex(s->engine_key, 32, l->word[0]))
		return err_set(e, "want a public key, 64 characters of hex");
	return RC_OK;
}

static enum rc
read_epoch(struct sign_settings *s, const struct settings_line *l,
    struct err *e)
{
	uint64_t	 v;

	if (alone(l, e) != RC_OK || count(&v, l, 0, 1, UINT32_MAX, e) != RC_OK)
		return RC_FAILED;
	s->epoch = (uint32_t)v;
	return RC_OK;
}

static enum rc
read_wallet(struct sign_settings *s, const struct settings_line *l,
    struct err *e)
{
	uint64_t	 m, n;

	s->m = s->n = 1;
	if (l->n == 1 && (is(l->word[0], "wpkh") || is(l->word[0], "tr"))) {
		s->wallet = is(l->word[0], "tr") ? SIGN_TR : SIGN_WPKH;
		return RC_OK;
	}
	if (l->n != 4 || !is(l->word[0], "wsh") || !is(l->word[2], "of") ||
	    !get_count(&m, l->word[1], 1, 15) ||
	    !get_count(&n, l->word[3], 2, SIGN_COSIGNERS_MAX) || m > n)
		return err_set(e, "want wpkh, tr, or wsh M of N with N from 2 "
		    "to %d", SIGN_COSIGNERS_MAX);
	/* Two quorums without a common key could pay twice (C4). */
	if (2 * m <= n)
		return err_set(e, "%" PRIu64 " of %" PRIu64 ": more than half "
		    "of the keys must sign, or two halves pay twice", m, n);
	s->wallet = SIGN_WSH;
	s->m = (unsigned)m;
	s->n = (unsigned)n;
	return RC_OK;
}

/* A word of printable ASCII into `room` bytes. */
static enum rc
copy_word(char *out, size_t room, struct text t, struct err *e)
{
	if (t.len >= room)
		return err_set(e, "longer than %zu characters", room - 1);
	memcpy(out, t.p, t.len);
	out[t.len] = '\0';
	return RC_OK;
}

static enum rc
read_cosigner(struct sign_settings *s, const struct settings_line *l,
    struct err *e)
{
	size_t	 i;

	if (alone(l, e) != RC_OK)
		return RC_FAILED;
	if (s->n_cosigners == SIGN_COSIGNERS_MAX)
		return err_set(e, "more than %d", SIGN_COSIGNERS_MAX);
	for (i = 0; i < s->n_cosigners; i++) {
		if (is(l->word[0], s->cosigners[i]))
			return err_set(e, "the same twice");
	}
	return copy_word(s->cosigners[s->n_cosigners++], SIGN_KEY_TEXT_MAX,
	    l->word[0], e);
}

static bool
has_cold(const struct sign_settings *s, const char *descriptor)
{
	size_t	 i;

	for (i = 0; i < s->n_cold; i++) {
		if (strcmp(s->cold[i], descriptor) == 0)
			return true;
	}
	return false;
}

static enum rc
read_cold(struct sign_settings *s, const struct settings_line *l,
    struct err *e)
{
	char	 text[SIGN_DESCRIPTOR_MAX];

	if (alone(l, e) != RC_OK ||
	    copy_word(text, sizeof(text), l->word[0], e) != RC_OK)
		return RC_FAILED;
	if (has_cold(s, text))
		return err_set(e, "the same twice");
	if (s->n_cold == SIGN_COLD_MAX)
		return err_set(e, "more than %d", SIGN_COLD_MAX);
	memcpy(s->cold[s->n_cold++], text, sizeof(text));
	return RC_OK;
}

static bool
is_name(struct text t)
{
	size_t	 i;

	for (i = 0; i < t.len; i++) {
		if ((t.p[i] < 'a' || t.p[i] > 'z') &&
		    (t.p[i] < 'A' || t.p[i] > 'Z') &&
		    (t.p[i] < '0' || t.p[i] > '9') &&
		    strchr("._-@", t.p[i]) == NULL)
			return false;
	}
	return t.len >= 1 && t.len <= 32;
}

static bool
get_rights(struct sign_operator *o, struct text t)
{
	o->approve = is(t, "approve") || is(t, "approve,custodian");
	o->custodian = is(t, "custodian") || is(t, "approve,custodian");
	return o->approve || o->custodian;
}

static enum rc
read_operator(struct sign_settings *s, const struct settings_line *l,
    struct err *e)
{
	struct sign_operator	*o = &s->operators[s->n_operators];
	size_t			 i;

	if (s->n_operators == SIGN_OPERATORS_MAX)
		return err_set(e, "more than %d", SIGN_OPERATORS_MAX);
	if (l->n != 3 || !is_name(l->word[0]) ||
	    !get_hex(o->key, 32, l->word[1]) || !get_rights(o, l->word[2]))
		return err_set(e, "want NAME KEY approve, custodian or "
		    "approve,custodian; 64 characters of hex are a key");
	(void)copy_word(o->name, sizeof(o->name), l->word[0], e);
	/* Persons are counted: one name, one key. */
	for (i = 0; i < s->n_operators; i++) {
		if (strcmp(s->operators[i].name, o->name) == 0 ||
		    memcmp(s->operators[i].key, o->key, 32) == 0)
			return err_set(e, "%s: the name or the key of another",
			    o->name);
	}
	s->n_operators++;
	return RC_OK;
}

static enum rc
read_quorum(struct sign_settings *s, const struct settings_line *l,
    struct err *e)
{
	uint64_t	 v;

	if (alone(l, e) != RC_OK || count(&v, l, 0, 1, SIGN_OPERATORS_MAX,
	    e) != RC_OK)
		return RC_FAILED;
	s->quorum = (unsigned)v;
	return RC_OK;
}

static enum rc
read_tx_max(struct sign_settings *s, const struct settings_line *l,
    struct err *e)
{
	return btc(&s->tx_max_sat, l, 0, e);
}

static enum rc
read_short(struct sign_settings *s, const struct settings_line *l,
    struct err *e)
{
	if (blocks(&s->short_blocks, l, 1, e) != RC_OK)
		return RC_FAILED;
	return btc(&s->short_max_sat, l, 2, e);
}

static enum rc
read_long(struct sign_settings *s, const struct settings_line *l,
    struct err *e)
{
	if (blocks(&s->long_blocks, l, 1, e) != RC_OK)
		return RC_FAILED;
	return btc(&s->long_max_sat, l, 2, e);
}

static enum rc
read_fee(struct sign_settings *s, const struct settings_line *l,
    struct err *e)
{
	return btc(&s->fee_max_sat, l, 0, e);
}

static enum rc
read_rate(struct sign_settings *s, const struct settings_line *l,
    struct err *e)
{
	return rate(&s->fee_rate_max, l, e);
}

static enum rc
read_spike_fee(struct sign_settings *s, const struct settings_line *l,
    struct err *e)
{
	return btc(&s->spike_fee_max_sat, l, 0, e);
}

static enum rc
read_spike_rate(struct sign_settings *s, const struct settings_line *l,
    struct err *e)
{
	return rate(&s->spike_rate_max, l, e);
}

static enum rc
read_above(struct sign_settings *s, const struct settings_line *l,
    struct err *e)
{
	return btc(&s->approve_above_sat, l, 0, e);
}

static enum rc
read_change(struct sign_settings *s, const struct settings_line *l,
    struct err *e)
{
	uint64_t	 v;

	if (alone(l, e) != RC_OK || count(&v, l, 0, 0, CHANGE_MAX,
	    e) != RC_OK)
		return RC_FAILED;
	s->change_max = (uint32_t)v;
	return RC_OK;
}

static enum rc
read_delay(struct sign_settings *s, const struct settings_line *l,
    struct err *e)
{
	if (blocks(&s->delay_blocks, l, 0, e) != RC_OK)
		return RC_FAILED;
	return l->n == 2 ? RC_OK : err_set(e, "want `N blocks`");
}

static enum rc
read_jump(struct sign_settings *s, const struct settings_line *l,
    struct err *e)
{
	return alone(l, e) != RC_OK ? RC_FAILED : count(&s->sequence_jump, l,
	    0, 1, JUMP_MAX, e);
}

struct settings_name {
	const char	*name;
	settings_reader	*read;
	bool		 must, many;
};

static const struct settings_name settings_names[] = {
	{ "network", read_network, true, false },
	{ "deployment", read_deployment, true, false },
	{ "engine", read_engine, true, false },
	{ "epoch", read_epoch, true, false },
	{ "wallet", read_wallet, true, false },
	{ "cosigner", read_cosigner, false, true },
	{ "cold", read_cold, false, true },
	{ "operator", read_operator, true, true },
	{ "quorum", read_quorum, false, false },
	{ "per-transaction", read_tx_max, false, false },
	{ "short-window", read_short, false, false },
	{ "long-window", read_long, false, false },
	{ "fee", read_fee, false, false },
	{ "fee-rate", read_rate, false, false },
	{ "spike-fee", read_spike_fee, false, false },
	{ "spike-fee-rate", read_spike_rate, false, false },
	{ "approve-above", read_above, false, false },
	{ "change-outputs", read_change, false, false },
	{ "delay", read_delay, false, false },
	{ "sequence-jump", read_jump, false, false },
};
#define N_NAMES	(sizeof(settings_names) / sizeof(settings_names[0]))

void
sign_settings_clear(struct sign_settings *s)
{
	memset(s, 0, sizeof(*s));
	s->m = s->n = 1;
	s->epoch = 1;
	s->quorum = 2;
	s->tx_max_sat = SAT_PER_BTC;
	s->short_blocks = 144;
	s->short_max_sat = 2 * SAT_PER_BTC;
	s->long_blocks = 2016;
	s->long_max_sat = 10 * SAT_PER_BTC;
	s->fee_max_sat = SAT_PER_BTC / 100;
	s->fee_rate_max = 200 * 1000;
	s->spike_fee_max_sat = SAT_PER_BTC / 20;
	s->spike_rate_max = 2000 * 1000;
	s->approve_above_sat = SAT_PER_BTC;
	s->change_max = 16;
	s->delay_blocks = 144;
	s->sequence_jump = 1000000;
}

/* Lines */

/* The words of a line; `#` begins a comment where a word could begin. */
static enum rc
split(struct text *name, struct settings_line *l, struct text line,
    struct err *e)
{
	struct text	 t;
	size_t		 i = 0, n = 0, start;

	name->p = NULL;
	while (i < line.len) {
		if (line.p[i] == ' ' || line.p[i] == '\t') {
			i++;
			continue;
		}
		if (line.p[i] == '#')
			break;
		start = i;
		while (i < line.len && line.p[i] > ' ' && line.p[i] <= '~')
			i++;
		if (i < line.len && line.p[i] != ' ' && line.p[i] != '\t')
			return err_set(e, "a character that is not ASCII");
		t.p = line.p + start;
		t.len = i - start;
		if (n++ == 0)
			*name = t;
		else if (n - 2 < WORDS_MAX)
			l->word[n - 2] = t;
		else
			return err_set(e, "too many words");
	}
	l->n = n > 0 ? n - 1 : 0;
	return RC_OK;
}

static enum rc
take_line(struct sign_settings *s, unsigned *seen, struct text line,
    struct err *e)
{
	struct settings_line	 l;
	struct text		 name;
	size_t			 i;

	if (split(&name, &l, line, e) != RC_OK)
		return RC_FAILED;
	if (name.p == NULL)
		return RC_OK;
	for (i = 0; i < N_NAMES && !is(name, settings_names[i].name); i++)
		continue;
	if (i == N_NAMES)
		return err_set(e, "there is no such name: `%.*s`",
		    name.len > 40 ? 40 : (int)name.len, name.p);
	if ((*seen >> i & 1) != 0 && !settings_names[i].many)
		return err_set(e, "`%s`: a second time",
		    settings_names[i].name);
	*seen |= 1u << i;
	if (l.n == 0)
		return err_set(e, "`%s`: nothing behind it",
		    settings_names[i].name);
	return err_wrap(e, settings_names[i].read(s, &l, e), "`%s`",
	    settings_names[i].name);
}

/* Is it whole, and does one part fit the other? */

static enum rc
check_people(const struct sign_settings *s, struct err *e)
{
	unsigned	 approvers = 0, custodians = 0;
	size_t		 i;

	for (i = 0; i < s->n_operators; i++) {
		approvers += s->operators[i].approve;
		custodians += s->operators[i].custodian;
	}
	if (custodians == 0)
		return err_set(e, "no operator is a custodian");
	if (s->quorum > approvers)
		return err_set(e, "`quorum`: %u, and only %u may approve",
		    s->quorum, approvers);
	return RC_OK;
}

static enum rc
check_ceilings(const struct sign_settings *s, struct err *e)
{
	if (s->tx_max_sat == 0 || s->tx_max_sat > s->short_max_sat ||
	    s->short_max_sat > s->long_max_sat)
		return err_set(e, "`per-transaction` must be above zero, at "
		    "most that of `short-window`, and this at most that of "
		    "`long-window`");
	if (s->short_blocks > s->long_blocks)
		return err_set(e, "`short-window` is longer than "
		    "`long-window`");
	if (s->fee_max_sat > s->spike_fee_max_sat ||
	    s->fee_rate_max > s->spike_rate_max)
		return err_set(e, "`fee` and `fee-rate` may not be above "
		    "`spike-fee` and `spike-fee-rate`");
	/* What loosens waits, except where nobody can be robbed. */
	if (s->delay_blocks == 0 && s->network != 3)
		return err_set(e, "`delay`: none is for regtest alone");
	return RC_OK;
}

static enum rc
check_whole(const struct sign_settings *s, unsigned seen, struct err *e)
{
	size_t	 i;

	for (i = 0; i < N_NAMES; i++) {
		if (settings_names[i].must && (seen >> i & 1) == 0)
			return err_set(e, "`%s` is missing",
			    settings_names[i].name);
	}
	if (s->n_cosigners != s->n - 1)
		return err_set(e, "`cosigner`: %u, and %zu are there",
		    s->n - 1, s->n_cosigners);
	if (check_people(s, e) != RC_OK)
		return RC_FAILED;
	return check_ceilings(s, e);
}

enum rc
sign_settings_parse(struct sign_settings *s, const char *name, struct text t,
    struct err *e)
{
	const char	*end = t.p + t.len, *p = t.p, *nl;
	unsigned	 seen = 0, line = 0;
	struct text	 one;

	sign_settings_clear(s);
	if (t.len > SIGN_SETTINGS_MAX)
		return err_set(e, "%s: longer than %d bytes", name,
		    SIGN_SETTINGS_MAX);
	while (p != NULL && p < end) {
		nl = memchr(p, '\n', (size_t)(end - p));
		one.p = p;
		one.len = (size_t)((nl != NULL ? nl : end) - p);
		line++;
		if (take_line(s, &seen, one, e) != RC_OK)
			return err_wrap(e, RC_FAILED, "%s:%u", name, line);
		p = nl != NULL ? nl + 1 : NULL;
	}
	return err_wrap(e, check_whole(s, seen, e), "%s", name);
}

/* And written */

struct settings_writer {
	char		*p;
	size_t		 room, len;
};

static void	put(struct settings_writer *w, const char *fmt, ...)
    PRINTF(2, 3);

static void
put(struct settings_writer *w, const char *fmt, ...)
{
	va_list	 ap;
	int	 n;

	if (w->len == w->room)
		return;
	va_start(ap, fmt);
	n = vsnprintf(w->p + w->len, w->room - w->len, fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= w->room - w->len)
		w->len = w->room;	/* and stays full */
	else
		w->len += (size_t)n;
}

static void
put_hex(struct settings_writer *w, const unsigned char *bytes, size_t len)
{
	size_t	 i;

	for (i = 0; i < len; i++)
		put(w, "%02x", bytes[i]);
}

/* A decimal number in units of 10^digits, with no needless zeros. */
static void
put_decimal(struct settings_writer *w, int64_t v, int digits)
{
	int64_t	 unit = 1, rest;
	int	 i;

	for (i = 0; i < digits; i++)
		unit *= 10;
	put(w, "%" PRId64, v / unit);
	if ((rest = v % unit) == 0)
		return;
	for (; rest % 10 == 0; digits--)
		rest /= 10;
	put(w, ".%0*" PRId64, digits, rest);
}

static void
put_btc(struct settings_writer *w, const char *before, int64_t sat)
{
	put(w, "%s", before);
	put_decimal(w, sat, 8);
	put(w, " BTC\n");
}

static void
put_rate(struct settings_writer *w, const char *before, int64_t v)
{
	put(w, "%s", before);
	put_decimal(w, v, 3);
	put(w, " sat/vB\n");
}

static void
put_founded(struct settings_writer *w, const struct sign_settings *s)
{
	size_t	 i;

	put(w, "network %s\ndeployment ", networks[s->network]);
	put_hex(w, s->deployment, sizeof(s->deployment));
	put(w, "\nengine ");
	put_hex(w, s->engine_key, sizeof(s->engine_key));
	put(w, "\nepoch %" PRIu32 "\nwallet %s", s->epoch,
	    wallets[s->wallet]);
	if (s->wallet == SIGN_WSH)
		put(w, " %u of %u", s->m, s->n);
	put(w, "\n");
	for (i = 0; i < s->n_cosigners; i++)
		put(w, "cosigner %s\n", s->cosigners[i]);
	for (i = 0; i < s->n_cold; i++)
		put(w, "cold %s\n", s->cold[i]);
}

static void
put_people(struct settings_writer *w, const struct sign_settings *s)
{
	const struct sign_operator	*o;
	size_t				 i;

	for (i = 0; i < s->n_operators; i++) {
		o = &s->operators[i];
		put(w, "operator %s ", o->name);
		put_hex(w, o->key, sizeof(o->key));
		put(w, " %s%s%s\n", o->approve ? "approve" : "",
		    o->approve && o->custodian ? "," : "",
		    o->custodian ? "custodian" : "");
	}
	put(w, "quorum %u\n", s->quorum);
}

/* "144 blocks", and "1 block". */
static void
put_blocks(struct settings_writer *w, const char *before, uint32_t n)
{
	put(w, "%s%" PRIu32 " block%s", before, n, n == 1 ? "" : "s");
}

size_t
sign_settings_print(const struct sign_settings *s, char *buf, size_t room)
{
	struct settings_writer	 w = { buf, room, 0 };

	assert(s->network < 4 && s->wallet <= SIGN_WSH);
	put_founded(&w, s);
	put_people(&w, s);
	put_btc(&w, "per-transaction ", s->tx_max_sat);
	put_blocks(&w, "short-window ", s->short_blocks);
	put_btc(&w, " ", s->short_max_sat);
	put_blocks(&w, "long-window ", s->long_blocks);
	put_btc(&w, " ", s->long_max_sat);
	put_btc(&w, "fee ", s->fee_max_sat);
	put_rate(&w, "fee-rate ", s->fee_rate_max);
	put_btc(&w, "spike-fee ", s->spike_fee_max_sat);
	put_rate(&w, "spike-fee-rate ", s->spike_rate_max);
	put_btc(&w, "approve-above ", s->approve_above_sat);
	put(&w, "change-outputs %" PRIu32 "\n", s->change_max);
	put_blocks(&w, "delay ", s->delay_blocks);
	put(&w, "\nsequence-jump %" PRIu64 "\n", s->sequence_jump);
	return w.len == w.room ? 0 : w.len;
}

void
sign_settings_hash(unsigned char out[32], const struct sign_settings *s)
{
	char	 text[SIGN_SETTINGS_MAX];
	size_t	 len = sign_settings_print(s, text, sizeof(text));

	/* What was parsed is no longer when written again. */
	assert(len > 0);
	sha256(out, text, len);
}
