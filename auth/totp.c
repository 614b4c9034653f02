#include "auth/totp.h"

#include <assert.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "lib/civil.h"

#define PACKED_VERSION	1

static const EVP_MD *
md_of(enum totp_hash hash)
{
	switch (hash) {
	case TOTP_SHA1:
		return EVP_sha1();
	case TOTP_SHA256:
		return EVP_sha256();
	case TOTP_SHA512:
		return EVP_sha512();
	}
	return NULL;
}

static bool
good(int64_t hash, int64_t digits, int64_t period_s, size_t seed_len)
{
	return hash >= TOTP_SHA1 && hash <= TOTP_SHA512 && digits >= 6 &&
	    digits <= 8 && period_s >= 15 && period_s <= 300 &&
	    seed_len >= TOTP_SEED_MIN && seed_len <= TOTP_SEED_MAX;
}

void
totp_make(struct totp *t, enum totp_hash hash, int digits)
{
	memset(t, 0, sizeof(*t));
	t->hash = hash;
	t->digits = digits;
	t->period_s = 30;
	t->seed_len = (size_t)EVP_MD_get_size(md_of(hash));
	assert(good(hash, digits, t->period_s, t->seed_len));
	randombytes_buf(t->seed, t->seed_len);
}

size_t
totp_pack(const struct totp *t, unsigned char out[TOTP_PACKED_MAX])
{
	assert(good(t->hash, t->digits, t->period_s, t->seed_len));
	out[0] = PACKED_VERSION;
	out[1] = (unsigned char)t->hash;
	out[2] = (unsigned char)t->digits;
	out[3] = (unsigned char)(t->period_s & 0xff);
	out[4] = (unsigned char)(t->period_s >> 8);
	memcpy(out + 5, t->seed, t->seed_len);
	return 5 + t->seed_len;
}

enum rc
totp_unpack(struct totp *t, const unsigned char *p, size_t len,
    struct err *e)
{
	memset(t, 0, sizeof(*t));
	if (len < 5 || p[0] != PACKED_VERSION ||
	    !good(p[1], p[2], p[3] | p[4] << 8, len - 5))
		return err_set(e, "not a stored seed");
	t->hash = (enum totp_hash)p[1];
	t->digits = p[2];
	t->period_s = p[3] | p[4] << 8;
	t->seed_len = len - 5;
	memcpy(t->seed, p + 5, t->seed_len);
	return RC_OK;
}

/* RFC 4226, 5.3. */
void
totp_code(char out[TOTP_CODE_MAX], const struct totp *t, uint64_t step)
{
	unsigned char	 message[8], mac[EVP_MAX_MD_SIZE];
	unsigned int	 mac_len = 0;
	uint32_t	 n, mod = 1;
	int		 i;

	for (i = 7; i >= 0; i--, step >>= 8)
		message[i] = (unsigned char)step;
	if (HMAC(md_of(t->hash), t->seed, (int)t->seed_len, message,
	    sizeof(message), mac, &mac_len) == NULL || mac_len < 20) {
		/* No memory: no code is right, and none is shown. */
		memset(out, '\0', TOTP_CODE_MAX);
		return;
	}
	i = mac[mac_len - 1] & 15;
	n = (uint32_t)(mac[i] & 0x7f) << 24 | (uint32_t)mac[i + 1] << 16 |
	    (uint32_t)mac[i + 2] << 8 | mac[i + 3];
	for (i = 0; i < t->digits; i++)
		mod *= 10;
	(void)snprintf(out, TOTP_CODE_MAX, "%0*u", t->digits, n % mod);
	sodium_memzero(mac, sizeof(mac));
}

int64_t
totp_step(const struct totp *t, int64_t t_ms)
{
	assert(t_ms >= 0);
	return t_ms / MS_PER_S / t->period_s;
}

int64_t
totp_check(const struct totp *t, struct text code, int64_t t_ms)
{
	char	 given[TOTP_CODE_MAX] = { 0 }, want[TOTP_CODE_MAX];
	int64_t	 now = totp_step(t, t_ms), step, found = -1;
	size_t	 i;
	int	 n = 0;

	for (i = 0; code.p != NULL && i < code.len; i++) {
		if (code.p[i] == ' ')
			continue;
		if (code.p[i] < '0' || code.p[i] > '9' || n == t->digits)
			return -1;
		given[n++] = code.p[i];
	}
	if (n != t->digits)
		return -1;
	/* All three, whichever it is. */
	for (step = now > 0 ? now - 1 : 0; step <= now + 1; step++) {
		totp_code(want, t, (uint64_t)step);
		if (sodium_memcmp(given, want, (size_t)t->digits) == 0)
			found = step;
	}
	sodium_memzero(want, sizeof(want));
	return found;
}
