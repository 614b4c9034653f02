/*
 * Signatures: the reference's vectors, those of tests/vectors/
 * signed-requests.json, every spelling that clients send, and every byte
 * changed.
 *
 * Run from the checkout, or with the file's path as argument.
 */
#include <ctype.h>
#include <jansson.h>
#include <sodium.h>
#include <stdlib.h>

#include "auth/publickey.h"
#include "auth/verify.h"
#include "tests/check.h"

#define REQUEST_MAX	4096

static const char	 test_secret[] = "drawbridgeTestSecret000000000000000"
	"00000000000000000000000000000";
static struct params	 params;
static struct verify	 verify;

/* As verify.h's caller does it. */
static bool
accepts(const struct key *k, const char *query, const char *body,
    bool decoded)
{
	struct params_error	 e;
	bool			 good;

	if (!params_read(&params, text_of(query), text_of(body), &e) ||
	    !verify_begin(&verify, &params, k, decoded))
		return false;
	good = k->type == KEY_TYPE_HMAC ? verify_hmac(&verify, k) :
	    verify_slow(&verify);
	verify_end(&verify);
	return good;
}

static void
hmac_key(struct key *k, struct keys_hmac *h, const char *secret)
{
	memset(k, 0, sizeof(*k));
	k->type = KEY_TYPE_HMAC;
	k->hmac = h;
	keys_hmac_begin(h, secret, strlen(secret));
}

static bool
public_key(struct key *k, bool rsa, const char *pem)
{
	unsigned char	 der[PUBLICKEY_DER_MAX];
	struct text	 spki = { (const char *)der, 0 };
	struct err	 e;

	memset(k, 0, sizeof(*k));
	k->type = rsa ? KEY_TYPE_RSA : KEY_TYPE_ED25519;
	if (publickey_pem(der, &spki.len, text_of(pem), rsa, &e) != RC_OK)
		return false;
	return (rsa ? publickey_rsa(&k->rsa, spki, &e) :
	    publickey_ed25519(k->ed25519, spki, &e)) == RC_OK;
}

/* What is sent: the message, then the signature, percent-encoded `times`. */
static const char *
request(const char *message, const char *signature, int times)
{
	static char	 out[REQUEST_MAX];
	char		 now[REQUEST_MAX / 2], next[REQUEST_MAX / 2];
	size_t		 i, n;

	(void)snprintf(now, sizeof(now), "%s", signature);
	for (; times > 0; times--) {
		for (i = n = 0; now[i] != '\0' && n + 4 < sizeof(next); i++)
			n += (size_t)snprintf(next + n, sizeof(next) - n,
			    isalnum((unsigned char)now[i]) ? "%c" : "%%%02X",
			    now[i]);
		next[n] = '\0';
		memcpy(now, next, n + 1);
	}
	(void)snprintf(out, sizeof(out), "%s&signature=%s", message, now);
	return out;
}

/* The reference's own */

static const char	 plain[] = "address=bc1qexample0000&amount=0.01&"
	"coin=BTC&recvWindow=10000&timestamp=1700000000000";

static void
test_reference(void)
{
	static const char	 mac[] = "4894a37f76dd64d1e33e9ff16147c0a5592"
		"6b967ba1ec337fc2ce0280da5850b";
	static const char	 upper[] = "4894A37F76DD64D1E33E9FF16147C0A55"
		"926B967BA1EC337FC2CE0280DA5850B";
	struct keys_hmac	 h;
	struct key		 k;
	char			 body[256];

	check_case("HMAC: as received, either case, either side");
	hmac_key(&k, &h, test_secret);
	CHECK(accepts(&k, request(plain, mac, 0), "", false));
	CHECK(accepts(&k, "", request(plain, mac, 0), false));
	CHECK(accepts(&k, request(plain, upper, 0), "", false));
	(void)snprintf(body, sizeof(body), "signature=%s", mac);
	CHECK(accepts(&k, plain, body, false));
	(void)snprintf(body, sizeof(body), "signature=%s&%s", mac, plain);
	CHECK(accepts(&k, "", body, false));
	check_case("HMAC: signatures that are none");
	CHECK(!accepts(&k, plain, "", false));
	CHECK(!accepts(&k, request(plain, "", 0), "", false));
	CHECK(!accepts(&k, request(plain, "4894a37f", 0), "", false));
	(void)snprintf(body, sizeof(body), "%s00", mac);
	CHECK(!accepts(&k, request(plain, body, 0), "", false));
	hmac_key(&k, &h, "another secret");
	CHECK(!accepts(&k, request(plain, mac, 0), "", false));
	k.hmac = NULL;
	CHECK(!accepts(&k, request(plain, mac, 0), "", false));
}

