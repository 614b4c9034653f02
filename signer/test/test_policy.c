/*
 * Every case of tests/vectors/psbt-policy.json through the whole signer: a
 * truth is signed, with the fee that the case states, and a lie refused for
 * its reason.
 */
#define _GNU_SOURCE
#include "signer/test/rig.h"

#include "bitcoin/test/vectors.h"
#include "signer/keys_inner.h"

#define VECTORS	"tests/vectors/psbt-policy.json"

static struct rig r;
static struct rig_tx t;

static const struct {
	const char	*lie;
	enum sign_refusal why;
} lies[] = {
	{ "no-utxo", SIGN_REFUSE_AMOUNT_UNPROVED },
	{ "nonwitness-txid", SIGN_REFUSE_AMOUNT_UNPROVED },
	{ "witness-amount", SIGN_REFUSE_AMOUNT_UNPROVED },
	{ "sighash-none", SIGN_REFUSE_SIGHASH },
	{ "duplicate-key", SIGN_REFUSE_MALFORMED },
	{ "trailing-bytes", SIGN_REFUSE_MALFORMED },
	{ "change-far-index", SIGN_REFUSE_OUTPUT_UNKNOWN },
	{ "change-wrong-key", SIGN_REFUSE_OUTPUT_UNKNOWN },
	{ "change-foreign-fingerprint", SIGN_REFUSE_OUTPUT_UNKNOWN },
};

static enum sign_refusal
reason_of(const char *lie)
{
	size_t	 i;

	if (lie[0] == '\0')
		return SIGN_REFUSE_NONE;
	for (i = 0; i < sizeof(lies) / sizeof(lies[0]); i++)
		if (strcmp(lies[i].lie, lie) == 0)
			return lies[i].why;
	CHECK(!"a lie that this test does not know");
	return SIGN_REFUSE__COUNT;
}

/* The signer gets the case's keys; its journal stays its own. */
static void
take_keys(json_t *c)
{
	const char	*text = vectors_text(c, "master_tprv");
	struct bip32_key master;

	RIG_MUST(bip32_parse(&master, text, strlen(text), &rig_e));
	keys_wipe(&r.s->keys);
	RIG_MUST(keys_of_master(&r.s->keys, &master, &r.s->settings,
	    &rig_e));
}

/* Receipts for all that is not said to be change; the change's sum. */
static int64_t
make_receipts(json_t *c, const char *of)
{
	json_t		*outs = json_object_get(c, "outputs"), *o;
	unsigned char	 script[ADDRESS_SCRIPT_MAX];
	static char	 id[64];
	struct receipt	 rc;
	int64_t		 change = 0, sat;
	size_t		 i, len;

	t.n_receipts = 0;
	json_array_foreach(outs, i, o) {
		sat = json_integer_value(json_object_get(o, "amount"));
		if (json_is_true(json_object_get(o, "change_claimed"))) {
			change += sat;
			continue;
		}
		len = vectors_hex(script, sizeof(script),
		    vectors_text(o, "script_pubkey"));
		(void)snprintf(id, sizeof(id), "%.40s-%zu", of, i);
		rig_release(&r, &rc, id, script, len, sat);
		rig_receipt_sign(&r, &rc, t.receipts[t.n_receipts++]);
	}
	return change;
}

static enum sign_refusal
send_case(json_t *c)
{
	static unsigned char bytes[65536];
	const char	*text = vectors_text(c, "psbt");
	unsigned char	 standing[RECEIPT_LEN];
	struct sign_message m;
	size_t		 len = 0;

	CHECK(sodium_base642bin(bytes, sizeof(bytes), text, strlen(text),
	    NULL, &len, NULL, sodium_base64_VARIANT_ORIGINAL) == 0);
	rig_standing(&r, standing);
	sign_message_clear(&m, SIGN_PAY, 1);
	signer_head(r.s, r.known);
	m.known.p = (const char *)r.known;
	m.known.len = sizeof(r.known);
	m.standing.p = (const char *)standing;
	m.standing.len = sizeof(standing);
	m.psbt.p = (const char *)bytes;
	m.psbt.len = len;
	m.receipts.p = (const char *)t.receipts;
	m.receipts.len = t.n_receipts * RECEIPT_LEN;
	return rig_ask(&r, &m, false);
}

