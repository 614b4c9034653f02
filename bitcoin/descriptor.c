#include "bitcoin/descriptor.h"

#include <assert.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "bitcoin/base58.h"
#include "bitcoin/curve.h"
#include "bitcoin/hash.h"

#define OURS "wpkh(), sh(wpkh()), tr() without scripts and wsh(sortedmulti())"

/* How each is written, from its first character to its first argument. */
static const struct form {
	const char	*head;
	const char	*tail;
} forms[] = {
	[DESCRIPTOR_WPKH] = { "wpkh(", ")" },
	[DESCRIPTOR_SH_WPKH] = { "sh(wpkh(", "))" },
	[DESCRIPTOR_TR] = { "tr(", ")" },
	[DESCRIPTOR_WSH_SORTEDMULTI] = { "wsh(sortedmulti(", "))" },
};
#define FORMS (sizeof(forms) / sizeof(forms[0]))

/*
 * What others there are (BIP381 to 387, 390, and miniscript's, BIP379), so
 * that they are refused by a name of this list.  What stands in the text is
 * never repeated: somebody may have pasted a private key.
 */
static const char *const functions[] = {
	"pk", "pkh", "wpkh", "sh", "wsh", "tr", "rawtr", "multi",
	"sortedmulti", "multi_a", "sortedmulti_a", "combo", "addr", "raw",
	"musig", "older", "after", "sha256", "hash256", "ripemd160",
	"hash160", "andor", "and_v", "and_b", "and_n", "or_b", "or_c", "or_d",
	"or_i", "thresh", "pk_k", "pk_h",
};

static const char hex_digits[] = "0123456789abcdef";

/* BIP380: the characters by groups of 32, and the generator. */
static uint64_t
checksum_step(uint64_t c, uint64_t value)
{
	static const uint64_t generator[5] = {
		0xf5dee51989, 0xa9fdca3312, 0x1bab10e32d, 0x3706b1677a,
		0x644d626ffd,
	};
	uint64_t	 top = c >> 35;
	int		 i;

	c = (c & 0x7ffffffff) << 5 ^ value;
	for (i = 0; i < 5; i++)
		if ((top >> i & 1) != 0)
			c ^= generator[i];
	return c;
}

bool
descriptor_checksum(char out[DESCRIPTOR_CHECKSUM_LEN + 1], struct text t)
{
	static const char	 taken[] =
	    "0123456789()[],'/*abcdefgh@:$%{}"
	    "IJKLMNOPQRSTUVWXYZ&+-.;<=>?!^_|~"
	    "ijklmnopqrstuvwxyzABCDEFGH`#\"\\ ";
	static const char	 given[] = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
	const char		*p;
	uint64_t		 c = 1, group = 0;
	unsigned		 in_group = 0, i;
	size_t			 k;

	for (k = 0; k < t.len; k++) {
		p = memchr(taken, t.p[k], sizeof(taken) - 1);
		if (p == NULL)
			return false;
		c = checksum_step(c, (uint64_t)(p - taken) & 31);
		group = group * 3 + (uint64_t)(p - taken) / 32;
		if (++in_group == 3) {
			c = checksum_step(c, group);
			group = in_group = 0;
		}
	}
	if (in_group > 0)
		c = checksum_step(c, group);
	for (i = 0; i < DESCRIPTOR_CHECKSUM_LEN; i++)
		c = checksum_step(c, 0);
	c ^= 1;
	for (i = 0; i < DESCRIPTOR_CHECKSUM_LEN; i++)
		out[i] = given[c >> 5 * (7 - i) & 31];
	out[i] = '\0';
	return true;
}

/* Take `head` from the front of *t; false when it is not there. */
static bool
take(struct text *t, const char *head)
{
	size_t	 len = strlen(head);

	if (t->len < len || memcmp(t->p, head, len) != 0)
		return false;
	t->p += len;
	t->len -= len;
	return true;
}

/* Everything before the first of these characters. */
static struct text
take_until(struct text *t, const char *ends)
{
	struct text	 part = { t->p, 0 };

	while (part.len < t->len && (t->p[part.len] == '\0' ||
	    strchr(ends, t->p[part.len]) == NULL))
		part.len++;
	t->p += part.len;
	t->len -= part.len;
	return part;
}

