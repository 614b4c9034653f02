#include "engine/head.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wire/bytes.h"

#define WORD	"drawbridge-head-1"
/* What is signed: the word, deployment, seq, t_ms, hash. */
#define SIGNED_LEN	(sizeof(WORD) + 16 + 8 + 8 + 32)

static void
signed_bytes(unsigned char out[SIGNED_LEN], const struct head *h)
{
	unsigned char	*p = out;

	memcpy(p, WORD, sizeof(WORD));
	p += sizeof(WORD);
	memcpy(p, h->deployment, sizeof(h->deployment));
	p += sizeof(h->deployment);
	put_le64(p, h->seq);
	put_le64(p + 8, (uint64_t)h->t_ms);
	memcpy(p + 16, h->hash, sizeof(h->hash));
}

void
head_sign(struct head *h, const struct keyring *keys)
{
	unsigned char	 bytes[SIGNED_LEN];

	signed_bytes(bytes, h);
	keyring_sign(keys, h->signature, bytes, sizeof(bytes));
}

bool
head_verify(const struct head *h, const unsigned char engine_key[32])
{
	unsigned char	 bytes[SIGNED_LEN];

	signed_bytes(bytes, h);
	return crypto_sign_verify_detached(h->signature, bytes,
	    sizeof(bytes), engine_key) == 0;
}

char *
head_format(char buf[HEAD_TEXT_MAX], const struct head *h)
{
	char	 deployment[33], hash[65], signature[129];

	(void)sodium_bin2hex(deployment, sizeof(deployment), h->deployment,
	    sizeof(h->deployment));
	(void)sodium_bin2hex(hash, sizeof(hash), h->hash, sizeof(h->hash));
	(void)sodium_bin2hex(signature, sizeof(signature), h->signature,
	    sizeof(h->signature));
	(void)snprintf(buf, HEAD_TEXT_MAX, WORD " %s %ju %jd %s %s",
	    deployment, (uintmax_t)h->seq, (intmax_t)h->t_ms, hash,
	    signature);
	return buf;
}

/* The next word, cut off at its blank. */
static char *
word(char **p)
{
	char	*w = *p, *end = strchr(w, ' ');

	if (end != NULL)
		*end++ = '\0';
	*p = end != NULL ? end : w + strlen(w);
	return w;
}

static bool
hex(unsigned char *out, size_t len, const char *w)
{
	size_t	 n = 0;

	return strlen(w) == len * 2 && sodium_hex2bin(out, len, w,
	    strlen(w), NULL, &n, NULL) == 0 && n == len;
}

static bool
number(uint64_t *out, const char *w)
{
	char	*end;

	if (*w < '0' || *w > '9')
		return false;
	errno = 0;
	*out = strtoull(w, &end, 10);
	return errno == 0 && *end == '\0' && *out <= INT64_MAX;
}

enum rc
head_parse(struct head *out, struct text t, struct err *e)
{
	char		 copy[HEAD_TEXT_MAX], *p = copy;
	uint64_t	 t_ms;

	while (t.len > 0 && strchr("\r\n ", t.p[t.len - 1]) != NULL)
		t.len--;
	if (t.len >= sizeof(copy) || memchr(t.p, '\0', t.len) != NULL)
		return err_set(e, "not a head: too long");
	memcpy(copy, t.p, t.len);
	copy[t.len] = '\0';
	if (strcmp(word(&p), WORD) != 0)
		return err_set(e, "not a head: it does not begin with `"
		    WORD "`");
	if (!hex(out->deployment, sizeof(out->deployment), word(&p)) ||
	    !number(&out->seq, word(&p)) || !number(&t_ms, word(&p)) ||
	    !hex(out->hash, sizeof(out->hash), word(&p)) ||
	    !hex(out->signature, sizeof(out->signature), word(&p)) ||
	    *p != '\0')
		return err_set(e, "not a whole head: want `" WORD
		    " DEPLOYMENT SEQ TIME HASH SIGNATURE`");
	out->t_ms = (int64_t)t_ms;
	return RC_OK;
}
