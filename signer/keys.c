/*
 * What is derived ahead lies in plain memory: scripts, and the public keys
 * ready for verifying.  Secrets are the branches' keys and what comes from the
 * seed besides; the key of an input is made from its branch's when it signs,
 * and wiped.
 */
#include "signer/keys.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "bitcoin/hash.h"
#include "lib/secret.h"
#include "signer/keys_inner.h"
#include "wire/sign.h"

/* ---- the table of scripts ---- */

static struct text
script_at(const struct keys *k, unsigned branch, uint32_t index)
{
	struct text	 t = { NULL, 0 };

	if (branch < 2) {
		t.p = (const char *)k->own[branch][index].script;
		t.len = k->own[branch][index].len;
	} else {
		t.p = (const char *)k->cold[branch - 2]->out[index].script;
		t.len = k->cold[branch - 2]->out[index].len;
	}
	return t;
}

/* All our scripts hold a hash or a key from their third byte on. */
static size_t
slot_of(struct text script, size_t n_slots)
{
	uint64_t	 h;

	memcpy(&h, script.p + 3, sizeof(h));
	return (size_t)h & (n_slots - 1);
}

static void
slot_take(struct keys *k, unsigned branch, uint32_t index)
{
	struct text	 script = script_at(k, branch, index);
	size_t		 i = slot_of(script, k->n_slots);

	while (k->slots[i].branch != 0)
		i = (i + 1) & (k->n_slots - 1);
	k->slots[i].branch = branch + 1;
	k->slots[i].index = index;
}

/* Everything into new slots, with room for `more` scripts. */
static enum rc
slots_make(struct keys *k, size_t more, struct err *e)
{
	size_t		 n = 1024, have = 2 * k->n_own, i;
	struct slot	*made;
	unsigned	 c;

	for (c = 0; c < k->n_cold; c++)
		have += k->cold[c]->n;
	while (n < 2 * (have + more))
		n *= 2;
	if ((made = calloc(n, sizeof(*made))) == NULL)
		return err_set(e, "no memory for the wallet's scripts");
	free(k->slots);
	k->slots = made;
	k->n_slots = n;
	k->slots_room = n / 2;
	k->slots_used = have;
	for (i = 0; i < k->n_own; i++) {
		slot_take(k, 0, (uint32_t)i);
		slot_take(k, 1, (uint32_t)i);
	}
	for (c = 0; c < k->n_cold; c++)
		for (i = 0; i < k->cold[c]->n; i++)
			slot_take(k, 2 + c, (uint32_t)i);
	return RC_OK;
}

/* ---- deriving ---- */

/* Public child i of a branch's key: its point. */
static bool
point_child(struct curve_point *out, const struct parent *p, uint32_t i)
{
	unsigned char	 data[PUBLIC_KEY_LEN + 4], sum[SHA512_LEN];

	memcpy(data, p->public, PUBLIC_KEY_LEN);
	data[33] = (unsigned char)(i >> 24);
	data[34] = (unsigned char)(i >> 16);
	data[35] = (unsigned char)(i >> 8);
	data[36] = (unsigned char)i;
	hmac512(sum, &p->chain, data, sizeof(data));
	*out = p->point;
	return curve_point_add(out, sum);
}

static bool
derive_multisig(const struct keys *k, struct ours *out, unsigned branch,
    uint32_t index)
{
	unsigned char	 keys[MULTISIG_MAX][PUBLIC_KEY_LEN];
	unsigned char	 script[MULTISIG_SCRIPT_MAX], hash[SHA256_LEN];
	struct curve_point p;
	unsigned	 i;
	size_t		 len;

	for (i = 0; i < k->n; i++) {
		if (!point_child(&p, &k->of[branch][i], index))
			return false;
		curve_point_write(keys[i], &p);
		if (i == k->ours)
			out->point = p;
	}
	script_sort_keys(keys, k->n);
	len = script_multisig(script, k->m,
	    (const unsigned char (*)[PUBLIC_KEY_LEN])keys, k->n);
	sha256(hash, script, len);
	out->len = (uint8_t)script_p2wsh(out->script, hash);
	return true;
}

