/*
 * drawbridge signer approve: an operator signs for the signer, on a machine
 * of his own, what he has read himself (H6).
 *
 * What is approved comes from the receipt, the PSBT or the settings' file, not
 * from anybody's summary of it.  The whole text that is signed is shown, and
 * for a payment also the address that the script has.  One line on standard
 * output is one approval:
 *
 *	drawbridge-signer-approval-1 pay ID-IN-HEX BASE64
 *	drawbridge-signer-approval-1 resume - BASE64
 */
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bitcoin/hash.h"
#include "cli/commands.h"
#include "cli/day.h"
#include "cli/keyfile.h"
#include "cli/signer.h"
#include "lib/amount.h"
#include "lib/civil.h"
#include "wire/bytes.h"
#include "wire/receipt.h"

#define LINE_HEAD	"drawbridge-signer-approval-1"
#define TRUST		"drawbridge-receipts-1"
#define EXPIRES_MS	MS_PER_DAY
#define ID_HEX		(2 * 64 + 1)
#define APPROVAL_TEXT	sodium_base64_ENCODED_LEN(SIGN_APPROVAL_LEN,	\
			    sodium_base64_VARIANT_ORIGINAL)
#define APPROVALS_FILE_MAX ((size_t)2 << 20)

struct approve {
	const struct signer_options *o;
	struct signer_public public;
	struct keyfile	 key;
	struct sign_statement st;
	unsigned char	*receipts;
	size_t		 n_receipts;
	/* Of the running signer, if it was asked. */
	struct signer_line *line;
	struct text	 status;
	/* Whose receipts are good, if --trust says so. */
	bool		 trusts;
	unsigned char	 engine[32];
	/* What the statement has only by number or hash. */
	char		 also[SIGN_SETTINGS_MAX];
};

static const struct {
	const char		*name;
	enum sign_purpose	 purpose;
} purposes[] = {
	{ "pay", SIGN_FOR_PAY }, { "fee", SIGN_FOR_FEE },
	{ "resume", SIGN_FOR_RESUME }, { "write-off", SIGN_FOR_WRITE_OFF },
	{ "epoch", SIGN_FOR_EPOCH }, { "adopt", SIGN_FOR_ADOPT },
	{ "rearm", SIGN_FOR_REARM }, { "settings", SIGN_FOR_SETTINGS },
};
#define N_PURPOSES	(sizeof(purposes) / sizeof(purposes[0]))

static const char *
purpose_name(enum sign_purpose p)
{
	size_t	 i;

	for (i = 0; i < N_PURPOSES && purposes[i].purpose != p; i++)
		continue;
	return i < N_PURPOSES ? purposes[i].name : "?";
}

/* Reading approvals for a request */

struct approval_line {
	char		 id[ID_HEX];	/* hex; "-": not of a payment */
	unsigned char	 bytes[SIGN_APPROVAL_LEN];
	bool		 used;
};

struct approval_list {
	struct approval_line *line;
	size_t		 n;
};

static bool
parse_line(struct approval_line *out, const char *line)
{
	char	 purpose[32], text[2 * SIGN_APPROVAL_LEN], end;
	size_t	 len = 0;

	out->used = false;
	return sscanf(line, LINE_HEAD " %31s %128s %209s %c", purpose,
	    out->id, text, &end) == 3 && sodium_base642bin(out->bytes,
	    SIGN_APPROVAL_LEN, text, strlen(text), NULL, &len, NULL,
	    sodium_base64_VARIANT_ORIGINAL) == 0 && len == SIGN_APPROVAL_LEN;
}

static enum rc
read_lines(struct approval_list *l, const char *path, struct err *e)
{
	char	*buf, *p, *nl;
	size_t	 len, number = 0;
	enum rc	 rc;

	rc = signer_read_file(&buf, &len, path, APPROVALS_FILE_MAX, e);
	for (p = buf; rc == RC_OK && *p != '\0'; p = nl) {
		nl = p + strcspn(p, "\n");
		if (*nl != '\0')
			*nl++ = '\0';
		number++;
		if (p[0] == '\0')
			continue;
		if (l->n == SIGN_APPROVALS_MAX)
			rc = err_set(e, "more than %d approvals",
			    SIGN_APPROVALS_MAX);
		else if (!parse_line(&l->line[l->n], p))
			rc = err_set(e, "%s:%zu: not an approval", path,
			    number);
		l->n++;
	}
	free(buf);
	return rc;
}

