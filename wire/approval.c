/*
 * The text, line by line: fixed names, one way to write each value.
 */
#include "wire/approval.h"

#include <assert.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/amount.h"
#include "lib/sha256.h"
#include "wire/cidr.h"
#include "wire/command_fields.h"

struct writer {
	char		*p;
	size_t		 room;
	size_t		 len;
	bool		 full;
};

static void	put(struct writer *w, const char *fmt, ...) PRINTF(2, 3);

static void
put(struct writer *w, const char *fmt, ...)
{
	va_list	 ap;
	int	 n;

	va_start(ap, fmt);
	n = vsnprintf(w->p + w->len, w->room - w->len, fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= w->room - w->len)
		w->full = true;
	else
		w->len += (size_t)n;
}

static void
put_hex(struct writer *w, const void *bytes, size_t len)
{
	const unsigned char	*b = bytes;
	size_t			 i;

	for (i = 0; i < len && !w->full; i++)
		put(w, "%02x", b[i]);
}

/*
 * A text from outside in one line: what is not printable ASCII, and `\`, is
 * \xNN, so that no text can look like another line.
 */
static void
put_safe(struct writer *w, struct text t)
{
	size_t	 i;
	char	 c;

	for (i = 0; i < t.len && !w->full; i++) {
		c = t.p[i];
		if (c >= ' ' && c <= '~' && c != '\\')
			put(w, "%c", c);
		else
			put(w, "\\x%02x", (unsigned char)c);
	}
}

static bool
is_amount(enum command_field f)
{
	return f == F_AMOUNT || f == F_PAYABLE || f == F_RECEIVED ||
	    f == F_LIMIT;
}

static void
put_number(struct writer *w, enum command_field f, int64_t v)
{
	char	 btc[AMOUNT_TEXT_MAX];

	if (is_amount(f))
		put(w, "%s", amount_format(btc, v));
	else
		put(w, "%" PRId64, v);
}

static void
put_fact(struct writer *w, const struct command_fact *f)
{
	put_safe(w, f->name);
	switch (f->kind) {
	case VALUE_TEXT:
		put(w, " text ");
		put_safe(w, f->text);
		return;
	case VALUE_INTEGER:
		put(w, " %" PRId64, f->value);
		return;
	case VALUE_FLAG:
		put(w, " %s", f->value != 0 ? "true" : "false");
		return;
	}
	assert(!"a kind of value");
}

static void
put_lists(struct writer *w, const struct command *c, enum command_kind kind)
{
	char	 text[CIDR_TEXT_MAX];
	size_t	 i;

	if (kind == KIND_CIDRS) {
		for (i = 0; i < c->n_cidrs; i++)
			put(w, "%s%s", i > 0 ? " " : "",
			    cidr_text(text, &c->cidrs[i]));
		return;
	}
	for (i = 0; i < c->n_facts; i++) {
		put(w, "%s", i > 0 ? "; " : "");
		put_fact(w, &c->facts[i]);
	}
}

static void
put_value(struct writer *w, const struct command *c, enum command_field f)
{
	const struct command_field_def	*d = &command_fields[f];
	const void			*at = command_at(c, d);
	char				 text[CIDR_TEXT_MAX];
	unsigned			 word;
	int64_t				 number;

	switch (d->kind) {
	case KIND_TEXT:
		put_safe(w, *(const struct text *)at);
		return;
	case KIND_BYTES:
		put_hex(w, ((const struct text *)at)->p,
		    ((const struct text *)at)->len);
		return;
	case KIND_NUMBER:
		memcpy(&number, at, sizeof(number));
		put_number(w, f, number);
		return;
	case KIND_WORD:
		memcpy(&word, at, sizeof(word));
		put(w, "%u", word);
		return;
	case KIND_FLAG:
		put(w, "yes");
		return;
	case KIND_SOURCE:
		put_safe(w, c->source);
		put(w, " %" PRIu64, c->n);
		return;
	case KIND_HASH:
		put_hex(w, c->hash, sizeof(c->hash));
		return;
	case KIND_IP:
		put(w, "%s", ip_text(text, c->ip));
		return;
	case KIND_FACT:
		put_fact(w, &c->fact);
		return;
	case KIND_FACTS:
	case KIND_CIDRS:
		put_lists(w, c, d->kind);
		return;
	}
	assert(!"a kind");
}

