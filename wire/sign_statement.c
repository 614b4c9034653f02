/*
 * What operators sign for the signer, line by line: fixed names, one way to
 * write each value (H6).
 */
#include "wire/sign.h"

#include <assert.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>

#include "lib/amount.h"

#define ID_MAX		64
#define NAME_MAX_LEN	32
#define SCRIPT_MAX	42

struct statement_writer {
	char		*p;
	size_t		 len;
};

static void	put(struct statement_writer *w, const char *fmt, ...)
    PRINTF(2, 3);

static void
put(struct statement_writer *w, const char *fmt, ...)
{
	va_list	 ap;
	int	 n;

	va_start(ap, fmt);
	n = vsnprintf(w->p + w->len, SIGN_STATEMENT_MAX - w->len, fmt, ap);
	va_end(ap);
	/* Every line has its greatest length, and together they fit. */
	assert(n >= 0 && (size_t)n < SIGN_STATEMENT_MAX - w->len);
	w->len += (size_t)n;
}

static void
put_hex(struct statement_writer *w, const char *name, const void *bytes,
    size_t len)
{
	const unsigned char	*b = bytes;
	size_t			 i;

	put(w, "%s: ", name);
	for (i = 0; i < len; i++)
		put(w, "%02x", b[i]);
	put(w, "\n");
}

/* Transactions and blocks as people write them: back to front. */
static void
put_hash(struct statement_writer *w, const char *name,
    const unsigned char hash[32])
{
	unsigned char	 back[32];
	int		 i;

	for (i = 0; i < 32; i++)
		back[i] = hash[31 - i];
	put_hex(w, name, back, sizeof(back));
}

/* What is not printable ASCII, and `\`, is \xNN: no text can look like
 * another line. */
static void
put_safe(struct statement_writer *w, const char *name, struct text t)
{
	size_t	 i;
	char	 c;

	put(w, "%s: ", name);
	for (i = 0; i < t.len; i++) {
		c = t.p[i];
		if (c >= ' ' && c <= '~' && c != '\\')
			put(w, "%c", c);
		else
			put(w, "\\x%02x", (unsigned char)c);
	}
	put(w, "\n");
}

static void
put_btc(struct statement_writer *w, const char *name, int64_t sat)
{
	char	 btc[AMOUNT_TEXT_MAX];

	put(w, "%s: %s\n", name, amount_format(btc, sat));
}

static void
put_outpoint(struct statement_writer *w, const struct sign_statement *s)
{
	put_hash(w, "outpoint", s->outpoint_txid);
	w->len--;
	put(w, ":%" PRIu32 "\n", s->outpoint_vout);
}

static const char *
purpose_text(enum sign_purpose p)
{
	switch (p) {
	case SIGN_FOR_PAY:
		return "pay";
	case SIGN_FOR_FEE:
		return "fee";
	case SIGN_FOR_RESUME:
		return "resume";
	case SIGN_FOR_WRITE_OFF:
		return "write-off";
	case SIGN_FOR_EPOCH:
		return "epoch";
	case SIGN_FOR_ADOPT:
		return "adopt";
	case SIGN_FOR_REARM:
		return "rearm";
	case SIGN_FOR_SETTINGS:
		return "settings";
	}
	assert(!"a purpose");
	return "";
}

static void
put_purpose(struct statement_writer *w, const struct sign_statement *s)
{
	switch (s->purpose) {
	case SIGN_FOR_PAY:
		put_safe(w, "id", s->id);
		put_hex(w, "script", s->script.p, s->script.len);
		put_btc(w, "amount", s->amount_sat);
		put_btc(w, "fee-max", s->fee_max_sat);
		return;
	case SIGN_FOR_FEE:
		put_hash(w, "txid", s->txid);
		put_btc(w, "fee", s->amount_sat);
		return;
	case SIGN_FOR_WRITE_OFF:
		put_safe(w, "id", s->id);
		put_outpoint(w, s);
		put_hash(w, "spent-by", s->txid);
		put_hash(w, "block", s->hash);
		return;
	case SIGN_FOR_EPOCH:
		put(w, "epoch: %" PRIu64 "\n", s->number);
		put_hex(w, "engine", s->hash, sizeof(s->hash));
		return;
	case SIGN_FOR_ADOPT:
		put(w, "engine-sequence: %" PRIu64 "\n", s->number);
		put_hex(w, "engine-head", s->hash, sizeof(s->hash));
		put(w, "booked: %" PRIu64 "\n", s->booked);
		return;
	case SIGN_FOR_SETTINGS:
		put_hex(w, "hash", s->hash, sizeof(s->hash));
		put_hex(w, "replaces", s->replaces, sizeof(s->replaces));
		return;
	case SIGN_FOR_RESUME:
	case SIGN_FOR_REARM:
		return;
	}
	assert(!"a purpose");
}

size_t
sign_statement_text(char out[SIGN_STATEMENT_MAX],
    const struct sign_statement *s)
{
	static const char *const	 networks[] = { "main", "test",
		"signet", "regtest" };
	struct statement_writer		 w = { out, 0 };

	assert(s->network < 4 && s->by.len <= NAME_MAX_LEN &&
	    s->id.len <= ID_MAX && s->script.len <= SCRIPT_MAX);
	put(&w, "drawbridge signer 1\npurpose: %s\n",
	    purpose_text(s->purpose));
	put_hex(&w, "deployment", s->deployment, sizeof(s->deployment));
	put(&w, "network: %s\n", networks[s->network]);
	put_hex(&w, "signer", s->signer, sizeof(s->signer));
	put_safe(&w, "operator", s->by);
	put(&w, "answers: %" PRIu64 "\nexpires: %" PRId64 "\n", s->answers,
	    s->expires_ms);
	put_purpose(&w, s);
	return w.len;
}

bool
sign_statement_verify(const struct sign_statement *s,
    const unsigned char key[32], const unsigned char signature[64])
{
	char	 text[SIGN_STATEMENT_MAX];
	size_t	 len = sign_statement_text(text, s);

	return crypto_sign_verify_detached(signature,
	    (const unsigned char *)text, len, key) == 0;
}

void
sign_statement_sign(unsigned char signature[64],
    const struct sign_statement *s, const unsigned char secret[64])
{
	char	 text[SIGN_STATEMENT_MAX];
	size_t	 len = sign_statement_text(text, s);

	(void)crypto_sign_detached(signature, NULL,
	    (const unsigned char *)text, len, secret);
}