bool
keys_derive_one(const struct keys *k, struct ours *out, unsigned branch,
    uint32_t index)
{
	unsigned char	 public[PUBLIC_KEY_LEN], hash[HASH160_LEN];
	unsigned char	 tap[XONLY_LEN];

	assert(branch < 2);
	switch (k->wallet) {
	case SIGN_WPKH:
		if (!point_child(&out->point, &k->of[branch][k->ours], index))
			return false;
		curve_point_write(public, &out->point);
		hash160(hash, public, sizeof(public));
		out->len = (uint8_t)script_p2wpkh(out->script, hash);
		return true;
	case SIGN_TR:
		if (!point_child(&out->point, &k->of[branch][k->ours], index))
			return false;
		if (!curve_tap_output_of(tap, &out->point, NULL))
			return false;
		out->len = (uint8_t)script_p2tr(out->script, tap);
		return true;
	case SIGN_WSH:
		return derive_multisig(k, out, branch, index);
	}
	abort();
}

static enum rc
derive_cold(struct theirs *out, const struct descriptor *d, uint32_t index,
    struct err *e)
{
	struct descriptor_output o;

	if (descriptor_derive(&o, d, 0, index, e) != RC_OK)
		return RC_FAILED;
	if (o.script_len > sizeof(out->script))
		return err_set(e, "a script of %zu bytes", o.script_len);
	memcpy(out->script, o.script, o.script_len);
	out->len = (uint8_t)o.script_len;
	return RC_OK;
}

/* Room for n in an array; what is there stays. */
static enum rc
make_room(void **array, size_t *room, size_t n, size_t size, struct err *e)
{
	void	*p;

	if (n <= *room)
		return RC_OK;
	if (n < *room + *room / 2)
		n = *room + *room / 2;
	if ((p = reallocarray(*array, n, size)) == NULL)
		return err_set(e, "no memory for the wallet's scripts");
	*array = p;
	*room = n;
	return RC_OK;
}

/* How many are looked up when n of our own are. */
static size_t
cold_count(const struct cold *c, size_t n)
{
	if (!c->range)
		return 1;
	return n < KEYS_COLD_MAX ? n : KEYS_COLD_MAX;
}

static enum rc
reach_cold(struct cold *c, size_t n, struct err *e)
{
	void		*p = c->out;
	enum rc		 rc;
	size_t		 i;

	n = cold_count(c, n);
	rc = make_room(&p, &c->room, n, sizeof(*c->out), e);
	c->out = p;
	/* n is what is looked up; the caller counts them in. */
	for (i = c->n; rc == RC_OK && i < n; i++)
		rc = derive_cold(&c->out[i], &c->d, (uint32_t)i, e);
	return err_wrap(e, rc, "cold descriptor");
}

static enum rc
reach_own(struct keys *k, size_t n, struct err *e)
{
	unsigned	 b;
	size_t		 i, room = 0;
	void		*p;
	enum rc		 rc = RC_OK;

	for (b = 0; b < 2 && rc == RC_OK; b++) {
		room = k->own_room;
		p = k->own[b];
		rc = make_room(&p, &room, n, sizeof(*k->own[b]), e);
		k->own[b] = p;
	}
	if (rc != RC_OK)
		return rc;
	k->own_room = room;
	for (b = 0; b < 2; b++)
		for (i = k->n_own; i < n; i++)
			if (!keys_derive_one(k, &k->own[b][i], b,
			    (uint32_t)i))
				return err_set(e, "no key at %u/%zu", b, i);
	return RC_OK;
}