/* A policy's files are long, and its hash stands there. */
static bool
is_shown(enum command_field f)
{
	return f != F_BODY && f != F_PROOF && f != F_ANSWERS && f != F_BY;
}

static void
put_command(struct writer *w, const struct command *c)
{
	const struct command_type_def	*def = &command_types[c->type];
	uint64_t			 fields;
	enum command_field		 f;

	put(w, "command: %s\n", command_type_text(c->type));
	fields = command_present(c, def->may | def->one_of) | def->must;
	for (; fields != 0; fields &= fields - 1) {
		f = (enum command_field)__builtin_ctzll(fields);
		if (!is_shown(f))
			continue;
		put(w, "%s: ", command_fields[f].name);
		put_value(w, c, f);
		put(w, "\n");
	}
}

/* Of the command as it is packed, both parts. */
static enum rc
hash_of(unsigned char out[SHA256_LEN], const struct command *c,
    struct err *e)
{
	struct sha256	 h;
	unsigned char	*open, *sealed, len[8];
	size_t		 open_len, sealed_len, i;

	if (command_check(c, e) != RC_OK)
		return RC_FAILED;
	open = malloc(command_open_room(c));
	sealed = malloc(command_sealed_room(c));
	if (open == NULL || sealed == NULL) {
		free(open);
		free(sealed);
		return err_set(e, "no memory");
	}
	command_pack(c, open, &open_len, sealed, &sealed_len);
	for (i = 0; i < 8; i++)
		len[i] = (unsigned char)(open_len >> 8 * i);
	sha256_begin(&h);
	sha256_add(&h, len, sizeof(len));
	sha256_add(&h, open, open_len);
	sha256_add(&h, sealed, sealed_len);
	sha256_end(&h, out);
	free(open);
	free(sealed);
	return RC_OK;
}

static void
put_head(struct writer *w, const struct approval *a)
{
	static const char *const	 networks[] = { "main", "test",
		"signet", "regtest" };

	assert(a->network < 4);
	put(w, "drawbridge approval 1\npurpose: %s\ndeployment: ",
	    a->purpose == APPROVAL_ACT ? "act" : "approve");
	put_hex(w, a->deployment, sizeof(a->deployment));
	put(w, "\nnetwork: %s\noperator: ", networks[a->network]);
	put_safe(w, a->by);
	put(w, "\nanswers: %" PRId64 "\nexpires: %" PRId64 "\n", a->answers,
	    a->expires_ms);
}

/* What the withdrawal is, for whoever lets it go or not. */
static void
put_withdrawal(struct writer *w, const struct approval *a)
{
	char	 btc[AMOUNT_TEXT_MAX];

	if (a->script.p == NULL)
		return;
	put(w, "script: ");
	put_hex(w, a->script.p, a->script.len);
	put(w, "\npays: %s\n", amount_format(btc, a->amount_sat));
}

enum rc
approval_text(char *buf, size_t room, size_t *len_out,
    const struct approval *a, struct err *e)
{
	struct writer	 w = { buf, room, 0, false };
	unsigned char	 hash[SHA256_LEN];

	if (hash_of(hash, a->command, e) != RC_OK)
		return RC_FAILED;
	put_head(&w, a);
	put_command(&w, a->command);
	put_withdrawal(&w, a);
	put(&w, "hash: ");
	put_hex(&w, hash, sizeof(hash));
	if (a->command->type == COMMAND_POLICY) {
		put(&w, "\nreplaces: ");
		put_hex(&w, a->replaces, sizeof(a->replaces));
	}
	put(&w, "\n");
	*len_out = w.len;
	return w.full ? err_set(e, "more than %zu bytes to sign", room) :
	    RC_OK;
}

bool
approval_verify(const struct approval *a, const unsigned char key[32],
    const unsigned char signature[64])
{
	char	*text = malloc(APPROVAL_TEXT_MAX);
	size_t	 len;
	bool	 good;

	good = text != NULL && approval_text(text, APPROVAL_TEXT_MAX, &len,
	    a, NULL) == RC_OK && crypto_sign_verify_detached(signature,
	    (const unsigned char *)text, len, key) == 0;
	free(text);
	return good;
}

