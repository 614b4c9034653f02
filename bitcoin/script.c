#include "bitcoin/script.h"

#include <string.h>

#include "bitcoin/cursor.h"
#include "bitcoin/tx.h"

#define WITNESS_LEN_MIN	2
#define WITNESS_LEN_MAX	40

/* OP_0, OP_1 to OP_16. */
static unsigned char
small_number(unsigned n)
{
	return (unsigned char)(n == 0 ? OP_0 : OP_1 + n - 1);
}

size_t
script_p2pkh(unsigned char *out, const unsigned char hash[20])
{
	out[0] = OP_DUP;
	out[1] = OP_HASH160;
	out[2] = HASH160_LEN;
	memcpy(out + 3, hash, HASH160_LEN);
	out[23] = OP_EQUALVERIFY;
	out[24] = OP_CHECKSIG;
	return 25;
}

size_t
script_p2sh(unsigned char *out, const unsigned char hash[20])
{
	out[0] = OP_HASH160;
	out[1] = HASH160_LEN;
	memcpy(out + 2, hash, HASH160_LEN);
	out[22] = OP_EQUAL;
	return 23;
}

static size_t
witness_script(unsigned char *out, unsigned version,
    const unsigned char *program, size_t len)
{
	out[0] = small_number(version);
	out[1] = (unsigned char)len;
	memcpy(out + 2, program, len);
	return 2 + len;
}

size_t
script_p2wpkh(unsigned char *out, const unsigned char hash[20])
{
	return witness_script(out, 0, hash, HASH160_LEN);
}

size_t
script_p2wsh(unsigned char *out, const unsigned char hash[32])
{
	return witness_script(out, 0, hash, SHA256_LEN);
}

size_t
script_p2tr(unsigned char *out, const unsigned char key[32])
{
	return witness_script(out, 1, key, XONLY_LEN);
}

size_t
script_multisig(unsigned char *out, unsigned m,
    const unsigned char keys[][PUBLIC_KEY_LEN], unsigned n)
{
	unsigned char	*p = out;
	unsigned	 i;

	if (m < 1 || m > n || n > MULTISIG_MAX)
		return 0;
	*p++ = small_number(m);
	for (i = 0; i < n; i++) {
		*p++ = PUBLIC_KEY_LEN;
		memcpy(p, keys[i], PUBLIC_KEY_LEN);
		p += PUBLIC_KEY_LEN;
	}
	*p++ = small_number(n);
	*p++ = OP_CHECKMULTISIG;
	return (size_t)(p - out);
}

void
script_sort_keys(unsigned char keys[][PUBLIC_KEY_LEN], unsigned n)
{
	unsigned char	 key[PUBLIC_KEY_LEN];
	unsigned	 i, j;

	for (i = 1; i < n; i++) {
		memcpy(key, keys[i], PUBLIC_KEY_LEN);
		for (j = i; j > 0 &&
		    memcmp(keys[j - 1], key, PUBLIC_KEY_LEN) > 0; j--)
			memcpy(keys[j], keys[j - 1], PUBLIC_KEY_LEN);
		memcpy(keys[j], key, PUBLIC_KEY_LEN);
	}
}

bool
script_next(unsigned *op, struct text *data, struct text *rest)
{
	struct cursor	 c = cursor_of_text(*rest);
	struct text	 none = { NULL, 0 };

	if (rest->len == 0)
		return false;
	*op = cursor_byte(&c);
	*data = none;
	if (*op < OP_PUSHDATA1)
		*data = cursor_bytes(&c, *op);
	else if (*op <= OP_PUSHDATA4)
		*data = cursor_bytes(&c,
		    cursor_le(&c, 1u << (*op - OP_PUSHDATA1)));
	if (c.bad)
		return false;
	rest->len = cursor_left(&c);
	rest->p = (const char *)c.p;
	return true;
}

bool
script_is_multisig(struct multisig *out, struct text script)
{
	const unsigned char *s = (const unsigned char *)script.p;
	unsigned	 i;

	if (script.len < 3 + 1 + PUBLIC_KEY_LEN ||
	    script.len > MULTISIG_SCRIPT_MAX ||
	    (script.len - 3) % (1 + PUBLIC_KEY_LEN) != 0)
		return false;
	out->n = (unsigned)((script.len - 3) / (1 + PUBLIC_KEY_LEN));
	out->m = (unsigned)s[0] - OP_1 + 1;
	if (s[0] < OP_1 || out->m > out->n ||
	    s[script.len - 2] != small_number(out->n) ||
	    s[script.len - 1] != OP_CHECKMULTISIG)
		return false;
	for (i = 0; i < out->n; i++) {
		const unsigned char *push = s + 1 + i * (1 + PUBLIC_KEY_LEN);

		if (push[0] != PUBLIC_KEY_LEN || (push[1] & ~1u) != 0x02)
			return false;
		out->keys[i] = push + 1;
	}
	return true;
}

bool
script_is_witness(unsigned *version, struct text *program,
    struct text script)
{
	const unsigned char *s = (const unsigned char *)script.p;

	if (script.len < 2 + WITNESS_LEN_MIN ||
	    script.len > 2 + WITNESS_LEN_MAX || s[1] != script.len - 2 ||
	    (s[0] != OP_0 && (s[0] < OP_1 || s[0] > OP_16)))
		return false;
	*version = s[0] == OP_0 ? 0 : (unsigned)s[0] - OP_1 + 1;
	program->p = script.p + 2;
	program->len = script.len - 2;
	return true;
}

/* Bytes that spending costs: outpoint, length of the script, sequence; and
 * a signature and key, which count a quarter as a witness. */
#define SPEND_BYTES	(32 + 4 + 1 + 107 + 4)
#define SPEND_VBYTES	(32 + 4 + 1 + 107 / 4 + 4)
#define DUST_SAT_PER_VB	3

int64_t
script_dust_sat(struct text script)
{
	size_t		 size = 8 + script.len;
	unsigned	 version;
	struct text	 program;

	/* Nobody can spend it, so it need not be worth spending. */
	if (script.len > SCRIPT_MAX || (script.len > 0 &&
	    (unsigned char)script.p[0] == OP_RETURN))
		return 0;
	size += compact_len(script.len);
	size += script_is_witness(&version, &program, script) ?
	    SPEND_VBYTES : SPEND_BYTES;
	return (int64_t)size * DUST_SAT_PER_VB;
}