static bool
hex(unsigned char *out, size_t n, struct text t)
{
	const char	*p;
	size_t		 i;
	int		 c, high = 0;

	if (t.len != 2 * n)
		return false;
	for (i = 0; i < t.len; i++) {
		c = (unsigned char)t.p[i];
		if (c >= 'A' && c <= 'F')
			c |= 0x20;
		if ((p = memchr(hex_digits, c, 16)) == NULL)
			return false;
		high = i % 2 == 0 ? (int)(p - hex_digits) << 4 : high;
		out[i / 2] = (unsigned char)(high | (p - hex_digits));
	}
	return true;
}

/* Cut off the checksum, if there is one, and compare it. */
static enum rc
check_sum(struct text *t, bool need, struct err *e)
{
	char		 want[DESCRIPTOR_CHECKSUM_LEN + 1];
	const char	*mark = t->len > 0 ? memchr(t->p, '#', t->len) : NULL;
	struct text	 sum = { NULL, 0 };

	if (mark != NULL) {
		sum.p = mark + 1;
		sum.len = t->len - (size_t)(mark - t->p) - 1;
		t->len = (size_t)(mark - t->p);
	}
	if (!descriptor_checksum(want, *t))
		return err_set(e, "it has a character that no descriptor has");
	if (sum.p == NULL)
		return need ? err_set(e, "its checksum is missing: # and %d "
		    "characters", DESCRIPTOR_CHECKSUM_LEN) : RC_OK;
	if (sum.len != DESCRIPTOR_CHECKSUM_LEN)
		return err_set(e, "its checksum has %zu characters, not %d",
		    sum.len, DESCRIPTOR_CHECKSUM_LEN);
	if (memcmp(sum.p, want, sum.len) != 0)
		return err_set(e, "its checksum is wrong: something was "
		    "mistyped");
	return RC_OK;
}

/* The function at the front of the text, of the list above; or NULL. */
static const char *
function_of(struct text t)
{
	struct text	 name;
	size_t		 i;

	name = take_until(&t, "(");
	if (t.len == 0)
		return NULL;
	for (i = 0; i < sizeof(functions) / sizeof(functions[0]); i++)
		if (text_equal(name, text_of(functions[i])))
			return functions[i];
	return NULL;
}

static enum rc
refuse_kind(struct text t, struct err *e)
{
	const char	*outer = function_of(t), *inner;

	if (outer == NULL)
		return err_set(e, "it is none of " OURS);
	(void)take_until(&t, "(");
	(void)take(&t, "(");
	inner = strcmp(outer, "sh") == 0 || strcmp(outer, "wsh") == 0 ?
	    function_of(t) : NULL;
	if (inner != NULL)
		return err_set(e, "%s(%s()) is not supported, only " OURS,
		    outer, inner);
	return err_set(e, "%s() is not supported%s, only " OURS, outer,
	    strcmp(outer, "sh") == 0 || strcmp(outer, "wsh") == 0 ?
	    " of what is in it" : "");
}

/* "/0h/1": *n steps, and nothing else. */
static enum rc
read_steps(uint32_t *path, uint8_t *n, struct text t, struct err *e)
{
	for (*n = 0; t.len > 0; (*n)++) {
		if (*n == BIP32_PATH_MAX)
			return err_set(e, "more than %d steps",
			    BIP32_PATH_MAX);
		if (!take(&t, "/") ||
		    !bip32_step_parse(&path[*n], &t, "h'"))
			return err_set(e, "step %d of its origin is not / "
			    "and a number below 2^31", *n + 1);
	}
	return RC_OK;
}

/* "[deadbeef/84h/0h/0h]", if it is there. */
static enum rc
read_origin(struct descriptor_key *k, struct text *t, struct err *e)
{
	struct text	 inside, print;

	if (!take(t, "["))
		return RC_OK;
	inside = take_until(t, "]");
	if (!take(t, "]"))
		return err_set(e, "its origin does not end");
	print = take_until(&inside, "/");
	if (!hex(k->origin, sizeof(k->origin), print))
		return err_set(e, "its origin does not begin with 8 digits "
		    "of hex");
	k->has_origin = true;
	return read_steps(k->origin_path, &k->n_origin, inside, e);
}