enum rc
approval_sign(unsigned char signature[64], const struct approval *a,
    const unsigned char secret[64], struct err *e)
{
	char	*text = malloc(APPROVAL_TEXT_MAX);
	size_t	 len;
	enum rc	 rc;

	if (text == NULL)
		return err_set(e, "no memory");
	rc = approval_text(text, APPROVAL_TEXT_MAX, &len, a, e);
	if (rc == RC_OK)
		(void)crypto_sign_detached(signature, NULL,
		    (const unsigned char *)text, len, secret);
	free(text);
	return rc;
}

/* Unknown loosens: the array's gaps are DIRECTION_TIGHTENS (0), so every
 * type stands here, and a test counts them. */
static const enum direction directions[COMMAND__END] = {
	[0] = DIRECTION_LOOSENS,
	[COMMAND_TICK] = DIRECTION_LOOSENS,
	[COMMAND_GENESIS] = DIRECTION_LOOSENS,
	[COMMAND_POLICY] = DIRECTION_DEPENDS,
	[COMMAND_RESTORED] = DIRECTION_LOOSENS,
	[COMMAND_CLOCK] = DIRECTION_LOOSENS,
	[COMMAND_ACCOUNT] = DIRECTION_DEPENDS,
	[COMMAND_KEY] = DIRECTION_DEPENDS,
	[COMMAND_KEY_REVOKE] = DIRECTION_TIGHTENS,
	[COMMAND_SECURITY_CHANGE] = DIRECTION_TIGHTENS,
	[COMMAND_LOGIN] = DIRECTION_LOOSENS,
	[COMMAND_FACT] = DIRECTION_LOOSENS,
	[COMMAND_DEPOSIT] = DIRECTION_LOOSENS,
	[COMMAND_BALANCE] = DIRECTION_LOOSENS,
	[COMMAND_HOT_BALANCE] = DIRECTION_LOOSENS,
	[COMMAND_FUND] = DIRECTION_LOOSENS,
	[COMMAND_CHAIN_SEEN] = DIRECTION_LOOSENS,
	[COMMAND_ADDRESS_ADD] = DIRECTION_LOOSENS,
	[COMMAND_ADDRESS_REMOVE] = DIRECTION_TIGHTENS,
	[COMMAND_WITHDRAW] = DIRECTION_LOOSENS,
	[COMMAND_CODE] = DIRECTION_LOOSENS,
	[COMMAND_RECEIPT] = DIRECTION_LOOSENS,
	[COMMAND_BURNED] = DIRECTION_LOOSENS,
	[COMMAND_OUTCOME] = DIRECTION_LOOSENS,
	[COMMAND_CANCEL] = DIRECTION_TIGHTENS,
	[COMMAND_RELEASE] = DIRECTION_LOOSENS,
	[COMMAND_DENY] = DIRECTION_TIGHTENS,
	[COMMAND_FREEZE] = DIRECTION_TIGHTENS,
	[COMMAND_UNFREEZE] = DIRECTION_LOOSENS,
	[COMMAND_HALT] = DIRECTION_TIGHTENS,
	[COMMAND_RESUME] = DIRECTION_LOOSENS,
	[COMMAND_SECRET] = DIRECTION_LOOSENS,
	[COMMAND_CODE_USED] = DIRECTION_LOOSENS,
	[COMMAND_DOOR_KEY] = DIRECTION_DEPENDS,
	[COMMAND_OPERATOR] = DIRECTION_DEPENDS,
	[COMMAND_QUORUM] = DIRECTION_DEPENDS,
	[COMMAND_PROPOSAL] = DIRECTION_LOOSENS,
	[COMMAND_APPROVAL] = DIRECTION_LOOSENS,
	[COMMAND_DISCARD] = DIRECTION_TIGHTENS,
	[COMMAND_SIGNER_HEAD] = DIRECTION_LOOSENS,
};

enum direction
command_direction(enum command_type t)
{
	return t < COMMAND__END ? directions[t] : DIRECTION_LOOSENS;
}
