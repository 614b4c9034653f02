/*
 * Scripts from outside: what is recognised as a form must be that form made
 * anew, and what is walked must be the script, operation by operation.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bitcoin/script.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_multisig(struct text script)
{
	unsigned char	 keys[MULTISIG_MAX][PUBLIC_KEY_LEN];
	unsigned char	 again[MULTISIG_SCRIPT_MAX];
	struct multisig	 ms;
	unsigned	 i;

	if (!script_is_multisig(&ms, script))
		return;
	for (i = 0; i < ms.n; i++)
		memcpy(keys[i], ms.keys[i], PUBLIC_KEY_LEN);
	if (script_multisig(again, ms.m, (const void *)keys, ms.n) !=
	    script.len || memcmp(again, script.p, script.len) != 0)
		abort();
	script_sort_keys(keys, ms.n);
	for (i = 1; i < ms.n; i++)
		if (memcmp(keys[i - 1], keys[i], PUBLIC_KEY_LEN) > 0)
			abort();
}

static void
check_form(struct text script)
{
	const unsigned char *s = (const unsigned char *)script.p;
	unsigned char	 again[ADDRESS_SCRIPT_MAX];
	char		 text[ADDRESS_TEXT_MAX];
	enum address_form form;
	struct text	 program;
	unsigned	 version;
	size_t		 n = 0;

	if (!address_form_of(&form, s, script.len)) {
		if (address_encode(text, NETWORK_MAIN, s, script.len))
			abort();
		return;
	}
	switch (form) {
	case ADDRESS_P2PKH:
		n = script_p2pkh(again, s + 3);
		break;
	case ADDRESS_P2SH:
		n = script_p2sh(again, s + 2);
		break;
	case ADDRESS_P2WPKH:
		n = script_p2wpkh(again, s + 2);
		break;
	case ADDRESS_P2WSH:
		n = script_p2wsh(again, s + 2);
		break;
	case ADDRESS_P2TR:
		n = script_p2tr(again, s + 2);
		break;
	case ADDRESS_OTHER_WITNESS:
		if (!script_is_witness(&version, &program, script) ||
		    version == 0 || program.len != script.len - 2)
			abort();
		return;
	}
	if (n != script.len || memcmp(again, s, n) != 0)
		abort();
}

static void
check_walk(struct text script)
{
	struct text	 rest = script, data;
	unsigned	 op = 0;
	size_t		 before, took;

	for (;;) {
		before = rest.len;
		if (!script_next(&op, &data, &rest))
			break;
		took = before - rest.len;
		if (took == 0 || took > before ||
		    rest.p != script.p + (script.len - rest.len))
			abort();
		if (op > OP_PUSHDATA4 ? took != 1 || data.p != NULL :
		    data.p + data.len != rest.p)
			abort();
	}
	/* Only a push can be cut short. */
	if (rest.len > 0 && (unsigned char)rest.p[0] > OP_PUSHDATA4)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct text	 script = { (const char *)data, size };

	check_multisig(script);
	check_form(script);
	check_walk(script);
	if (script_dust_sat(script) < 0)
		abort();
	return 0;
}
