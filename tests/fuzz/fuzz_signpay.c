/*
 * A PSBT from whoever owns chain, to a whole signer.  The first byte says
 * which wallet it has (wpkh, tr, 2 of 3) and which of three receipts come
 * along.  What is signed must finish, be remembered, and be within the
 * ceilings.
 */
#define _GNU_SOURCE
#include "signer/test/rig.h"

#define RECEIPTS	3

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct rig rigs[3];
static unsigned char receipts[3][RECEIPTS][RECEIPT_LEN];

static void
begin(size_t w)
{
	static const enum sign_wallet wallets[] = { SIGN_WPKH, SIGN_TR,
		SIGN_WSH };
	static const char *const ids[] = { "w-0", "w-1", "w-2" };
	unsigned char	 script[ADDRESS_SCRIPT_MAX];
	struct receipt	 rc;
	size_t		 i, len;

	rig_new(&rigs[w], wallets[w]);
	for (i = 0; i < RECEIPTS; i++) {
		len = rig_stranger(script, i);
		rig_release(&rigs[w], &rc, ids[i], script, len,
		    (int64_t)(i + 1) * 1000000);
		rig_receipt_sign(&rigs[w], &rc, receipts[w][i]);
	}
}

static void
check_signed(struct rig *r)
{
	struct psbt	*p = NULL;
	unsigned char	 txid[32];

	if (psbt_parse(&p, (const unsigned char *)r->answer.psbt.p,
	    r->answer.psbt.len, &rig_e) != RC_OK)
		abort();
	tx_txid(&p->tx, txid);
	psbt_free(&p);
	if (memory_find_tx(r->s->memory, txid) == NULL ||
	    r->s->windows.short_sat > r->set.short_max_sat ||
	    r->s->windows.long_sat > r->set.long_max_sat)
		abort();
	/* Of a multisig one signature is missing. */
	if (r->set.wallet != SIGN_WSH && !rig_finishes(r))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned char	 sent[RECEIPTS * RECEIPT_LEN];
	unsigned char	 standing[RECEIPT_LEN];
	struct sign_message m;
	struct rig	*r;
	size_t		 w, i, n = 0;

	if (size < 1 || size > 65536)
		return 0;
	w = (data[0] & 3) % 3;
	r = &rigs[w];
	if (r->s == NULL)
		begin(w);
	for (i = 0; i < RECEIPTS; i++)
		if ((data[0] >> (2 + i) & 1) != 0)
			memcpy(sent + n++ * RECEIPT_LEN, receipts[w][i],
			    RECEIPT_LEN);
	rig_standing(r, standing);
	signer_head(r->s, r->known);
	sign_message_clear(&m, SIGN_PAY, 1);
	m.known.p = (const char *)r->known;
	m.known.len = SIGN_HEAD_LEN;
	m.standing.p = (const char *)standing;
	m.standing.len = RECEIPT_LEN;
	m.psbt.p = (const char *)data + 1;
	m.psbt.len = size - 1;
	m.receipts.p = (const char *)sent;
	m.receipts.len = n * RECEIPT_LEN;
	if (rig_ask(r, &m, false) == SIGN_REFUSE_NONE)
		check_signed(r);
	return 0;
}