/* "<0;1>", behind the /. */
static enum rc
read_pair(struct descriptor_key *k, uint32_t *step, struct text *t,
    struct err *e)
{
	if (k->pair)
		return err_set(e, "it has more than one <;>");
	if (!bip32_step_parse(step, t, "h'") || !take(t, ";") ||
	    !bip32_step_parse(&k->pair_other, t, "h'"))
		return err_set(e, "its <;> is not two numbers below 2^31");
	if (take(t, ";"))
		return err_set(e, "a <;;> of more than two is not supported");
	if (!take(t, ">"))
		return err_set(e, "its <;> does not end");
	if (*step == k->pair_other)
		return err_set(e, "both numbers of its <;> are the same");
	k->pair = true;
	k->pair_at = k->n_path;
	return RC_OK;
}

/* Steps, one of them perhaps a pair, and perhaps a * at the end. */
static enum rc
read_path(struct descriptor_key *k, struct text t, struct err *e)
{
	while (t.len > 0) {
		if (!take(&t, "/"))
			return err_set(e, "its path has something else than "
			    "/ between steps");
		if (take(&t, "*")) {
			k->range = true;
			k->range_hard = take(&t, "h") || take(&t, "'");
			if (t.len > 0)
				return err_set(e, "its path goes on after "
				    "the *");
			break;
		}
		if (k->n_path == BIP32_PATH_MAX)
			return err_set(e, "its path has more than %d steps",
			    BIP32_PATH_MAX);
		if (take(&t, "<")) {
			if (read_pair(k, &k->path[k->n_path], &t, e) != RC_OK)
				return RC_FAILED;
		} else if (!bip32_step_parse(&k->path[k->n_path], &t, "h'"))
			return err_set(e, "step %d of its path is not a "
			    "number below 2^31", k->n_path + 1);
		k->n_path++;
	}
	if (k->key.depth + k->n_path + k->range > UINT8_MAX)
		return err_set(e, "its path goes below depth 255");
	return RC_OK;
}

/* It is no key of ours: what is it? */
static enum rc
refuse_key(bool tr, struct text t, struct err *e)
{
	unsigned char	 bytes[BASE58_BYTES_MAX];
	const char	*function = function_of(t);
	size_t		 n;
	bool		 wif;

	if (function != NULL)
		return err_set(e, "%s() is not supported as a key", function);
	if (hex(bytes, 65, t))
		return err_set(e, "an uncompressed key is not for segwit");
	/* WIF: a version, 32 bytes, perhaps a 1. */
	wif = base58_decode_check(bytes, &n, t.p, t.len, NULL) == RC_OK &&
	    (n == 33 || n == 34) && (bytes[0] == 0x80 || bytes[0] == 0xef);
	sodium_memzero(bytes, sizeof(bytes));
	if (wif)
		return err_set(e, "a single private key (WIF) is not "
		    "supported");
	return err_set(e, "it is neither an extended key nor a public key of "
	    "33 bytes%s", tr ? " or 32" : "");
}

/* One public key in hex. */
static enum rc
read_single(struct descriptor_key *k, bool tr, struct text t, struct err *e)
{
	struct curve_point p;

	if (hex(k->key.public + 1, 32, t)) {
		if (!tr)
			return err_set(e, "a key of 32 bytes is only for "
			    "tr()");
		k->xonly = true;
		k->key.public[0] = 2;
	} else if (!hex(k->key.public, 33, t))
		return refuse_key(tr, t, e);
	if (!curve_point_parse(&p, k->key.public, 33))
		return err_set(e, "it is not on the curve");
	return RC_OK;
}

static enum rc
read_key(struct descriptor_key *k, bool tr, bool private_ok, struct text t,
    struct err *e)
{
	struct text	 body;