enum rc
keys_reach(struct keys *k, uint32_t highest, struct err *e)
{
	size_t		 n = (size_t)highest + KEYS_AHEAD + 1, i, more;
	unsigned	 c;

	assert(k->has_wallet);
	if (n > KEYS_TABLE_MAX)
		n = KEYS_TABLE_MAX;
	if (n <= k->n_own)
		return RC_OK;
	if (reach_own(k, n, e) != RC_OK)
		return RC_FAILED;
	more = 2 * (n - k->n_own);
	for (c = 0; c < k->n_cold; c++) {
		if (reach_cold(k->cold[c], n, e) != RC_OK)
			return RC_FAILED;
		more += cold_count(k->cold[c], n) - k->cold[c]->n;
	}
	/* All is derived: from here nothing fails but this. */
	if (k->slots_used + more > k->slots_room &&
	    slots_make(k, more, e) != RC_OK)
		return RC_FAILED;
	for (; k->n_own < n; k->n_own++) {
		slot_take(k, 0, (uint32_t)k->n_own);
		slot_take(k, 1, (uint32_t)k->n_own);
	}
	for (c = 0; c < k->n_cold; c++)
		for (i = k->cold[c]->n; i < cold_count(k->cold[c], n); i++) {
			k->cold[c]->n = i + 1;
			slot_take(k, 2 + c, (uint32_t)i);
		}
	k->slots_used += more;
	return RC_OK;
}

uint32_t
keys_reached(const struct keys *k)
{
	assert(k->n_own > 0);
	return (uint32_t)(k->n_own - 1);
}

/* ---- looking up ---- */

bool
keys_look_up(struct key_ref *out, const struct keys *k, struct text script)
{
	const struct slot *s;
	size_t		 i;

	if (script.len < 3 + sizeof(uint64_t) || k->n_slots == 0)
		return false;
	for (i = slot_of(script, k->n_slots);; i = (i + 1) & (k->n_slots - 1)) {
		s = &k->slots[i];
		if (s->branch == 0)
			return false;
		if (text_equal(script_at(k, s->branch - 1, s->index), script))
			break;
	}
	out->branch = (uint8_t)(s->branch - 1);
	out->index = s->index;
	return true;
}

bool
keys_claimed(struct key_ref *claimed, const struct keys *k,
    const struct psbt_path *path)
{
	if (path->n != k->n_path + 2 ||
	    memcmp(path->fingerprint, k->fingerprint, 4) != 0 ||
	    memcmp(path->path, k->path, k->n_path * sizeof(k->path[0])) != 0 ||
	    path->path[k->n_path] > 1 ||
	    path->path[k->n_path + 1] >= BIP32_HARD)
		return false;
	claimed->branch = (uint8_t)path->path[k->n_path];
	claimed->index = path->path[k->n_path + 1];
	return true;
}

const struct ours *
keys_one(const struct keys *k, const struct key_ref *ref)
{
	struct far	*f;

	assert(ref->branch < 2);
	if (ref->index < k->n_own)
		return &k->own[ref->branch][ref->index];
	f = &k->far[(2 * (size_t)ref->index + ref->branch) % FAR_ROOM];
	if (f->index == ref->index && f->branch == ref->branch + 1u)
		return &f->one;
	f->branch = 0;
	if (!keys_derive_one(k, &f->one, ref->branch, ref->index))
		return NULL;
	f->index = ref->index;
	f->branch = ref->branch + 1u;
	return &f->one;
}

bool
keys_matches(const struct keys *k, const struct key_ref *ref,
    struct text script)
{
	const struct ours *one = keys_one(k, ref);

	return one != NULL && script.len == one->len &&
	    memcmp(script.p, one->script, one->len) == 0;
}

bool
keys_is(const struct keys *k, const struct key_ref *ref, struct text key)
{
	unsigned char	 public[PUBLIC_KEY_LEN];
	const struct ours *one = keys_one(k, ref);
	size_t		 skip = k->wallet == SIGN_TR ? 1 : 0;

	if (one == NULL)
		return false;
	curve_point_write(public, &one->point);
	return key.len == sizeof(public) - skip &&
	    memcmp(key.p, public + skip, key.len) == 0;
}