static void
test_spellings(void)
{
	static const char	 wallet[] = "a7cbc9257be161994b79c1a73a8dd5e3"
		"597d72effc84c5f4029c3f941e0bfd40";
	static const char	 pb[] = "4d0e199f0144066f30d8b6991aa3ff25e0c2"
		"6357f2c26e7edb37aa37fa0b07b1";
	struct keys_hmac	 h;
	struct key		 k;

	hmac_key(&k, &h, test_secret);
	check_case("HMAC: what wallet and nba sign, and send");
	CHECK(accepts(&k, request("coin=BTC&address=bc1qexample0000&amount=1&"
	    "name=My%20wallet&timestamp=1700000000000", wallet, 0), "",
	    false));
	CHECK(accepts(&k, "", request("coin=BTC&address=bc1qexample0000&"
	    "amount=1&name=My+wallet&timestamp=1700000000000", wallet, 0),
	    false));
	check_case("HMAC: what python-binance signs, only where it is on");
	CHECK(!accepts(&k, "", request("address=bitcoincash%3Aqexample0000&"
	    "amount=1e-05&coin=BCH&recvWindow=10000&timestamp=1700000000000",
	    pb, 0), false));
	CHECK(accepts(&k, "", request("address=bitcoincash%3Aqexample0000&"
	    "amount=1e-05&coin=BCH&recvWindow=10000&timestamp=1700000000000",
	    pb, 0), true));
}

/* Ambiguity: one signature must not be good for two meanings. */
static void
test_ambiguous(void)
{
	struct keys_hmac	 h;
	struct key		 k;
	unsigned char		 mac[32];
	char			 hex[65];

	check_case("a value is never taken for two parameters");
	hmac_key(&k, &h, test_secret);
	keys_hmac(mac, &h, "a=1&amount=9", 12);
	(void)sodium_bin2hex(hex, sizeof(hex), mac, sizeof(mac));
	CHECK(accepts(&k, request("a=1&amount=9", hex, 0), "", true));
	CHECK(!accepts(&k, request("a=1%26amount=9", hex, 0), "", true));
	CHECK(!accepts(&k, request("a=1%26amount%3D9", hex, 0), "", true));
	CHECK(!accepts(&k, request("a%3D1%26amount=9", hex, 0), "", true));
	CHECK(!accepts(&k, "a=1", request("amount=9", hex, 0), true));
	/* Bytes moved across the join of query and body. */
	keys_hmac(mac, &h, "amount=10", 9);
	(void)sodium_bin2hex(hex, sizeof(hex), mac, sizeof(mac));
	CHECK(accepts(&k, request("amount=10", hex, 0), "", true));
	CHECK(!accepts(&k, "amount=1", request("0", hex, 0), true));
}

/* The vectors */

struct vector {
	const char	*payload, *signature;
	struct key	 key;
	struct keys_hmac hmac;
	bool		 valid;
};

static bool
vector_of(struct vector *v, const json_t *j)
{
	const char	*alg = json_string_value(json_object_get(j, "alg"));
	const char	*key = json_string_value(json_object_get(j, "key"));

	v->payload = json_string_value(json_object_get(j, "payload"));
	v->signature = json_string_value(json_object_get(j, "signature"));
	v->valid = json_is_true(json_object_get(j, "valid"));
	if (strcmp(alg, "hmac") != 0)
		return public_key(&v->key, strcmp(alg, "rsa") == 0, key);
	hmac_key(&v->key, &v->hmac, key);
	return true;
}

static void
spellings_of(const struct vector *v)
{
	static const char *const	 bad[] = { "=", "%3D", "A", "%", "%2",
		" ", "+", "." };
	char				 more[1200];
	size_t				 i;
	int				 times;

	for (times = 0; times < 3; times++)
		CHECK_INT(accepts(&v->key, request(v->payload, v->signature,
		    times), "", false), v->valid);
	CHECK_INT(accepts(&v->key, "", request(v->payload, v->signature, 1),
	    false), v->valid);
	if (v->key.type != KEY_TYPE_HMAC)
		CHECK(!accepts(&v->key, request(v->payload, v->signature, 3),
		    "", false));
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		(void)snprintf(more, sizeof(more), "%s%s", v->signature,
		    bad[i]);
		CHECK(!accepts(&v->key, request(v->payload, more, 0), "",
		    false));
	}
}