	if (read_origin(k, &t, e) != RC_OK)
		return RC_FAILED;
	body = take_until(&t, "/");
	k->extended = body.len > 4 && (memcmp(body.p, "xp", 2) == 0 ||
	    memcmp(body.p, "tp", 2) == 0);
	if (!k->extended) {
		if (read_single(k, tr, body, e) != RC_OK)
			return RC_FAILED;
		return t.len == 0 ? RC_OK : err_set(e, "only an extended key "
		    "may have a path behind it");
	}
	if (bip32_parse(&k->key, body.p, body.len, e) != RC_OK)
		return RC_FAILED;
	if (k->key.has_secret && !private_ok)
		return err_set(e, "it is private, and has no business here");
	k->test = k->key.test;
	return read_path(k, t, e);
}

static uint32_t
step_of(const struct descriptor_key *k, unsigned branch, uint8_t i)
{
	return k->pair && i == k->pair_at && branch == 1 ? k->pair_other :
	    k->path[i];
}

/* Would these two give the same keys?  What derives differently and meets
 * nevertheless is found when it is derived. */
static bool
same_keys(const struct descriptor_key *a, const struct descriptor_key *b,
    unsigned branch)
{
	uint8_t	 i;

	if (a->extended != b->extended || a->n_path != b->n_path ||
	    a->range != b->range || a->range_hard != b->range_hard ||
	    memcmp(a->key.public, b->key.public, 33) != 0 ||
	    memcmp(a->key.chain, b->key.chain, 32) != 0)
		return false;
	for (i = 0; i < a->n_path; i++)
		if (step_of(a, branch, i) != step_of(b, branch, i))
			return false;
	return true;
}

/* The last key against all before it. */
static enum rc
check_last(const struct descriptor *d, struct err *e)
{
	const struct descriptor_key *last = &d->keys[d->n - 1];
	unsigned	 i;

	for (i = 0; i + 1 < d->n; i++) {
		if (same_keys(&d->keys[i], last, 0) ||
		    same_keys(&d->keys[i], last, 1))
			return err_set(e, "keys %u and %u are the same",
			    i + 1, d->n);
		if (d->keys[i].extended && last->extended &&
		    d->keys[i].test != last->test)
			return err_set(e, "keys %u and %u are of different "
			    "networks", i + 1, d->n);
	}
	return RC_OK;
}

static enum rc
read_keys(struct descriptor *d, bool private_ok, struct text *t,
    struct err *e)
{
	bool		 many = d->kind == DESCRIPTOR_WSH_SORTEDMULTI;
	uint32_t	 m = 1;
	enum rc		 rc;

	if (many && (!bip32_step_parse(&m, t, "") || !take(t, ",")))
		return err_set(e, "sortedmulti() does not begin with a "
		    "number and a key");
	do {
		if (d->n == DESCRIPTOR_KEYS_MAX)
			return err_set(e, "more than %d keys",
			    DESCRIPTOR_KEYS_MAX);
		rc = read_key(&d->keys[d->n++], d->kind == DESCRIPTOR_TR,
		    private_ok, take_until(t, ",)"), e);
		if (rc != RC_OK)
			return err_wrap(e, rc, "key %u", d->n);
		if (check_last(d, e) != RC_OK)
			return RC_FAILED;
	} while (many && take(t, ","));
	d->m = m;
	if (m == 0 || m > d->n)
		return err_set(e, "%u signatures of %u keys", (unsigned)m,
		    d->n);
	return RC_OK;
}

static enum rc
read_all(struct descriptor *d, struct text t, bool private_ok, struct err *e)
{
	size_t	 i = 0;

	while (i < FORMS && !take(&t, forms[i].head))
		i++;
	if (i == FORMS)
		return refuse_kind(t, e);
	d->kind = (enum descriptor_kind)i;
	if (read_keys(d, private_ok, &t, e) != RC_OK)
		return RC_FAILED;
	if (d->kind == DESCRIPTOR_TR && t.len > 0 && t.p[0] == ',')
		return err_set(e, "tr() with scripts is not supported, "
		    "only " OURS);
	if (!take(&t, forms[i].tail))
		return err_set(e, "after its %s there is no %s",
		    d->n > 1 ? "keys" : "key", forms[i].tail);
	if (t.len > 0)
		return err_set(e, "it goes on behind its end");
	return RC_OK;
}

