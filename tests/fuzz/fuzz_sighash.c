/*
 * Signature hashes of any transaction: the one before segwit is also made the
 * slow way, from a changed copy of the transaction; none reads beyond its
 * input.  The first bytes: which input, the type, how long the script is.
 */
#include <stdlib.h>
#include <string.h>

#include "bitcoin/hash.h"
#include "bitcoin/script.h"
#include "bitcoin/sighash.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define HEAD	7

static void
must(bool good)
{
	if (!good)
		abort();
}

/* Without its OP_CODESEPARATORs, byte by byte. */
static struct text
without(unsigned char *out, struct text script)
{
	struct text	 rest = script, data, t = { (char *)out, 0 };
	const char	*at = script.p;
	unsigned	 op;

	while (script_next(&op, &data, &rest)) {
		if (op != OP_CODESEPARATOR) {
			memcpy(out + t.len, at, (size_t)(rest.p - at));
			t.len += (size_t)(rest.p - at);
		}
		at = rest.p;
	}
	if (rest.len > 0)
		memcpy(out + t.len, rest.p, rest.len);
	t.len += rest.len;
	return t;
}

static void
legacy_slowly(unsigned char out[32], struct tx t, size_t in,
    struct text script, uint32_t type)
{
	unsigned char	*room = malloc(script.len + 1), *raw;
	struct tx_in	*ins = malloc(t.n_in * sizeof(*ins));
	struct tx_out	*outs = malloc((t.n_out + 1) * sizeof(*outs));
	unsigned	 base = type & 0x1f;
	size_t		 i, len;

	must(room != NULL && ins != NULL && outs != NULL);
	memcpy(ins, t.in, t.n_in * sizeof(*ins));
	memcpy(outs, t.out, t.n_out * sizeof(*outs));
	for (i = 0; i < t.n_in; i++) {
		ins[i].script_sig.len = 0;
		if (i == in)
			ins[i].script_sig = without(room, script);
		else if (base == SIGHASH_NONE || base == SIGHASH_SINGLE)
			ins[i].sequence = 0;
	}
	if (base == SIGHASH_NONE)
		t.n_out = 0;
	if (base == SIGHASH_SINGLE)
		t.n_out = in + 1;
	for (i = 0; base == SIGHASH_SINGLE && i < in; i++) {
		outs[i].amount_sat = -1;
		outs[i].script.len = 0;
	}
	t.in = ins;
	t.out = outs;
	if ((type & SIGHASH_ANYONECANPAY) != 0) {
		t.in += in;
		t.n_in = 1;
	}
	len = tx_size(&t, false);
	raw = malloc(len + 4);
	must(raw != NULL && tx_write(&t, false, raw) == len);
	for (i = 0; i < 4; i++)
		raw[len + i] = (unsigned char)(type >> 8 * i);
	hash256(out, raw, len + 4);
	free(raw);
	free(room);
	free(ins);
	free(outs);
}

static void
look_at(const struct tx *t, size_t in, uint32_t type, struct text script)
{
	struct tx_out	*spent = calloc(t->n_in, sizeof(*spent));
	unsigned char	 a[32], b[32];
	struct sighash	 s;
	size_t		 i;

	must(spent != NULL);
	for (i = 0; i < t->n_in; i++) {
		spent[i].amount_sat = (int64_t)i;
		spent[i].script = script;
	}
	sighash_begin(&s, t, spent);
	sighash_v0(a, &s, in, script, type);
	sighash_v0(b, &s, in, script, type);
	must(memcmp(a, b, 32) == 0);
	if (sighash_v1(a, &s, in, (uint8_t)type))
		must((type & 0x7c) == 0);
	if (sighash_legacy(a, t, in, script, type, NULL) == RC_OK) {
		legacy_slowly(b, *t, in, script, type);
		must(memcmp(a, b, 32) == 0);
	} else {
		must((type & 0x1f) == SIGHASH_SINGLE && in >= t->n_out);
	}
	free(spent);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct text	 script;
	struct tx	 t;
	uint32_t	 type;

	if (size < HEAD || size - HEAD < (size_t)(data[5] << 8 | data[6]))
		return 0;
	script.p = (const char *)data + HEAD;
	script.len = (size_t)(data[5] << 8 | data[6]);
	if (tx_parse(&t, data + HEAD + script.len, size - HEAD - script.len,
	    NULL) != RC_OK)
		return 0;
	type = (uint32_t)data[1] | (uint32_t)data[2] << 8 |
	    (uint32_t)data[3] << 16 | (uint32_t)data[4] << 24;
	look_at(&t, data[0] % t.n_in, type, script);
	tx_free(&t);
	return 0;
}