/* `bit` of every byte changed in turn; whatever still verifies must mean
 * the same. */
static void
flip(const struct vector *v, int bit)
{
	static char	 before[REQUEST_MAX], now[REQUEST_MAX];
	char		 message[REQUEST_MAX / 2];
	size_t		 i, len = strlen(v->payload);
	int		 n, m;

	CHECK(accepts(&v->key, request(v->payload, v->signature, 1), "",
	    true));
	n = params_canonical(&params, before, sizeof(before));
	for (i = 0; i < len; i++) {
		memcpy(message, v->payload, len + 1);
		message[i] = (char)(message[i] ^ 1 << bit);
		if (message[i] == '\0' || !accepts(&v->key, request(message,
		    v->signature, 1), "", true))
			continue;
		m = params_canonical(&params, now, sizeof(now));
		CHECK(m == n && memcmp(now, before, (size_t)n) == 0);
	}
}

static void
flip_signature(const struct vector *v)
{
	char	 other[1200];
	size_t	 i, len = strlen(v->signature);

	for (i = 0; i < len; i++) {
		memcpy(other, v->signature, len + 1);
		other[i] = other[i] == 'a' ? 'b' : 'a';
		CHECK(!accepts(&v->key, request(v->payload, other, 1), "",
		    true));
	}
}

static void
test_vectors(const char *path)
{
	static struct vector	 v;
	json_error_t		 why;
	json_t			*all, *j;
	bool			 seen[KEY_TYPE_ED25519 + 1] = { false };
	size_t			 i;
	int			 bit;

	check_case("vectors of three kinds of keys, changed in every byte");
	all = json_load_file(path, 0, &why);
	if (!CHECK(all != NULL))
		return;
	CHECK(json_array_size(json_object_get(all, "cases")) == 60);
	json_array_foreach(json_object_get(all, "cases"), i, j) {
		if (!CHECK(vector_of(&v, j)))
			continue;
		spellings_of(&v);
		if (v.valid && (v.key.type == KEY_TYPE_HMAC ||
		    !seen[v.key.type])) {
			for (bit = 0; bit < 8; bit++)
				flip(&v, bit);
			flip_signature(&v);
			seen[v.key.type] = true;
		}
		EVP_PKEY_free(v.key.rsa);
	}
	CHECK(seen[KEY_TYPE_HMAC] && seen[KEY_TYPE_RSA] &&
	    seen[KEY_TYPE_ED25519]);
	json_decref(all);
}

static void
test_ed25519(void)
{
	static const char	 pem[] = "-----BEGIN PUBLIC KEY-----\n"
		"MCowBQYDK2VwAyEAA6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=\n"
		"-----END PUBLIC KEY-----\n";
	static const char	 signature[] = "ulAm5Jq4UjR1XHvVlsJ1FdKDHb6OQ"
		"m58KJsRLzc2oOafpt9v51Dc/R6BkvWV9Xr6nJM2WA3cNqZqoLY/rnDlDw==";
	struct key		 k;

	check_case("Ed25519: the reference's");
	CHECK(public_key(&k, false, pem));
	CHECK(accepts(&k, request(plain, signature, 0), "", false));
	CHECK(accepts(&k, request(plain, signature, 1), "", false));
	CHECK(accepts(&k, request(plain, signature, 2), "", false));
	check_case("a header's signature, over one exact message");
	CHECK(verify_one(&verify, &k, plain, strlen(plain),
	    text_of(signature)) && verify_slow(&verify));
	CHECK(verify_one(&verify, &k, plain, strlen(plain) - 1,
	    text_of(signature)) && !verify_slow(&verify));
	CHECK(!verify_one(&verify, &k, plain, VERIFY_MAX + 1,
	    text_of(signature)));
	CHECK(!verify_one(&verify, &k, plain, 1, text_of(NULL)));
	verify_end(&verify);
}

int
main(int argc, char **argv)
{
	if (sodium_init() < 0)
		return 2;
	test_reference();
	test_spellings();
	test_ambiguous();
	test_ed25519();
	test_vectors(argc > 1 ? argv[1] : "tests/vectors/signed-requests.json");
	return check_done();
}