/* Those for one payment, or those that are for none. */
static void
move(unsigned char *out, size_t *n, struct approval_list *l, const char *id)
{
	size_t	 i;

	for (i = 0; i < l->n; i++) {
		if (l->line[i].used || strcmp(l->line[i].id, id) != 0)
			continue;
		memcpy(out + *n * SIGN_APPROVAL_LEN, l->line[i].bytes,
		    SIGN_APPROVAL_LEN);
		l->line[i].used = true;
		*n += 1;
	}
}

static void
hex_of_id(char out[ID_HEX], struct text id)
{
	(void)sodium_bin2hex(out, ID_HEX, (const unsigned char *)id.p,
	    id.len);
}

static enum rc
order(unsigned char *out, size_t *n, struct approval_list *l,
    const unsigned char *receipts, size_t n_receipts, struct err *e)
{
	struct receipt	 r;
	char		 id[ID_HEX];
	size_t		 i;

	*n = 0;
	for (i = 0; i < n_receipts; i++) {
		if (receipt_unpack(&r, receipts + i * RECEIPT_LEN, e) !=
		    RC_OK)
			return RC_FAILED;
		hex_of_id(id, r.id);
		move(out, n, l, id);
	}
	move(out, n, l, "-");
	for (i = 0; i < l->n; i++) {
		if (!l->line[i].used)
			return err_set(e, "an approval of a payment that has "
			    "no receipt here (id in hex: %s)", l->line[i].id);
	}
	return RC_OK;
}

enum rc
signer_approve_read(unsigned char **out, size_t *n,
    const struct signer_options *o, const unsigned char *receipts,
    size_t n_receipts, struct err *e)
{
	struct approval_list	 l = { NULL, 0 };
	enum rc			 rc = RC_OK;
	size_t			 i;

	*n = 0;
	*out = malloc((size_t)SIGN_APPROVALS_MAX * SIGN_APPROVAL_LEN);
	l.line = calloc(SIGN_APPROVALS_MAX, sizeof(*l.line));
	if (*out == NULL || l.line == NULL)
		rc = err_set(e, "no memory");
	for (i = 0; rc == RC_OK && i < o->n_approvals; i++)
		rc = read_lines(&l, o->approvals[i], e);
	if (rc == RC_OK)
		rc = order(*out, n, &l, receipts, n_receipts, e);
	free(l.line);
	return rc;
}

/* Giving one: what the signer says of itself */

static enum rc
ask_status(struct approve *a, struct err *e)
{
	if (a->status.p != NULL)
		return RC_OK;
	if (signer_line_open(&a->line, a->o, false, e) != RC_OK)
		return RC_FAILED;
	return signer_line_status(a->line, &a->status, e);
}

/* A number that is given, or the signer's. */
static enum rc
answers(struct approve *a, const char *name, struct err *e)
{
	char		 text[32];
	struct text	 v;

	if (a->o->answers != NULL)
		return signer_read_number(&a->st.answers, "--answers",
		    a->o->answers, e);
	if (ask_status(a, e) != RC_OK)
		return err_wrap(e, RC_FAILED, "--answers is not given");
	v = signer_line_value(a->status, name);
	if (v.p == NULL || v.len >= sizeof(text))
		return err_set(e, "the signer has no %s: there is nothing to "
		    "approve", name);
	(void)snprintf(text, sizeof(text), "%.*s", (int)v.len, v.p);
	return signer_read_number(&a->st.answers, name, text, e);
}

/* Filling the statement, by purpose */

static enum rc
fill_fee(struct approve *a, struct err *e)
{
	struct psbt	*p = NULL;
	struct tx_out	 spent;
	int64_t		 fee = 0;
	bool		 proved;
	size_t		 i;
	enum rc		 rc = RC_OK;

	if (a->o->n_args != 2)
		return err_set(e, "of which PSBT?");
	if (signer_read_psbt(&p, a->o->args[1], e) != RC_OK)
		return RC_FAILED;
	for (i = 0; rc == RC_OK && i < p->tx.n_in; i++) {
		rc = err_wrap(e, psbt_spent(&spent, &proved, p, i, e),
		    "input %zu", i);
		if (rc == RC_OK && amount_add(&fee, fee, spent.amount_sat) !=
		    RC_OK)
			rc = err_set(e, "input %zu: too much", i);
	}
	for (i = 0; rc == RC_OK && i < p->tx.n_out; i++)
		fee -= p->tx.out[i].amount_sat;
	if (rc == RC_OK && fee < 0)
		rc = err_set(e, "it pays more than it spends");
	tx_txid(&p->tx, a->st.txid);
	a->st.amount_sat = fee;
	psbt_free(&p);
	return rc;
}

