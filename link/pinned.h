/*
 * TLS 1.3 between two who know each other's key.
 *
 * There are no authorities, no names and no dates: each side shows a
 * certificate that it made itself and proves that it has its key; the other
 * compares the SHA-256 of that key (its SubjectPublicKeyInfo) with a list of
 * pins, and cuts whoever is not on it in the handshake.  Keys are Ed25519.
 * Older versions of TLS, sessions that are taken up again and early data are
 * refused: each connection is a handshake of its own.
 */
#ifndef LINK_PINNED_H
#define LINK_PINNED_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/err.h"

#define PINNED_MAX	64
#define PINNED_HEX	64	/* characters of a pin */

struct pinned_keys {
	unsigned char	hash[PINNED_MAX][32];
	size_t		n;
};

/* 64 hexadecimal digits, and nothing behind them. */
bool pinned_parse(unsigned char out[32], const char *hex);

/*
 * A file of pins: one a line, 64 hexadecimal digits, whatever comes behind a
 * blank is for people; `#` begins a comment.  Errors: "NAME:LINE: ...".
 */
enum rc pinned_read(struct pinned_keys *out, const char *path, struct err *e)
    MUST_CHECK;

/*
 * Make a key and its certificate: one file of mode 0600, PEM, durable.  One
 * that is there already stays, and is RC_FAILED.
 */
enum rc pinned_make(const char *path, struct err *e) MUST_CHECK;
/* The pin of the identity in that file: what the other side writes down. */
enum rc pinned_of(char hex[PINNED_HEX + 1], const char *path, struct err *e)
    MUST_CHECK;

struct ssl_ctx_st;
struct ssl_st;
/* `pins` are looked at in every handshake: they live as long as *out, which
 * is freed by SSL_CTX_free(). */
enum rc pinned_context(struct ssl_ctx_st **out, bool server,
    const char *identity, const struct pinned_keys *pins, struct err *e)
    MUST_CHECK;
/* Who is at the other end of a finished handshake. */
bool pinned_peer(char hex[PINNED_HEX + 1], struct ssl_st *ssl);

#endif
