#include "bitcoin/address.h"

#include <assert.h>
#include <string.h>

#include "bitcoin/base58.h"
#include "bitcoin/bech32.h"
#include "bitcoin/script.h"

#define WITNESS_LEN_MIN	2
#define WITNESS_LEN_MAX	40
#define WITNESS_VERSION_MAX 16

/* How each network spells; source: bitcoind's chainparams. */
static const struct spelling {
	const char	*name;
	const char	*shown;		/* in errors */
	const char	*hrp;
	uint8_t		 p2pkh;
	uint8_t		 p2sh;
} spellings[] = {
	[NETWORK_MAIN] = { "main", "the main network", "bc", 0x00, 0x05 },
	[NETWORK_TEST] = { "test", "testnet", "tb", 0x6f, 0xc4 },
	[NETWORK_SIGNET] = { "signet", "signet", "tb", 0x6f, 0xc4 },
	[NETWORK_REGTEST] = { "regtest", "regtest", "bcrt", 0x6f, 0xc4 },
};
#define NETWORKS (sizeof(spellings) / sizeof(spellings[0]))

/* Versions of private keys in Base58Check: main, and all others. */
#define WIF_MAIN	0x80
#define WIF_TEST	0xef

const char *
network_text(enum network net)
{
	return spellings[net].name;
}

bool
network_of(enum network *out, const char *text, size_t len)
{
	size_t	 i;

	for (i = 0; i < NETWORKS; i++) {
		if (strlen(spellings[i].name) == len &&
		    memcmp(spellings[i].name, text, len) == 0) {
			*out = (enum network)i;
			return true;
		}
	}
	return false;
}

const char *
address_form_text(enum address_form form)
{
	switch (form) {
	case ADDRESS_P2PKH:
		return "p2pkh";
	case ADDRESS_P2SH:
		return "p2sh";
	case ADDRESS_P2WPKH:
		return "p2wpkh";
	case ADDRESS_P2WSH:
		return "p2wsh";
	case ADDRESS_P2TR:
		return "p2tr";
	case ADDRESS_OTHER_WITNESS:
		return "other";
	}
	assert(!"an address form");
	return "";
}

/* Name the network that a version byte belongs to. */
static enum rc
wrong_version(enum network net, unsigned version, struct err *e)
{
	if (version == WIF_MAIN || version == WIF_TEST)
		return err_set(e, "this is a private key, not an address");
	if (version == spellings[NETWORK_MAIN].p2pkh ||
	    version == spellings[NETWORK_MAIN].p2sh)
		return err_set(e, "an address of the main network, not of %s",
		    spellings[net].shown);
	if (version == spellings[NETWORK_TEST].p2pkh ||
	    version == spellings[NETWORK_TEST].p2sh)
		return err_set(e, "an address of testnet, signet or regtest, "
		    "not of %s", spellings[net].shown);
	return err_set(e, "version %u is not of a bitcoin address", version);
}

static enum rc
parse_base58(struct address *out, enum network net, const char *text,
    size_t len, struct err *e)
{
	unsigned char	 bytes[BASE58_BYTES_MAX];
	size_t		 n;

	if (base58_decode_check(bytes, &n, text, len, e) != RC_OK)
		return RC_FAILED;
	if (n == 1 + HASH160_LEN && bytes[0] == spellings[net].p2pkh) {
		out->len = (uint8_t)script_p2pkh(out->script, bytes + 1);
		out->form = ADDRESS_P2PKH;
		return RC_OK;
	}
	if (n == 1 + HASH160_LEN && bytes[0] == spellings[net].p2sh) {
		out->len = (uint8_t)script_p2sh(out->script, bytes + 1);
		out->form = ADDRESS_P2SH;
		return RC_OK;
	}
	if (n != 1 + HASH160_LEN && (n == 0 || (bytes[0] != WIF_MAIN &&
	    bytes[0] != WIF_TEST)))
		return err_set(e, "the length is wrong: %zu bytes, not %d", n,
		    1 + HASH160_LEN);
	return wrong_version(net, bytes[0], e);
}

/* Is this the human-readable part of that network, in any case? */
static bool
is_hrp(const char *hrp, const char *text, size_t len)
{
	size_t	 i;

	for (i = 0; hrp[i] != '\0'; i++)
		if (i >= len || (text[i] | 0x20) != hrp[i])
			return false;
	return i < len && text[i] == '1';
}

static enum rc
wrong_hrp(enum network net, const struct bech32 *b, struct err *e)
{
	if (b->hrp_len == 2 && memcmp(b->hrp, "tb", 2) == 0)
		return err_set(e, "an address of testnet or signet, not of "
		    "%s", spellings[net].shown);
	if (b->hrp_len == 2 && memcmp(b->hrp, "bc", 2) == 0)
		return err_set(e, "an address of the main network, not of %s",
		    spellings[net].shown);
	if (b->hrp_len == 4 && memcmp(b->hrp, "bcrt", 4) == 0)
		return err_set(e, "an address of regtest, not of %s",
		    spellings[net].shown);
	return err_set(e, "its prefix is not of a bitcoin network");
}

static enum address_form
witness_form(unsigned version, size_t program_len)
{
	if (version == 0)
		return program_len == 20 ? ADDRESS_P2WPKH : ADDRESS_P2WSH;
	return version == 1 && program_len == 32 ? ADDRESS_P2TR :
	    ADDRESS_OTHER_WITNESS;
}

