/*
 * Why not: a word for programs, a sentence for people.
 */
#include "wire/sign.h"

struct sign_refusal_def {
	const char	*word;
	const char	*meaning;
};

static const struct sign_refusal_def sign_refusals[SIGN_REFUSE__COUNT] = {
	[SIGN_REFUSE_NONE] = { "none",
	    "nothing was refused" },
	[SIGN_REFUSE_MALFORMED] = { "malformed",
	    "the frame, a field of it or the PSBT is not well formed" },
	[SIGN_REFUSE_PERMISSION] = { "permission",
	    "only the custodian's own socket on the signer's host may ask "
	    "for that" },
	[SIGN_REFUSE_LOCKED] = { "locked",
	    "the seed is sealed: `signer unlock` with its passphrase first" },
	[SIGN_REFUSE_PASSPHRASE] = { "passphrase",
	    "the seed does not open with that passphrase" },
	[SIGN_REFUSE_HALTED] = { "halted",
	    "the signer was stopped, and a quorum has not resumed it" },
	[SIGN_REFUSE_UNARMED] = { "unarmed",
	    "the long window ended: a custodian must re-arm the signer" },
	[SIGN_REFUSE_BEHIND] = { "behind",
	    "the signer's journal is older than what it said once: "
	    "somebody put an old copy back" },
	[SIGN_REFUSE_FORKED] = { "forked",
	    "the signer said another thing at the same place of its "
	    "journal: there are two of it" },
	[SIGN_REFUSE_STORE] = { "store",
	    "the signer's journal cannot be written" },
	[SIGN_REFUSE_TOO_MANY] = { "too-many",
	    "more inputs or outputs than one transaction may have" },
	[SIGN_REFUSE_INPUT_TWICE] = { "input-twice",
	    "a coin is spent twice in one transaction" },
	[SIGN_REFUSE_INPUT_FOREIGN] = { "input-foreign",
	    "an input is not of the signer's own keys" },
	[SIGN_REFUSE_INPUT_INDEX] = { "input-index",
	    "an input's key lies beyond what the wallet looks at" },
	[SIGN_REFUSE_AMOUNT_UNPROVED] = { "amount-unproved",
	    "nothing proves what an input is worth" },
	[SIGN_REFUSE_SIGHASH] = { "sighash",
	    "another signature hash is asked for than one over everything" },
	[SIGN_REFUSE_SEQUENCE] = { "sequence",
	    "an input has the sequence ffffffff, which switches the "
	    "locktime off" },
	[SIGN_REFUSE_LOCKTIME] = { "locktime",
	    "the locktime is no height, or none where one must be" },
	[SIGN_REFUSE_HEIGHT] = { "height",
	    "the locktime is ahead of the height that can be reached by "
	    "now" },
	[SIGN_REFUSE_TX_VERSION] = { "tx-version",
	    "a transaction of a version that is not standard" },
	[SIGN_REFUSE_OUTPUT_UNKNOWN] = { "output-unknown",
	    "an output has no receipt and is not the wallet's own" },
	[SIGN_REFUSE_OUTPUT_DUST] = { "output-dust",
	    "an output is too small to be relayed" },
	[SIGN_REFUSE_CHANGE_BRANCH] = { "change-branch",
	    "change goes to an address that is for deposits" },
	[SIGN_REFUSE_CHANGE_INDEX] = { "change-index",
	    "change goes to an index that the wallet would not look at" },
	[SIGN_REFUSE_CHANGE_MANY] = { "change-many",
	    "more change outputs than the settings allow" },
	[SIGN_REFUSE_RECEIPT_UNUSED] = { "receipt-unused",
	    "a receipt has no output of its script and amount" },
	[SIGN_REFUSE_RECEIPT_BAD] = { "receipt-bad",
	    "a receipt is not well formed, or not signed by the engine" },
	[SIGN_REFUSE_RECEIPT_PURPOSE] = { "receipt-purpose",
	    "a receipt is meant for something else" },
	[SIGN_REFUSE_RECEIPT_FOREIGN] = { "receipt-foreign",
	    "a receipt is of another deployment or network" },
	[SIGN_REFUSE_RECEIPT_EPOCH] = { "receipt-epoch",
	    "a receipt is of another epoch than the engine's that leads" },
	[SIGN_REFUSE_RECEIPT_EXPIRED] = { "receipt-expired",
	    "a receipt expired before its first signature" },
	[SIGN_REFUSE_RECEIPT_TWICE] = { "receipt-twice",
	    "one withdrawal has two receipts, or a receipt stands for two "
	    "outputs" },
	[SIGN_REFUSE_RECEIPT_AHEAD] = { "receipt-ahead",
	    "the engine's sequence jumps further than can be true" },
	[SIGN_REFUSE_ENGINE_BACK] = { "engine-back",
	    "the engine's journal went back: it must book what was "
	    "signed, and be adopted" },
	[SIGN_REFUSE_ID_CHANGED] = { "id-changed",
	    "the withdrawal had another script or amount before" },
	[SIGN_REFUSE_ID_BURNED] = { "id-burned",
	    "the withdrawal was given up: it is never to be signed" },
	[SIGN_REFUSE_ID_FLOOR] = { "id-floor",
	    "the withdrawal is at or below the floor of a recovery: it "
	    "may have been paid" },
	[SIGN_REFUSE_ID_SIGNED] = { "id-signed",
	    "too late to give it up: the withdrawal was signed" },
	[SIGN_REFUSE_NO_CONFLICT] = { "no-conflict",
	    "it could confirm beside an earlier transaction that pays the "
	    "same withdrawal" },
	[SIGN_REFUSE_TX_CHANGED] = { "tx-changed",
	    "the same transaction was signed with other amounts" },
	[SIGN_REFUSE_FEE] = { "fee",
	    "the fee is above its ceiling" },
	[SIGN_REFUSE_FEE_RATE] = { "fee-rate",
	    "the fee rate is above its ceiling" },
	[SIGN_REFUSE_CEILING_TX] = { "ceiling-tx",
	    "more leaves the wallet than one transaction may take" },
	[SIGN_REFUSE_CEILING_SHORT] = { "ceiling-short",
	    "more would leave the wallet than the short window allows" },
	[SIGN_REFUSE_CEILING_LONG] = { "ceiling-long",
	    "more would leave the wallet than the long window allows" },
	[SIGN_REFUSE_APPROVALS] = { "approvals",
	    "fewer operators approved than must" },
	[SIGN_REFUSE_APPROVAL_BAD] = { "approval-bad",
	    "an approval is of nobody who may, expired, wrong, or there "
	    "twice" },
	[SIGN_REFUSE_EPOCH] = { "epoch",
	    "not the next epoch, or not for this engine" },
	[SIGN_REFUSE_SETTINGS] = { "settings",
	    "these settings cannot follow the ones in force" },
	[SIGN_REFUSE_FAILED] = { "failed",
	    "something failed in the signer itself" },
};

const char *
sign_refusal_text(enum sign_refusal r)
{
	return r < SIGN_REFUSE__COUNT ? sign_refusals[r].word : "unknown";
}

const char *
sign_refusal_meaning(enum sign_refusal r)
{
	return r < SIGN_REFUSE__COUNT ? sign_refusals[r].meaning :
	    "a refusal of a number that is not known";
}
