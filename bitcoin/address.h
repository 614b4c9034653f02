/*
 * Addresses: a text that a customer types, and the script it means.
 *
 * Money goes to scripts, not to texts: two texts of one script are one
 * destination, and everything that compares, lists or counts destinations
 * compares scripts.  The only spellings taken are Base58Check of P2PKH and
 * P2SH, Bech32 of witness version 0 (BIP173) and Bech32m of versions 1 to 16
 * (BIP350).
 */
#ifndef BITCOIN_ADDRESS_H
#define BITCOIN_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"

enum network {
	NETWORK_MAIN,
	NETWORK_TEST,		/* testnet 3 and 4 are spelled alike, */
	NETWORK_SIGNET,		/* and signet like them */
	NETWORK_REGTEST,
};

/* In the order of engine/engine.h's enum form. */
enum address_form {
	ADDRESS_P2PKH,
	ADDRESS_P2SH,
	ADDRESS_P2WPKH,
	ADDRESS_P2WSH,
	ADDRESS_P2TR,
	ADDRESS_OTHER_WITNESS,	/* version 1 of another length, or 2..16 */
};

/* OP_n, a length, and a witness program of at most 40 bytes. */
#define ADDRESS_SCRIPT_MAX	42
/* Room for any address and its NUL. */
#define ADDRESS_TEXT_MAX	92

struct address {
	unsigned char	script[ADDRESS_SCRIPT_MAX];	/* scriptPubKey */
	uint8_t		len;				/* bytes of it */
	enum address_form form;
};

/*
 * Read an address of `net`.  No blanks around it.  On failure *out is
 * undefined and e says what is wrong: the checksum, the length, a mixture of
 * cases, or which network the address is of.  The text itself is never put
 * into e, for it may be a private key pasted by mistake.
 */
enum rc address_parse(struct address *out, enum network net,
    const char *text, size_t len, struct err *e) MUST_CHECK;

/*
 * Write the address of a script and a NUL to buf (ADDRESS_TEXT_MAX bytes);
 * false, and an empty text, when the script has no address.
 */
bool address_encode(char *buf, enum network net, const unsigned char *script,
    size_t len);

/* The form of a script; false when it has no address. */
bool address_form_of(enum address_form *out, const unsigned char *script,
    size_t len);

/* "main", "test", "signet", "regtest". */
const char *network_text(enum network net);
/* The other way round; false when there is none of that name. */
bool network_of(enum network *out, const char *text, size_t len);

/* "p2pkh", ..., "other". */
const char *address_form_text(enum address_form form);

#endif