static enum rc
fill_write_off(struct approve *a, struct err *e)
{
	unsigned char	 outpoint[36];

	if (a->o->id == NULL || strlen(a->o->id) > 64)
		return err_set(e, "--id is needed, 64 bytes at most");
	if (signer_do_outpoint(outpoint, a->o->outpoint, e) != RC_OK ||
	    signer_do_hash(a->st.txid, "--spent-by", a->o->spent_by, e) !=
	    RC_OK || signer_do_hash(a->st.hash, "--block", a->o->block, e) !=
	    RC_OK)
		return RC_FAILED;
	a->st.id = text_of(a->o->id);
	memcpy(a->st.outpoint_txid, outpoint, 32);
	a->st.outpoint_vout = get_le32(outpoint + 32);
	return RC_OK;
}

static enum rc
fill_adopt(struct approve *a, struct err *e)
{
	struct receipt	 r;
	enum rc		 rc;

	if (a->o->standing == NULL)
		return err_set(e, "--standing FILE is needed");
	if (signer_read_number(&a->st.booked, "--booked", a->o->booked, e) !=
	    RC_OK || signer_read_receipts(&a->receipts, &a->n_receipts,
	    &a->o->standing, 1, e) != RC_OK)
		return RC_FAILED;
	if (a->n_receipts != 1)
		return err_set(e, "%s: not one receipt", a->o->standing);
	rc = receipt_unpack(&r, a->receipts, e);
	if (rc == RC_OK && r.purpose != RECEIPT_STANDING)
		rc = err_set(e, "%s: its purpose is `%s`", a->o->standing,
		    receipt_purpose_text(r.purpose));
	if (rc != RC_OK)
		return rc;
	a->st.number = r.seq;
	memcpy(a->st.hash, r.head, sizeof(a->st.hash));
	return RC_OK;
}

static enum rc
fill_settings(struct approve *a, struct err *e)
{
	struct sign_settings	 s;
	struct text		 v;
	char			 hex[65];

	if (a->o->n_args != 2)
		return err_set(e, "which settings?  a file");
	if (signer_read_settings(&s, a->o->args[1], e) != RC_OK)
		return RC_FAILED;
	sign_settings_hash(a->st.hash, &s);
	a->also[sign_settings_print(&s, a->also, sizeof(a->also) - 1)] = '\0';
	if (a->o->replaces != NULL)
		return signer_read_hex(a->st.replaces, 32, "--replaces",
		    a->o->replaces, e) != RC_OK ? RC_FAILED :
		    answers(a, "settings-sequence", e);
	if (ask_status(a, e) != RC_OK)
		return err_wrap(e, RC_FAILED, "--replaces is not given");
	v = signer_line_value(a->status, "settings");
	if (v.p == NULL || v.len != 64)
		return err_set(e, "the signer does not say its settings");
	(void)snprintf(hex, sizeof(hex), "%.*s", (int)v.len, v.p);
	if (signer_read_hex(a->st.replaces, 32, "settings", hex, e) != RC_OK)
		return RC_FAILED;
	return answers(a, "settings-sequence", e);
}

static enum rc
fill_epoch(struct approve *a, struct err *e)
{
	if (a->o->n_args != 2)
		return err_set(e, "which epoch?  a number");
	if (signer_read_number(&a->st.number, "the epoch", a->o->args[1], e)
	    != RC_OK)
		return RC_FAILED;
	return signer_read_hex(a->st.hash, 32, "--engine", a->o->engine, e);
}

/* The signer's own word of why it stopped, if it was asked. */
static enum rc
fill_resume(struct approve *a, struct err *e)
{
	struct text	 why;

	if (answers(a, "halt-sequence", e) != RC_OK)
		return RC_FAILED;
	why = signer_line_value(a->status, "halt-reason");
	if (a->status.p != NULL && why.p != NULL)
		(void)snprintf(a->also, sizeof(a->also), "The signer says "
		    "why it was halted: %.*s\n", (int)why.len, why.p);
	return RC_OK;
}

