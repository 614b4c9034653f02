/*
 * drawbridge signer external: what Bitcoin Core's -signer=COMMAND calls.
 *
 *	enumerate
 *	--fingerprint F --chain C getdescriptors --account 0
 *	--fingerprint F --chain C displayaddress --desc DESCRIPTOR
 *	--stdin --fingerprint F --chain C	and "signtx BASE64" on it
 *
 * The protocol carries the PSBT and nothing else (H8): receipts, and the
 * engine's standing, are loaded beforehand by `signer cosign` or by whoever
 * pays.  Without them only change and cold addresses are signed.
 */
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/signer.h"
#include "wire/receipt.h"

#define MODEL		"drawbridge"
#define INPUT_MAX	((size_t)32 << 20)

/* What Bitcoin Core reads of us: one JSON object, also when it failed. */
static int
say_error(const char *why)
{
	static struct json	 j;

	json_to_file(&j, stdout, false);
	json_open_object(&j, NULL);
	json_put_text(&j, "error", why);
	(void)signer_read_json_end(&j);
	(void)fprintf(stderr, "drawbridge signer external: %s\n", why);
	/* Bitcoin Core shows the reason only of a call that ended well. */
	return STATUS_DONE;
}

static enum rc
wallet(struct signer_public *p, struct descriptor d[2],
    const struct signer_options *o, struct err *e)
{
	if (signer_public_find(p, o, e) != RC_OK ||
	    descriptor_parse(&d[0], text_of(p->external), true, false, e) !=
	    RC_OK || descriptor_parse(&d[1], text_of(p->internal), true,
	    false, e) != RC_OK)
		return RC_FAILED;
	return d[0].keys[0].has_origin ? RC_OK : err_set(e, "the descriptor "
	    "has no key origin");
}

static int
enumerate(const struct signer_options *o)
{
	static struct signer_public	 p;
	static struct descriptor	 d[2];
	static struct json		 j;
	struct err			 e;

	if (wallet(&p, d, o, &e) != RC_OK)
		return say_error(e.text);
	json_to_file(&j, stdout, false);
	json_open_array(&j, NULL);
	json_open_object(&j, NULL);
	signer_read_put_hex(&j, "fingerprint", d[0].keys[0].origin, 4);
	json_put_text(&j, "model", MODEL);
	json_put_text(&j, "type", MODEL);
	json_close(&j);
	return signer_read_json_end(&j);
}

static int
get_descriptors(const struct signer_options *o)
{
	static struct signer_public	 p;
	static struct descriptor	 d[2];
	static struct json		 j;
	struct err			 e;

	if (wallet(&p, d, o, &e) != RC_OK)
		return say_error(e.text);
	if (o->chain != NULL && strcmp(o->chain, network_text((enum network)
	    p.network)) != 0)
		return say_error("this signer is of another network");
	json_to_file(&j, stdout, false);
	json_open_object(&j, NULL);
	json_open_array(&j, "receive");
	json_put_text(&j, NULL, p.external);
	json_close(&j);
	json_open_array(&j, "internal");
	json_put_text(&j, NULL, p.internal);
	json_close(&j);
	return signer_read_json_end(&j);
}

/* The branch and index that the asked descriptor's first key ends in: what
 * our own one gives there must be the same script. */
static enum rc
find_address(char address[ADDRESS_TEXT_MAX], const struct signer_public *p,
    const struct descriptor d[2], const char *desc, struct err *e)
{
	static struct descriptor	 asked;
	struct descriptor_output	 a, b;
	const struct descriptor_key	*k = &asked.keys[0];
	uint32_t			 branch, index;

	if (desc == NULL)
		return err_set(e, "--desc is needed");
	if (descriptor_parse(&asked, text_of(desc), false, false, e) != RC_OK
	    || descriptor_derive(&a, &asked, 0, 0, e) != RC_OK)
		return RC_FAILED;
	if (k->n_path >= 2) {
		branch = k->path[k->n_path - 2];
		index = k->path[k->n_path - 1];
	} else if (k->has_origin && k->n_origin >= 2) {
		branch = k->origin_path[k->n_origin - 2];
		index = k->origin_path[k->n_origin - 1];
	} else {
		return err_set(e, "no path in the descriptor");
	}
	if (branch > 1 || index >= BIP32_HARD || descriptor_is_range(&asked)
	    || descriptor_derive(&b, &d[branch], 0, index, e) != RC_OK ||
	    a.script_len != b.script_len || memcmp(a.script, b.script,
	    a.script_len) != 0)
		return err_set(e, "that is no address of this wallet");
	return address_encode(address, (enum network)p->network, b.script,
	    b.script_len) ? RC_OK : err_set(e, "no address");
}