enum rc
descriptor_parse(struct descriptor *out, struct text t, bool need_checksum,
    bool private_ok, struct err *e)
{
	enum rc	 rc;

	memset(out, 0, sizeof(*out));
	if (t.len >= DESCRIPTOR_TEXT_MAX)
		rc = err_set(e, "it has %zu characters; at most %d are read",
		    t.len, DESCRIPTOR_TEXT_MAX - 1);
	else if ((rc = check_sum(&t, need_checksum, e)) == RC_OK)
		rc = read_all(out, t, private_ok, e);
	if (rc != RC_OK)
		descriptor_wipe(out);
	return err_wrap(e, rc, "descriptor");
}

/* A text that is being made; `full` when it did not fit. */
struct maker {
	char	*buf;
	size_t	 at, room;
	bool	 full;
};

static void
put(struct maker *m, const char *s)
{
	size_t	 len = strlen(s);

	if (m->full || len >= m->room - m->at) {
		m->full = true;
		return;
	}
	memcpy(m->buf + m->at, s, len + 1);
	m->at += len;
}

static void
put_hex(struct maker *m, const unsigned char *b, size_t n)
{
	char	 two[3] = { 0 };

	for (; n > 0; n--, b++) {
		two[0] = hex_digits[*b >> 4];
		two[1] = hex_digits[*b & 15];
		put(m, two);
	}
}

static void
put_step(struct maker *m, uint32_t step)
{
	char	 text[BIP32_PATH_TEXT_MAX];

	bip32_path_print(text, &step, 1);
	put(m, text);
}

static void
put_path(struct maker *m, const struct descriptor_key *k)
{
	uint8_t	 i;

	for (i = 0; i < k->n_path; i++) {
		put(m, "/");
		if (!k->pair || i != k->pair_at) {
			put_step(m, k->path[i]);
			continue;
		}
		put(m, "<");
		put_step(m, k->path[i]);
		put(m, ";");
		put_step(m, k->pair_other);
		put(m, ">");
	}
	if (k->range)
		put(m, k->range_hard ? "/*h" : "/*");
}

static void
put_key(struct maker *m, const struct descriptor_key *k, bool private)
{
	char	 text[BIP32_TEXT_MAX];
	uint8_t	 i;

	if (k->has_origin) {
		put(m, "[");
		put_hex(m, k->origin, sizeof(k->origin));
		for (i = 0; i < k->n_origin; i++) {
			put(m, "/");
			put_step(m, k->origin_path[i]);
		}
		put(m, "]");
	}
	if (k->extended) {
		bip32_print(text, &k->key, private);
		put(m, text);
		sodium_memzero(text, sizeof(text));
		put_path(m, k);
	} else
		put_hex(m, k->key.public + k->xonly, 33u - k->xonly);
}

enum rc
descriptor_print(char *buf, size_t room, const struct descriptor *d,
    bool private, struct err *e)
{
	struct maker	 m = { buf, 0, room, room == 0 };
	struct text	 made;
	char		 sum[DESCRIPTOR_CHECKSUM_LEN + 1];
	unsigned	 i;

	put(&m, forms[d->kind].head);
	if (d->kind == DESCRIPTOR_WSH_SORTEDMULTI)
		put_step(&m, d->m);
	for (i = 0; i < d->n; i++) {
		if (i > 0 || d->kind == DESCRIPTOR_WSH_SORTEDMULTI)
			put(&m, ",");
		put_key(&m, &d->keys[i], private);
	}
	put(&m, forms[d->kind].tail);
	made.p = buf;
	made.len = m.at;
	if (!m.full && descriptor_checksum(sum, made)) {
		put(&m, "#");
		put(&m, sum);
	}
	if (m.full) {
		sodium_memzero(buf, room);
		return err_set(e, "descriptor: its text does not fit into "
		    "%zu bytes", room);
	}
	return RC_OK;
}

bool
descriptor_has_pair(const struct descriptor *d)
{
	unsigned	 i;

	for (i = 0; i < d->n; i++)
		if (d->keys[i].pair)
			return true;
	return false;
}

bool
descriptor_is_range(const struct descriptor *d)
{
	unsigned	 i;

	for (i = 0; i < d->n; i++)
		if (d->keys[i].range)
			return true;
	return false;
}