static enum rc
script_witness(struct address *out, const struct bech32 *b, struct err *e)
{
	unsigned	 version = b->values[0];
	size_t		 n;

	if (version > WITNESS_VERSION_MAX)
		return err_set(e, "witness version %u; the last is %d",
		    version, WITNESS_VERSION_MAX);
	if (b->len - 1 > (WITNESS_LEN_MAX * 8 + 4) / 5)
		return err_set(e, "the length is wrong: more than %d bytes",
		    WITNESS_LEN_MAX);
	if (bech32_to_bytes(out->script + 2, &n, b->values + 1, b->len - 1,
	    e) != RC_OK)
		return RC_FAILED;
	if (n < WITNESS_LEN_MIN || (version == 0 && n != 20 && n != 32))
		return err_set(e, "the length is wrong: %zu bytes of witness "
		    "version %u", n, version);
	if (version == 0 && b->spec != BECH32)
		return err_set(e, "the checksum is bech32m's, but witness "
		    "version 0 has bech32's");
	if (version > 0 && b->spec != BECH32M)
		return err_set(e, "the checksum is bech32's, but witness "
		    "version %u has bech32m's", version);
	out->script[0] = version == 0 ? OP_0 :
	    (unsigned char)(OP_1 + version - 1);
	out->script[1] = (unsigned char)n;
	out->len = (uint8_t)(n + 2);
	out->form = witness_form(version, n);
	return RC_OK;
}

static enum rc
parse_bech32(struct address *out, enum network net, const char *text,
    size_t len, struct err *e)
{
	const char	*hrp = spellings[net].hrp;
	struct bech32	 b;

	if (bech32_decode(&b, text, len, e) != RC_OK)
		return RC_FAILED;
	if (b.hrp_len != strlen(hrp) || memcmp(b.hrp, hrp, b.hrp_len) != 0)
		return wrong_hrp(net, &b, e);
	if (b.len == 0)
		return err_set(e, "the length is wrong: nothing after the "
		    "prefix");
	return script_witness(out, &b, e);
}

enum rc
address_parse(struct address *out, enum network net, const char *text,
    size_t len, struct err *e)
{
	unsigned char	 bytes[BASE58_BYTES_MAX];
	struct bech32	 b;
	size_t		 i;

	if (len == 0)
		return err_set(e, "an address may not be empty");
	/* No Base58Check address of any network begins like these. */
	for (i = 0; i < NETWORKS; i++)
		if (is_hrp(spellings[i].hrp, text, len))
			return parse_bech32(out, net, text, len, e);
	if (text[0] == '1' || text[0] == '2' || text[0] == '3' ||
	    text[0] == 'm' || text[0] == 'n')
		return parse_base58(out, net, text, len, e);
	/* Not ours; say as well as we can what it is. */
	if (bech32_decode(&b, text, len, NULL) == RC_OK)
		return wrong_hrp(net, &b, e);
	if (base58_decode_check(bytes, &i, text, len, NULL) == RC_OK)
		return parse_base58(out, net, text, len, e);
	return err_set(e, "not a bitcoin address: it begins neither with 1, "
	    "2, 3, m or n nor with bc1, tb1 or bcrt1");
}

static bool
encode_witness(char *buf, enum network net, unsigned version,
    const unsigned char *program, size_t len)
{
	const char	*hrp = spellings[net].hrp;
	uint8_t		 values[1 + (WITNESS_LEN_MAX * 8 + 4) / 5];
	size_t		 n;

	values[0] = (uint8_t)version;
	n = bech32_from_bytes(values + 1, program, len);
	return bech32_encode(buf, version == 0 ? BECH32 : BECH32M, hrp,
	    strlen(hrp), values, n + 1) > 0;
}

static bool
encode_hash(char *buf, uint8_t version, const unsigned char *hash)
{
	unsigned char	 bytes[1 + HASH160_LEN];
	char		 text[BASE58_TEXT_MAX + 2];
	size_t		 n;

	bytes[0] = version;
	memcpy(bytes + 1, hash, HASH160_LEN);
	n = base58_encode_check(text, bytes, sizeof(bytes));
	assert(n < ADDRESS_TEXT_MAX);
	memcpy(buf, text, n + 1);
	return true;
}

static bool
is_p2pkh(const unsigned char *s, size_t len)
{
	return len == 25 && s[0] == OP_DUP && s[1] == OP_HASH160 &&
	    s[2] == HASH160_LEN && s[23] == OP_EQUALVERIFY &&
	    s[24] == OP_CHECKSIG;
}

static bool
is_p2sh(const unsigned char *s, size_t len)
{
	return len == 23 && s[0] == OP_HASH160 && s[1] == HASH160_LEN &&
	    s[22] == OP_EQUAL;
}

/* One that money can be sent to: version 0 knows two lengths. */
static bool
is_witness(unsigned *version_out, const unsigned char *s, size_t len)
{
	struct text	 script = { (const char *)s, len }, program;

	return script_is_witness(version_out, &program, script) &&
	    (*version_out > 0 || len == 22 || len == 34);
}

bool
address_form_of(enum address_form *out, const unsigned char *script,
    size_t len)
{
	unsigned	 version;

	if (is_p2pkh(script, len))
		*out = ADDRESS_P2PKH;
	else if (is_p2sh(script, len))
		*out = ADDRESS_P2SH;
	else if (is_witness(&version, script, len))
		*out = witness_form(version, len - 2);
	else
		return false;
	return true;
}

bool
address_encode(char *buf, enum network net, const unsigned char *s,
    size_t len)
{
	unsigned	 version;

	buf[0] = '\0';
	if (is_p2pkh(s, len))
		return encode_hash(buf, spellings[net].p2pkh, s + 3);
	if (is_p2sh(s, len))
		return encode_hash(buf, spellings[net].p2sh, s + 2);
	if (is_witness(&version, s, len))
		return encode_witness(buf, net, version, s + 2, len - 2);
	return false;
}