static int
display_address(const struct signer_options *o)
{
	static struct signer_public	 p;
	static struct descriptor	 d[2];
	static struct json		 j;
	char				 address[ADDRESS_TEXT_MAX];
	struct err			 e;

	if (wallet(&p, d, o, &e) != RC_OK ||
	    find_address(address, &p, d, o->desc, &e) != RC_OK)
		return say_error(e.text);
	json_to_file(&j, stdout, false);
	json_open_object(&j, NULL);
	json_put_text(&j, "address", address);
	return signer_read_json_end(&j);
}

static enum rc
cosign(struct psbt **out, const struct psbt *p,
    const struct signer_options *o, struct err *e)
{
	unsigned char		*bytes = malloc(psbt_size(p));
	unsigned char		*standing = NULL;
	struct signer_line	*l = NULL;
	struct sign_message	 m, answer;
	size_t			 n = 0;
	enum rc			 rc = RC_OK;

	if (bytes == NULL)
		return err_set(e, "no memory");
	if (o->standing != NULL)
		rc = signer_read_receipts(&standing, &n, &o->standing, 1, e);
	sign_message_clear(&m, SIGN_COSIGN, 0);
	m.psbt.p = (const char *)bytes;
	m.psbt.len = psbt_write(p, bytes);
	if (n == 1) {
		m.standing.p = (const char *)standing;
		m.standing.len = RECEIPT_LEN;
	}
	if (rc == RC_OK)
		rc = signer_line_open(&l, o, false, e);
	if (rc == RC_OK)
		rc = signer_line_ask(l, &m, &answer, e);
	if (rc == RC_OK && answer.type == SIGN_REFUSED)
		rc = err_set(e, "refused, %s: %s (%.*s)",
		    sign_refusal_text(answer.refusal),
		    sign_refusal_meaning(answer.refusal),
		    (int)answer.reason.len, answer.reason.p != NULL ?
		    answer.reason.p : "");
	else if (rc == RC_OK)
		rc = psbt_parse(out, (const unsigned char *)answer.psbt.p,
		    answer.psbt.len, e);
	signer_line_close(&l);
	free(standing);
	free(bytes);
	return rc;
}

static enum rc
read_command(struct psbt **out, struct err *e)
{
	static const char	 word[] = "signtx ";
	struct text		 t;
	char			*buf;
	enum rc			 rc;

	if (signer_read_file(&buf, &t.len, "-", INPUT_MAX, e) != RC_OK)
		return RC_FAILED;
	t.p = buf;
	while (t.len > 0 && strchr(" \t\r\n\"", t.p[t.len - 1]) != NULL)
		t.len--;
	if (t.len < strlen(word) || memcmp(t.p, word, strlen(word)) != 0) {
		rc = err_set(e, "only `signtx` is understood");
	} else {
		t.p += strlen(word);
		t.len -= strlen(word);
		while (t.len > 0 && (*t.p == ' ' || *t.p == '"')) {
			t.p++;
			t.len--;
		}
		rc = psbt_of_base64(out, t, e);
	}
	free(buf);
	return rc;
}

static int
sign_tx(const struct signer_options *o)
{
	static struct json	 j;
	struct psbt		*p = NULL, *s = NULL;
	struct err		 e;
	char			*text = NULL;
	int			 status;

	if (read_command(&p, &e) != RC_OK || cosign(&s, p, o, &e) != RC_OK) {
		status = say_error(e.text);
	} else if ((text = psbt_base64(s)) == NULL) {
		status = say_error("no memory");
	} else {
		json_to_file(&j, stdout, false);
		json_open_object(&j, NULL);
		json_put_text(&j, "psbt", text);
		status = signer_read_json_end(&j);
	}
	free(text);
	psbt_free(&p);
	psbt_free(&s);
	return status;
}

int
signer_external_run(const struct signer_options *o)
{
	const char	*what = o->n_args > 0 ? o->args[0] : "";

	if (o->from_stdin && o->n_args == 0)
		return sign_tx(o);
	if (strcmp(what, "enumerate") == 0)
		return enumerate(o);
	if (strcmp(what, "getdescriptors") == 0)
		return get_descriptors(o);
	if (strcmp(what, "displayaddress") == 0)
		return display_address(o);
	return signer_read_usage();
}