static enum rc
fill(struct approve *a, struct err *e)
{
	switch (a->st.purpose) {
	case SIGN_FOR_PAY:
		if (a->o->n_receipts == 0)
			return err_set(e, "--receipt FILE is needed");
		return signer_read_receipts(&a->receipts, &a->n_receipts,
		    a->o->receipts, a->o->n_receipts, e);
	case SIGN_FOR_FEE:
		return fill_fee(a, e);
	case SIGN_FOR_RESUME:
		return fill_resume(a, e);
	case SIGN_FOR_WRITE_OFF:
		return fill_write_off(a, e);
	case SIGN_FOR_EPOCH:
		return fill_epoch(a, e);
	case SIGN_FOR_ADOPT:
		return fill_adopt(a, e);
	case SIGN_FOR_REARM:
		return answers(a, "armed-sequence", e);
	case SIGN_FOR_SETTINGS:
		return fill_settings(a, e);
	}
	return err_set(e, "there is no such purpose");
}

/* Who, until when, and for which signer */

static enum rc
read_trust(struct approve *a, struct err *e)
{
	char	 deployment[64], network[16], key[80], end, *buf;
	size_t	 len;
	bool	 good;

	if (a->o->trust == NULL)
		return RC_OK;
	if (signer_read_file(&buf, &len, a->o->trust, 1024, e) != RC_OK)
		return RC_FAILED;
	good = sscanf(buf, TRUST " %63s %15s %79s %c", deployment, network,
	    key, &end) == 3 && signer_read_hex(a->engine, 32, "", key,
	    NULL) == RC_OK;
	free(buf);
	a->trusts = good;
	return good ? RC_OK : err_set(e, "%s: not what `drawbridge receipt "
	    "trust` writes", a->o->trust);
}

static enum rc
begin(struct approve *a, const struct signer_options *o, struct err *e)
{
	const char	*path = o->key;
	int64_t		 wait_ms = EXPIRES_MS;
	size_t		 i;

	a->o = o;
	for (i = 0; i < N_PURPOSES &&
	    strcmp(purposes[i].name, o->args[0]) != 0; i++)
		continue;
	if (i == N_PURPOSES)
		return err_set(e, "approve what?  pay, fee, resume, "
		    "write-off, epoch, adopt, rearm or settings");
	a->st.purpose = purposes[i].purpose;
	if (o->as == NULL || strlen(o->as) > 32)
		return err_set(e, "--as NAME is needed: as the signer's "
		    "settings have it");
	if (path == NULL)
		path = getenv("DRAWBRIDGE_OPERATOR_KEY");
	if (path == NULL)
		return err_set(e, "--key FILE is needed (or "
		    "DRAWBRIDGE_OPERATOR_KEY)");
	if (o->expires != NULL && (!day_wait(&wait_ms, o->expires) ||
	    wait_ms <= 0))
		return err_set(e, "--expires %s: hours or days, as 36h or 2d",
		    o->expires);
	if (signer_public_find(&a->public, o, e) != RC_OK ||
	    keyfile_load(&a->key, path, e) != RC_OK || read_trust(a, e) !=
	    RC_OK)
		return RC_FAILED;
	if (a->key.demo && a->public.network != NETWORK_REGTEST)
		return err_set(e, "%s: a key made for trying; %s takes none",
		    path, network_text((enum network)a->public.network));
	memcpy(a->st.deployment, a->public.deployment, 16);
	a->st.network = a->public.network;
	memcpy(a->st.signer, a->public.id, 16);
	a->st.by = text_of(o->as);
	a->st.expires_ms = signer_read_now_ms() + wait_ms;
	return RC_OK;
}

/* One approval: shown, agreed to, signed, printed. */