void
descriptor_take_branch(struct descriptor *d, unsigned branch)
{
	struct descriptor_key *k;
	unsigned	 i;

	assert(branch <= 1);
	for (i = 0; i < d->n; i++) {
		k = &d->keys[i];
		if (!k->pair)
			continue;
		k->path[k->pair_at] = step_of(k, branch, k->pair_at);
		k->pair = false;
		k->pair_at = 0;
		k->pair_other = 0;
	}
}

static enum rc
derive_key(unsigned char out[33], const struct descriptor_key *k,
    unsigned branch, uint32_t index, struct err *e)
{
	uint32_t	 path[BIP32_PATH_MAX + 1];
	struct bip32_key child;
	enum rc		 rc;
	uint8_t		 n;

	if (!k->extended) {
		memcpy(out, k->key.public, 33);
		return RC_OK;
	}
	for (n = 0; n < k->n_path; n++)
		path[n] = step_of(k, branch, n);
	if (k->range)
		path[n++] = index | (k->range_hard ? BIP32_HARD : 0);
	rc = bip32_derive(&child, &k->key, path, n, e);
	if (rc != RC_OK)
		return rc;
	memcpy(out, child.public, 33);
	sodium_memzero(&child, sizeof(child));
	return RC_OK;
}

static enum rc
make_multisig(struct descriptor_output *out, const struct descriptor *d,
    struct err *e)
{
	unsigned char	 sorted[DESCRIPTOR_KEYS_MAX][33], hash[SHA256_LEN];
	unsigned	 i;

	memcpy(sorted, out->keys, sizeof(sorted));
	script_sort_keys(sorted, d->n);
	for (i = 0; i + 1 < d->n; i++)
		if (memcmp(sorted[i], sorted[i + 1], 33) == 0)
			return err_set(e, "two of its keys are the same");
	out->inner_len = script_multisig(out->inner, d->m,
	    (const unsigned char (*)[33])sorted, d->n);
	assert(out->inner_len > 0);
	sha256(hash, out->inner, out->inner_len);
	out->script_len = script_p2wsh(out->script, hash);
	return RC_OK;
}

static enum rc
make_script(struct descriptor_output *out, const struct descriptor *d,
    struct err *e)
{
	unsigned char	 hash[HASH160_LEN];

	switch (d->kind) {
	case DESCRIPTOR_WPKH:
		hash160(hash, out->keys[0], 33);
		out->script_len = script_p2wpkh(out->script, hash);
		return RC_OK;
	case DESCRIPTOR_SH_WPKH:
		hash160(hash, out->keys[0], 33);
		out->inner_len = script_p2wpkh(out->inner, hash);
		hash160(hash, out->inner, out->inner_len);
		out->script_len = script_p2sh(out->script, hash);
		return RC_OK;
	case DESCRIPTOR_TR:
		if (!curve_tap_output(out->output_key, out->keys[0] + 1,
		    NULL))
			return err_set(e, "its key gives no output key");
		out->script_len = script_p2tr(out->script, out->output_key);
		return RC_OK;
	case DESCRIPTOR_WSH_SORTEDMULTI:
		return make_multisig(out, d, e);
	}
	assert(!"a kind of descriptor");
	return RC_FAILED;
}

enum rc
descriptor_derive(struct descriptor_output *out, const struct descriptor *d,
    unsigned branch, uint32_t index, struct err *e)
{
	unsigned	 i;
	enum rc		 rc;

	assert(branch <= 1);
	memset(out, 0, sizeof(*out));
	if (descriptor_is_range(d) && (index & BIP32_HARD) != 0)
		return err_set(e, "descriptor: index %u is not below 2^31",
		    (unsigned)index);
	for (i = 0; i < d->n; i++) {
		rc = derive_key(out->keys[i], &d->keys[i], branch, index, e);
		if (rc != RC_OK)
			return err_wrap(e, rc, "descriptor: key %u", i + 1);
	}
	return err_wrap(e, make_script(out, d, e), "descriptor");
}

void
descriptor_wipe(struct descriptor *d)
{
	sodium_memzero(d, sizeof(*d));
}