/* ---- the wallet that the settings name ---- */

static void
cold_free(struct cold *c)
{
	if (c != NULL)
		free(c->out);
	free(c);
}

static enum rc
cold_new(struct cold **out, const char *text, struct err *e)
{
	struct cold	*c = calloc(1, sizeof(*c));

	if (c == NULL)
		return err_set(e, "no memory for a cold descriptor");
	*out = c;
	if (descriptor_parse(&c->d, text_of(text), false, false, e) != RC_OK)
		return err_wrap(e, RC_FAILED, "cold descriptor");
	c->range = descriptor_is_range(&c->d);
	return RC_OK;
}

/* The cold descriptors, replaced; as they were on failure. */
static enum rc
take_cold(struct keys *k, const struct sign_settings *s, struct err *e)
{
	struct cold	*made[SIGN_COLD_MAX] = { NULL };
	struct cold	*old[SIGN_COLD_MAX];
	size_t		 n_old = k->n_cold, i;
	enum rc		 rc = RC_OK;

	for (i = 0; i < s->n_cold && rc == RC_OK; i++) {
		rc = cold_new(&made[i], s->cold[i], e);
		if (rc == RC_OK)
			rc = reach_cold(made[i], k->n_own, e);
		if (rc == RC_OK)
			made[i]->n = cold_count(made[i], k->n_own);
	}
	memcpy(old, k->cold, sizeof(old));
	if (rc == RC_OK) {
		memcpy(k->cold, made, sizeof(made));
		k->n_cold = s->n_cold;
		rc = slots_make(k, 0, e);
	}
	if (rc != RC_OK) {
		memcpy(k->cold, old, sizeof(old));
		k->n_cold = n_old;
	}
	for (i = 0; i < SIGN_COLD_MAX; i++)
		cold_free(rc == RC_OK ? i < n_old ? old[i] : NULL : made[i]);
	return rc;
}

static enum rc
take_parent(struct parent *out, const struct descriptor_key *from,
    struct err *e)
{
	struct bip32_key child;

	if (!from->extended || !from->range || from->range_hard)
		return err_set(e, "a key of it is no account's");
	if (bip32_derive(&child, &from->key, from->path, from->n_path, e) !=
	    RC_OK)
		return RC_FAILED;
	hmac512_key(&out->chain, child.chain, sizeof(child.chain));
	memcpy(out->public, child.public, sizeof(out->public));
	if (!curve_point_parse(&out->point, out->public, sizeof(out->public)))
		return err_set(e, "a key of it is none");
	return RC_OK;
}

static enum rc
take_branch(struct keys *k, const struct sign_settings *s, unsigned branch,
    struct err *e)
{
	uint32_t	 step = branch;
	struct bip32_key *key = &k->secret->key;
	struct descriptor d;
	unsigned	 i;

	if (keys_print(k->text[branch], sizeof(k->text[branch]),
	    &k->secret->master, s, branch, false, e) != RC_OK ||
	    descriptor_parse(&d, text_of(k->text[branch]), true, false, e) !=
	    RC_OK)
		return RC_FAILED;
	if (bip32_derive(key, &k->secret->master, k->path, k->n_path, e) !=
	    RC_OK || bip32_derive(key, key, &step, 1, e) != RC_OK)
		return RC_FAILED;
	memcpy(k->secret->branch[branch], key->secret, 32);
	k->n = d.n;
	k->m = d.kind == DESCRIPTOR_WSH_SORTEDMULTI ? d.m : 1;
	k->ours = d.n;
	for (i = 0; i < d.n; i++) {
		if (take_parent(&k->of[branch][i], &d.keys[i], e) != RC_OK)
			return RC_FAILED;
		if (d.keys[i].key.test != k->secret->master.test)
			return err_set(e, "a key of it is another network's");
		if (memcmp(k->of[branch][i].public, key->public,
		    PUBLIC_KEY_LEN) == 0)
			k->ours = i;
	}
	return k->ours < d.n ? RC_OK :
	    err_set(e, "our own key is not in it");
}