static enum rc
print_line(const struct approve *a, const char *base64, struct err *e)
{
	static struct json	 j;
	char			 id[ID_HEX] = "-", line[512];

	if (a->st.purpose == SIGN_FOR_PAY)
		hex_of_id(id, a->st.id);
	(void)snprintf(line, sizeof(line), LINE_HEAD " %s %s %s",
	    purpose_name(a->st.purpose), id, base64);
	if (!a->o->json) {
		(void)puts(line);
		return fflush(stdout) == 0 ? RC_OK : err_set(e,
		    "standard output");
	}
	json_to_file(&j, stdout, false);
	json_open_object(&j, NULL);
	json_put_text(&j, "purpose", purpose_name(a->st.purpose));
	if (a->st.id.p != NULL)
		json_put_bytes(&j, "id", a->st.id.p, a->st.id.len);
	json_put_bytes(&j, "by", a->st.by.p, a->st.by.len);
	json_put_int(&j, "expires", a->st.expires_ms);
	json_put_text(&j, "approval", line);
	return signer_read_json_end(&j) == STATUS_DONE ? RC_OK : err_set(e,
	    "standard output");
}

static enum rc
give(struct approve *a, const char *question, struct err *e)
{
	char			 text[SIGN_STATEMENT_MAX + 2];
	char			 line[APPROVAL_TEXT];
	unsigned char		 bytes[SIGN_APPROVAL_LEN];
	struct sign_approval	 p;
	size_t			 len = sign_statement_text(text, &a->st);

	text[len] = '\0';
	if (!a->o->yes) {
		signer_secret_say("\n");
		signer_secret_say(a->also);
		signer_secret_say("\n");
		signer_secret_say(text);
	}
	if (!signer_secret_agreed(a->o, question))
		return err_set(e, "not approved");
	p.by = a->st.by;
	p.expires_ms = a->st.expires_ms;
	sign_statement_sign(p.signature, &a->st, a->key.secret);
	sign_approval_pack(&p, bytes);
	(void)sodium_bin2base64(line, sizeof(line), bytes, sizeof(bytes),
	    sodium_base64_VARIANT_ORIGINAL);
	return print_line(a, line, e);
}

static enum rc
check_receipt(const struct approve *a, const struct receipt *r,
    const unsigned char *bytes, struct err *e)
{
	if (memcmp(r->deployment, a->st.deployment, 16) != 0 ||
	    r->network != a->st.network)
		return err_set(e, "a receipt of another deployment or "
		    "network");
	if (r->purpose != RECEIPT_PAY_OWN)
		return err_set(e, "its purpose is `%s`",
		    receipt_purpose_text(r->purpose));
	if (a->trusts && !receipt_verify(bytes, a->engine))
		return err_set(e, "not signed by the engine of %s",
		    a->o->trust);
	return RC_OK;
}

static enum rc
give_payments(struct approve *a, struct err *e)
{
	const unsigned char	*bytes;
	char			 address[ADDRESS_TEXT_MAX], question[512];
	char			 btc[AMOUNT_TEXT_MAX];
	struct receipt		 r;
	size_t			 i;

	for (i = 0; i < a->n_receipts; i++) {
		bytes = a->receipts + i * RECEIPT_LEN;
		if (receipt_unpack(&r, bytes, e) != RC_OK ||
		    check_receipt(a, &r, bytes, e) != RC_OK)
			return err_wrap(e, RC_FAILED, "receipt %zu", i + 1);
		if (!address_encode(address, (enum network)r.network,
		    (const unsigned char *)r.script.p, r.script.len))
			return err_set(e, "receipt %zu: its script has no "
			    "address", i + 1);
		a->st.id = r.id;
		a->st.script = r.script;
		a->st.amount_sat = r.amount_sat;
		a->st.fee_max_sat = r.fee_max_sat;
		(void)snprintf(question, sizeof(question),
		    "\n%s BTC to %s%s.  Approve?", amount_format_short(btc,
		    r.amount_sat), address, a->trusts ? "" :
		    "\n(its signature was not looked at: no --trust)");
		if (give(a, question, e) != RC_OK)
			return RC_FAILED;
	}
	return RC_OK;
}

int
signer_approve_run(const struct signer_options *o)
{
	static struct approve	 a;
	struct err		 e;
	enum rc			 rc;

	rc = begin(&a, o, &e);
	if (rc == RC_OK)
		rc = fill(&a, &e);
	if (rc == RC_OK)
		rc = a.st.purpose == SIGN_FOR_PAY ? give_payments(&a, &e) :
		    give(&a, "\nApprove?", &e);
	signer_line_close(&a.line);
	free(a.receipts);
	keyfile_wipe(&a.key);
	return rc == RC_OK ? STATUS_DONE : signer_read_failed(o, &e);
}