static enum rc
take_record(void *arg, const struct record *rec, struct err *e)
{
	struct record	*out = arg;

	(void)e;
	*out = *rec;
	return RC_OK;
}

/* What was signed is what the case says. */
static void
check_truth(json_t *c, int64_t change, int64_t before)
{
	json_t		*hashes = json_object_get(c, "sighash_all");
	int64_t		 in = json_integer_value(json_object_get(c,
			    "inputs_total"));
	struct psbt	*p = NULL;
	struct record	 rec;
	struct curve_point point;
	unsigned char	 hash[32], txid[32];
	struct text	 sig;
	size_t		 i;

	RIG_MUST(psbt_parse(&p, (const unsigned char *)r.answer.psbt.p,
	    r.answer.psbt.len, &rig_e));
	CHECK_INT(p->tx.n_in, json_array_size(hashes));
	for (i = 0; i < p->tx.n_in; i++) {
		(void)vectors_hex(hash, 32,
		    json_string_value(json_array_get(hashes, i)));
		if (!CHECK(p->in[i].n_sigs == 1) ||
		    !CHECK(curve_point_parse(&point, (const unsigned char *)
		    p->in[i].sigs[0].key.p, 33)))
			continue;
		sig = p->in[i].sigs[0].sig;
		sig.len--;
		CHECK(curve_ecdsa_verify(sig, hash, &point));
	}
	tx_txid(&p->tx, txid);
	CHECK(hash_of_text(hash, vectors_text(c, "unsigned_txid"), 64));
	CHECK(memcmp(hash, txid, 32) == 0);
	psbt_free(&p);
	CHECK(rig_finishes(&r));
	RIG_MUST(journal_walk(r.s->journal, journal_seq(r.s->journal) - 1,
	    take_record, &rec, &rig_e));
	CHECK_INT(rec.kind, RECORD_SIGNED);
	CHECK_INT(rec.fee_sat, json_integer_value(json_object_get(c, "fee")));
	CHECK_INT(rec.cost_sat, in - change);
	CHECK_INT(r.s->windows.short_sat - before, in - change);
}

static void
run_case(json_t *c)
{
	static char	 name[128];
	const char	*lie = vectors_text(c, "lie");
	enum sign_refusal want = reason_of(lie);
	uint64_t	 seq;
	int64_t		 change, before;

	(void)snprintf(name, sizeof(name), "%s: %s", vectors_text(c, "id"),
	    lie[0] == '\0' ? "signed" : lie);
	check_case(name);
	take_keys(c);
	change = make_receipts(c, vectors_text(c, "id"));
	before = r.s->windows.short_sat;
	seq = journal_seq(r.s->journal);
	rig_expect(&r, send_case(c), want, "as it should be", __FILE__,
	    __LINE__);
	if (want == SIGN_REFUSE_NONE)
		check_truth(c, change, before);
	else
		CHECK_INT(journal_seq(r.s->journal), seq);
	CHECK((r.answer.psbt.p != NULL) == (want == SIGN_REFUSE_NONE));
}

int
main(void)
{
	json_t	*cases = vectors_read(VECTORS), *c;
	size_t	 i;

	check_case("the cases are there");
	CHECK_INT(json_array_size(cases), 60);
	rig_begin(&r, SIGN_WPKH);
	r.set.approve_above_sat = 50 * SAT_PER_BTC;
	rig_found(&r);
	json_array_foreach(cases, i, c)
		run_case(c);
	rig_end(&r);
	return check_done();
}