static enum rc
take_wallet(struct keys *k, const struct sign_settings *s, struct err *e)
{
	enum rc	 rc;

	k->wallet = s->wallet;
	memset(k->far, 0, FAR_ROOM * sizeof(*k->far));
	k->secret->master.test = s->network != NETWORK_MAIN;
	k->n_path = keys_account_path(k->path, s);
	bip32_fingerprint(k->fingerprint, &k->secret->master);
	if ((rc = take_branch(k, s, 0, e)) == RC_OK)
		rc = take_branch(k, s, 1, e);
	sodium_memzero(&k->secret->key, sizeof(k->secret->key));
	if (rc != RC_OK)
		return err_wrap(e, rc, "wallet");
	/* Empty, though an earlier attempt may have failed behind this. */
	free(k->slots);
	k->slots = NULL;
	k->n_slots = k->slots_room = k->slots_used = k->n_own = 0;
	k->has_wallet = true;
	rc = keys_reach(k, 0, e);
	k->has_wallet = rc == RC_OK;
	return rc;
}

enum rc
keys_settings(struct keys *k, const struct sign_settings *s, struct err *e)
{
	bool	 first = !k->has_wallet;
	enum rc	 rc;

	if (first && (rc = take_wallet(k, s, e)) != RC_OK)
		return rc;
	if ((rc = take_cold(k, s, e)) != RC_OK) {
		k->has_wallet = !first;
		return rc;
	}
	sodium_memzero(&k->secret->master, sizeof(k->secret->master));
	return RC_OK;
}

enum rc
keys_of_master(struct keys **out, const struct bip32_key *master,
    const struct sign_settings *s, struct err *e)
{
	struct keys	*k = calloc(1, sizeof(*k));

	assert(*out == NULL);
	if (k == NULL)
		return err_set(e, "no memory for keys");
	k->far = calloc(FAR_ROOM, sizeof(*k->far));
	if (k->far == NULL ||
	    (k->secret = secret_new(sizeof(*k->secret))) == NULL) {
		free(k->far);
		free(k);
		return err_set(e, "no memory for secrets");
	}
	k->secret->master = *master;
	keys_journal_key(k->secret->journal, master);
	keys_pair(k->secret->signing, k->signing_public, master);
	sign_id_of_key(k->id, k->signing_public);
	if (s != NULL && keys_settings(k, s, e) != RC_OK) {
		keys_wipe(&k);
		return RC_FAILED;
	}
	*out = k;
	return RC_OK;
}

enum rc
keys_make(struct keys **out, const unsigned char seed[SEED_LEN],
    const struct sign_settings *s, struct err *e)
{
	struct bip32_key *master = secret_new(sizeof(*master));
	enum rc		 rc;

	if (master == NULL)
		return err_set(e, "no memory for secrets");
	/* Which network only matters for its text. */
	rc = signer_master_of_seed(master, seed, NETWORK_MAIN, e);
	if (rc == RC_OK)
		rc = keys_of_master(out, master, s, e);
	secret_free(master, sizeof(*master));
	return rc;
}

void
keys_wipe(struct keys **k)
{
	size_t	 i;

	if (*k == NULL)
		return;
	for (i = 0; i < (*k)->n_cold; i++)
		cold_free((*k)->cold[i]);
	secret_free((*k)->secret, sizeof(*(*k)->secret));
	free((*k)->own[0]);
	free((*k)->own[1]);
	free((*k)->slots);
	free((*k)->far);
	free(*k);
	*k = NULL;
}

const unsigned char *
keys_journal(const struct keys *k)
{
	return k->secret->journal;
}

const unsigned char *
keys_signing_secret(const struct keys *k)
{
	return k->secret->signing;
}

const unsigned char *
keys_signing_public(const struct keys *k)
{
	return k->signing_public;
}

const unsigned char *
keys_id(const struct keys *k)
{
	return k->id;
}
