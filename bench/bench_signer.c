/*
 * bench_signer: the signer's core beside the bare curve.
 *
 *	bench_signer pay DIR wpkh|tr near|fresh|far PAYMENTS REQUESTS
 *		whole SIGN_PAY frames of 100 inputs, journal and seed in files
 *		of DIR; after each, libsecp256k1 alone signs and verifies the
 *		same hashes with the same keys, and must come to the same
 *		signatures.  Coins lie at keys that are looked up (near), that
 *		were never used before, so that the look-ahead moves with them
 *		(fresh), or beyond all that is looked up (far)
 *	bench_signer write DIR wpkh|tr PAYMENTS REQUESTS
 *		the same PSBTs and keys in files, for the baseline in
 *		JavaScript: DIR/N.psbt, DIR/N.keys (32 bytes an input),
 *		DIR/seed
 *	bench_signer memory WITHDRAWALS EACH
 *		what memory.c takes, EACH withdrawals in a transaction
 *	bench_signer start DIR WITHDRAWALS EACH
 *		unlock with a journal of so many
 *
 * Each prints one line of JSON.
 */
#define _GNU_SOURCE	/* memfd_create */
#include <assert.h>
#include <malloc.h>
#include <secp256k1.h>
#include <secp256k1_extrakeys.h>
#include <secp256k1_schnorrsig.h>
#include <time.h>

#include "signer/test/rig.h"

#define INPUTS		100
#define IN_SAT		(SAT_PER_BTC / 1000)
#define PAY_SAT		(SAT_PER_BTC / 1000)
#define SPREAD		1000	/* of the coins that are near */
#define WARM		3	/* requests that are not counted */

static void
die(const char *what)
{
	(void)fprintf(stderr, "bench_signer: %s\n", what);
	exit(1);
}

static int64_t
clock_ns(clockid_t which)
{
	struct timespec	 t;

	(void)clock_gettime(which, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* ---- the disk's share: linked with --wrap=fdatasync ---- */

int __real_fdatasync(int fd);
int __wrap_fdatasync(int fd);

static int64_t	sync_wall_ns, sync_cpu_ns;
static bool	no_sync;

int
__wrap_fdatasync(int fd)
{
	int64_t	 wall = clock_ns(CLOCK_MONOTONIC);
	int64_t	 cpu = clock_ns(CLOCK_THREAD_CPUTIME_ID);
	int	 r = no_sync ? 0 : __real_fdatasync(fd);

	sync_cpu_ns += clock_ns(CLOCK_THREAD_CPUTIME_ID) - cpu;
	sync_wall_ns += clock_ns(CLOCK_MONOTONIC) - wall;
	return r;
}

/* ---- a signer on real files ---- */

static int
file_in(const char *dir, const char *name)
{
	char	 path[4096];
	int	 fd;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd == -1)
		die("a file of DIR is there already, or cannot be made");
	return fd;
}

static void
signer_in(struct rig *r, const char *dir, const char *wallet)
{
	rig_begin(r, strcmp(wallet, "tr") == 0 ? SIGN_TR : SIGN_WPKH);
	r->set.short_max_sat = r->set.long_max_sat = 100000 * SAT_PER_BTC;
	if (dir != NULL) {
		(void)close(r->seed_fd);
		(void)close(r->journal_fd);
		r->seed_fd = file_in(dir, "seed");
		r->journal_fd = file_in(dir, "journal");
	}
	rig_found(r);
}

/* The secret of each input: for tr the output key's. */
static void
secrets_of(const struct rig *r, const struct rig_tx *t,
    unsigned char (*out)[32])
{
	uint32_t	 path[5] = { BIP32_HARD |
	    (r->set.wallet == SIGN_TR ? 86 : 84), BIP32_HARD | 1, BIP32_HARD };
	struct bip32_key master, branch[2], k;
	size_t		 i;

	RIG_MUST(signer_master(&master, r->seed_fd, text_of(RIG_PASSPHRASE),
	    r->set.network, &rig_e));
	for (i = 0; i < 2; i++) {
		path[3] = (uint32_t)i;
		RIG_MUST(bip32_derive(&branch[i], &master, path, 4, &rig_e));
	}
	for (i = 0; i < t->n_in; i++) {
		RIG_MUST(bip32_child(&k, &branch[t->in[i].branch],
		    t->in[i].index, &rig_e));
		memcpy(out[i], k.secret, 32);
		if (r->set.wallet == SIGN_TR &&
		    !curve_tap_secret(out[i], k.secret, NULL))
			die("no such key");
	}
}

/*
 * The transaction that made a coin, as customers' wallets make it: one input
 * with its witness, the coin, and change.
 */
static void
make_parent(struct rig *r, struct rig_in *in, uint32_t vout)
{
	static unsigned char witness[1 + 1 + 72 + 1 + 33] = { 2, 72,
		[74] = 33 };
	unsigned char	 other[ADDRESS_SCRIPT_MAX];
	struct tx_in	 from;
	struct tx_out	 to[2];
	struct tx	 t = { .version = 2, .in = &from, .n_in = 1, .out = to,
	    .n_out = 2, .has_witness = true };

	memset(&from, 0, sizeof(from));
	rig_hash(from.prev.txid, "parent", r->coins++);
	from.script_sig.p = "";
	from.sequence = 0xfffffffd;
	from.witness.p = (const char *)witness;
	from.witness.len = sizeof(witness);
	from.n_witness = 2;
	to[vout].amount_sat = in->amount_sat;
	to[vout].script.p = (const char *)in->script;
	to[vout].script.len = in->script_len;
	to[1 - vout].amount_sat = 3 * in->amount_sat;
	to[1 - vout].script.len = rig_stranger(other, r->coins);
	to[1 - vout].script.p = (const char *)other;
	assert(tx_size(&t, true) <= sizeof(in->parent));
	in->parent_len = tx_write(&t, true, in->parent);
	tx_txid(&t, in->prev.txid);
	in->prev.vout = vout;
}

enum place { NEAR, FRESH, FAR };

/* Near, the highest comes first: the look-ahead then stays where it is. */
/* rig_spend() counts a coin, and so does make_parent(). */
static uint32_t
index_of(const struct rig *r, enum place place)
{
	switch (place) {
	case NEAR:
		return (uint32_t)((r->coins / 2 * 37 + SPREAD - 1) % SPREAD);
	case FRESH:
		return (uint32_t)(SPREAD + r->coins / 2);
	case FAR:
		return (uint32_t)(10000000 + r->coins / 2 * 37);
	}
	abort();
}

/* A hundred coins of ours to so many strangers, and change. */
static void
make_tx(struct rig *r, struct rig_tx *t, enum place place, unsigned payments)
{
	static uint64_t	 id;
	char		 text[32];
	struct rig_in	*in;
	unsigned	 i;

	rig_tx_begin(t);
	t->flags = r->set.wallet == SIGN_TR ? RIG_NO_PARENT : 0;
	for (i = 0; i < INPUTS; i++) {
		in = rig_spend(r, t, i % 8 == 0,
		    index_of(r, place), IN_SAT);
		make_parent(r, in, i % 2);
	}
	for (i = 0; i < payments; i++) {
		(void)snprintf(text, sizeof(text), "w-%ju", (uintmax_t)++id);
		rig_pay(r, t, text, id, PAY_SAT);
	}
	rig_change(r, t, 1, index_of(r, NEAR),
	    INPUTS * IN_SAT - payments * PAY_SAT - 10 * RIG_FEE_SAT);
}

/* As Core makes it: with the internal keys. */
static struct psbt *
make_psbt(const struct rig *r, const struct rig_tx *t)
{
	struct psbt	*p = rig_psbt(r, t);
	struct descriptor_output o;
	struct text	 none = { NULL, 0 }, key = { NULL, 32 };
	size_t		 i;

	for (i = 0; i < t->n_in && r->set.wallet == SIGN_TR; i++) {
		rig_script(r, t->in[i].branch, t->in[i].index, &o);
		key.p = (const char *)o.keys[0] + 1;
		RIG_MUST(psbt_put(p, PSBT_IN, i, PSBT_IN_TAP_INTERNAL_KEY,
		    none, key, &rig_e));
	}
	return p;
}

/* ---- the bare curve ---- */

struct bare {
	secp256k1_context *ctx;
	unsigned char	secret[INPUTS][32];
	unsigned char	hash[INPUTS][32];
	secp256k1_pubkey pub[INPUTS];
	secp256k1_keypair pair[INPUTS];
	secp256k1_xonly_pubkey xonly[INPUTS];
	/* Summed over all requests, of CPU time. */
	int64_t		once_ns;	/* tr: with key pairs at hand */
	int64_t		full_ns;	/* tr: from the secret; wpkh: low R */
	uint64_t	signings;
};

static void
bare_begin(struct bare *b)
{
	unsigned char	 seed[32];

	rig_hash(seed, "blinding", 0);
	b->ctx = secp256k1_context_create(SECP256K1_CONTEXT_NONE);
	if (!secp256k1_context_randomize(b->ctx, seed))
		die("libsecp256k1 cannot be blinded");
}

/* What it signs in this request. */
static void
bare_take(struct bare *b, const struct rig *r, const struct rig_tx *t,
    const struct psbt *p)
{
	struct tx_out	 spent[INPUTS];
	unsigned char	 code[ADDRESS_SCRIPT_MAX];
	struct text	 c = { (const char *)code, 0 };
	struct sighash	 s;
	bool		 proved;
	size_t		 i;

	secrets_of(r, t, b->secret);
	for (i = 0; i < INPUTS; i++)
		RIG_MUST(psbt_spent(&spent[i], &proved, p, i, &rig_e));
	sighash_begin(&s, &p->tx, spent);
	for (i = 0; i < INPUTS; i++) {
		if (r->set.wallet == SIGN_TR) {
			if (!sighash_v1(b->hash[i], &s, i, SIGHASH_DEFAULT))
				die("no hash");
		} else {
			c.len = script_p2pkh(code, (const unsigned char *)
			    spent[i].script.p + 2);
			sighash_v0(b->hash[i], &s, i, c, SIGHASH_ALL);
		}
		if (!secp256k1_keypair_create(b->ctx, &b->pair[i],
		    b->secret[i]) ||
		    !secp256k1_keypair_pub(b->ctx, &b->pub[i], &b->pair[i]) ||
		    !secp256k1_keypair_xonly_pub(b->ctx, &b->xonly[i], NULL,
		    &b->pair[i]))
			die("no key");
	}
}

/* The signature of an input in the signer's answer is this one. */
static void
same_sig(const struct psbt *answer, size_t i, const unsigned char *sig,
    size_t len, bool tr)
{
	struct text	 t;

	t = answer->in[i].tap_key_sig;
	if (!tr)
		t = answer->in[i].n_sigs == 1 ? answer->in[i].sigs[0].sig :
		    (struct text){ NULL, 0 };
	if (t.p == NULL || t.len < len || memcmp(t.p, sig, len) != 0)
		die("the bare curve signs otherwise");
}

static bool
low_r(const struct bare *b, const secp256k1_ecdsa_signature *sig)
{
	unsigned char	 compact[64];

	(void)secp256k1_ecdsa_signature_serialize_compact(b->ctx, compact,
	    sig);
	return compact[0] < 0x80;
}

static void
bare_ecdsa(struct bare *b, const struct psbt *answer)
{
	secp256k1_ecdsa_signature sig[INPUTS];
	unsigned char	 extra[32], der[72];
	size_t		 i, len, good = 0;
	int64_t		 from = clock_ns(CLOCK_THREAD_CPUTIME_ID);

	for (i = 0; i < INPUTS; i++) {
		good += (size_t)secp256k1_ecdsa_sign(b->ctx, &sig[i],
		    b->hash[i], b->secret[i], NULL, NULL);
		good += (size_t)secp256k1_ecdsa_verify(b->ctx, &sig[i],
		    b->hash[i], &b->pub[i]);
	}
	b->once_ns += clock_ns(CLOCK_THREAD_CPUTIME_ID) - from;
	from = clock_ns(CLOCK_THREAD_CPUTIME_ID);
	for (i = 0; i < INPUTS; i++) {
		good += (size_t)secp256k1_ecdsa_sign(b->ctx, &sig[i],
		    b->hash[i], b->secret[i], NULL, NULL);
		memset(extra, 0, sizeof(extra));
		for (b->signings++; !low_r(b, &sig[i]); b->signings++) {
			extra[0]++;
			(void)secp256k1_ecdsa_sign(b->ctx, &sig[i],
			    b->hash[i], b->secret[i], NULL, extra);
		}
		good += (size_t)secp256k1_ecdsa_verify(b->ctx, &sig[i],
		    b->hash[i], &b->pub[i]);
	}
	b->full_ns += clock_ns(CLOCK_THREAD_CPUTIME_ID) - from;
	if (good != 4 * (size_t)INPUTS)
		die("the bare curve does not verify");
	for (i = 0; i < INPUTS; i++) {
		len = sizeof(der);
		(void)secp256k1_ecdsa_signature_serialize_der(b->ctx, der,
		    &len, &sig[i]);
		same_sig(answer, i, der, len, false);
	}
}

static void
bare_schnorr(struct bare *b, const struct psbt *answer)
{
	secp256k1_keypair pair;
	secp256k1_xonly_pubkey xonly;
	unsigned char	 sig[INPUTS][64];
	size_t		 i, good = 0;
	int64_t		 from = clock_ns(CLOCK_THREAD_CPUTIME_ID);

	for (i = 0; i < INPUTS; i++) {
		good += (size_t)secp256k1_schnorrsig_sign32(b->ctx, sig[i],
		    b->hash[i], &b->pair[i], NULL);
		good += (size_t)secp256k1_schnorrsig_verify(b->ctx, sig[i],
		    b->hash[i], 32, &b->xonly[i]);
	}
	b->once_ns += clock_ns(CLOCK_THREAD_CPUTIME_ID) - from;
	from = clock_ns(CLOCK_THREAD_CPUTIME_ID);
	for (i = 0; i < INPUTS; i++) {
		good += (size_t)secp256k1_keypair_create(b->ctx, &pair,
		    b->secret[i]);
		good += (size_t)secp256k1_keypair_xonly_pub(b->ctx, &xonly,
		    NULL, &pair);
		good += (size_t)secp256k1_schnorrsig_sign32(b->ctx, sig[i],
		    b->hash[i], &pair, NULL);
		good += (size_t)secp256k1_schnorrsig_verify(b->ctx, sig[i],
		    b->hash[i], 32, &xonly);
		b->signings++;
	}
	b->full_ns += clock_ns(CLOCK_THREAD_CPUTIME_ID) - from;
	if (good != 6 * (size_t)INPUTS)
		die("the bare curve does not verify");
	for (i = 0; i < INPUTS; i++)
		same_sig(answer, i, sig[i], 64, true);
}

/* ---- pay ---- */

struct sums {
	int64_t		cpu_ns, wall_ns, sync_ns;
	size_t		requests, psbt_bytes;
};

/* The request's frame; the caller frees it. */
static struct text
make_frame(struct rig *r, const struct rig_tx *t, const struct psbt *p)
{
	size_t		 len = psbt_size(p);
	unsigned char	*psbt = malloc(len), standing[RECEIPT_LEN], *frame;
	struct sign_message m;
	struct text	 out;

	rig_standing(r, standing);
	sign_message_clear(&m, SIGN_PAY, 7);
	if (r->has_known) {
		m.known.p = (const char *)r->known;
		m.known.len = SIGN_HEAD_LEN;
	}
	m.standing.p = (const char *)standing;
	m.standing.len = RECEIPT_LEN;
	m.psbt.p = (const char *)psbt;
	m.psbt.len = psbt_write(p, psbt);
	m.receipts.p = (const char *)t->receipts;
	m.receipts.len = t->n_receipts * RECEIPT_LEN;
	frame = malloc(sign_message_room(&m));
	out.len = sign_message_pack(&m, frame);
	out.p = (const char *)frame;
	free(psbt);
	return out;
}

static void
one_request(struct rig *r, struct rig_tx *t, struct bare *b,
    struct sums *sums)
{
	struct psbt	*p = make_psbt(r, t), *answer = NULL;
	struct text	 frame = make_frame(r, t, p), got;
	struct sign_message m;
	int64_t		 cpu, wall, sync = sync_wall_ns, hid = sync_cpu_ns;

	wall = clock_ns(CLOCK_MONOTONIC);
	cpu = clock_ns(CLOCK_THREAD_CPUTIME_ID);
	got = signer_take(r->s, frame, false, &r->now);
	sums->cpu_ns += clock_ns(CLOCK_THREAD_CPUTIME_ID) - cpu -
	    (sync_cpu_ns - hid);
	sums->wall_ns += clock_ns(CLOCK_MONOTONIC) - wall;
	sums->sync_ns += sync_wall_ns - sync;
	sums->psbt_bytes = psbt_size(p);
	sums->requests++;
	RIG_MUST(sign_message_unpack(&m, (const unsigned char *)got.p,
	    got.len, &rig_e));
	if (m.type != SIGN_DONE) {
		(void)fprintf(stderr, "%.*s\n", (int)m.reason.len, m.reason.p);
		die("refused");
	}
	memcpy(r->known, m.head.p, SIGN_HEAD_LEN);
	r->has_known = true;
	RIG_MUST(psbt_parse(&answer, (const unsigned char *)m.psbt.p,
	    m.psbt.len, &rig_e));
	bare_take(b, r, t, p);
	if (r->set.wallet == SIGN_TR)
		bare_schnorr(b, answer);
	else
		bare_ecdsa(b, answer);
	free((void *)(uintptr_t)frame.p);
	psbt_free(&answer);
	psbt_free(&p);
}

static int
pay(const char *dir, const char *wallet, enum place place, unsigned payments,
    unsigned requests)
{
	static struct rig r;
	static struct rig_tx t;
	static struct bare b;
	struct sums	 s;
	unsigned	 i;
	double		 n;

	signer_in(&r, dir, wallet);
	/* As after years: look-ups reach as far as they ever will. */
	if (place == FAR)
		RIG_MUST(keys_reach(r.s->keys, KEYS_TABLE_MAX, &rig_e));
	bare_begin(&b);
	memset(&s, 0, sizeof(s));
	for (i = 0; i < WARM + requests; i++) {
		if (i == WARM) {
			memset(&s, 0, sizeof(s));
			b.once_ns = b.full_ns = 0;
			b.signings = 0;
		}
		make_tx(&r, &t, place, payments);
		one_request(&r, &t, &b, &s);
	}
	n = (double)requests * INPUTS;
	(void)printf("{\"cpu_ns\": %.1f, \"wall_ns\": %.1f, \"sync_ns\": %.1f, "
	    "\"bare_once_ns\": %.1f, \"bare_full_ns\": %.1f, "
	    "\"signings\": %.3f, \"psbt_bytes\": %zu}\n",
	    (double)s.cpu_ns / n, (double)s.wall_ns / n,
	    (double)s.sync_ns / n, (double)b.once_ns / n,
	    (double)b.full_ns / n, (double)b.signings / n, s.psbt_bytes);
	secp256k1_context_destroy(b.ctx);
	rig_end(&r);
	return 0;
}

/* ---- write ---- */

static void
write_file(const char *dir, const char *name, const void *p, size_t len)
{
	int	 fd = file_in(dir, name);

	if (write(fd, p, len) != (ssize_t)len || close(fd) != 0)
		die("write");
}

static int
write_files(const char *dir, const char *wallet, unsigned payments,
    unsigned requests)
{
	static struct rig r;
	static struct rig_tx t;
	static unsigned char secret[INPUTS][32];
	char		 name[32];
	unsigned char	*bytes;
	struct psbt	*p;
	unsigned	 i;
	size_t		 len;

	signer_in(&r, NULL, wallet);
	write_file(dir, "seed", r.seed, sizeof(r.seed));
	for (i = 0; i < requests; i++) {
		make_tx(&r, &t, NEAR, payments);
		p = make_psbt(&r, &t);
		bytes = malloc(psbt_size(p));
		len = psbt_write(p, bytes);
		(void)snprintf(name, sizeof(name), "%u.psbt", i);
		write_file(dir, name, bytes, len);
		secrets_of(&r, &t, secret);
		(void)snprintf(name, sizeof(name), "%u.keys", i);
		write_file(dir, name, secret, sizeof(secret));
		free(bytes);
		psbt_free(&p);
	}
	rig_end(&r);
	return 0;
}

/* ---- memory, start ---- */

#define EACH_MAX	64

/* Withdrawals that nobody signed: what their record says. */
struct made {
	struct record	rec;
	struct outpoint	in[EACH_MAX];
	struct record_id ids[EACH_MAX];
	struct record_change change;
	char		text[EACH_MAX][24];
	uint64_t	n;
};

static void
made_next(struct made *m, unsigned each)
{
	unsigned	 i;

	memset(&m->rec, 0, sizeof(m->rec));
	m->rec.kind = RECORD_SIGNED;
	rig_hash(m->rec.txid, "tx", m->n);
	m->rec.cost_sat = 1000;
	m->rec.running_ms = 1000 + (int64_t)m->n;
	/* Coins are about as many as withdrawals. */
	m->rec.n_in = m->rec.n_ids = each;
	for (i = 0; i < each; i++) {
		rig_hash(m->in[i].txid, "in", m->n + i);
		(void)snprintf(m->text[i], sizeof(m->text[i]), "w-%016jx",
		    (uintmax_t)(m->n + i));
		m->ids[i].id = text_of(m->text[i]);
		rig_hash(m->ids[i].commitment, "to", m->n + i);
		m->ids[i].amount_sat = 900;
		m->ids[i].receipt_seq = 1000 + m->n + i;
	}
	m->rec.engine_seq = 1000 + m->n + each;
	m->change.amount_sat = 5000;
	m->change.branch = 1;
	m->rec.in = m->in;
	m->rec.ids = m->ids;
	m->rec.change = &m->change;
	m->rec.n_change = 1;
	m->n += each;
}

/* What the allocator gave, touched or not. */
static size_t
reserved(void)
{
	struct mallinfo2 i = mallinfo2();

	return i.uordblks + i.hblkhd;
}

static size_t
resident(void)
{
	char		 text[128] = "";
	FILE		*f = fopen("/proc/self/statm", "r");
	char		*rest;

	if (f == NULL || fgets(text, sizeof(text), f) == NULL)
		die("/proc/self/statm");
	(void)fclose(f);
	(void)strtoul(text, &rest, 10);
	return strtoul(rest, NULL, 10) * (size_t)sysconf(_SC_PAGESIZE);
}

static int
memory_of(uint64_t withdrawals, unsigned each)
{
	static struct made m;
	struct memory	*mem = NULL;
	size_t		 given = reserved(), there = resident();
	int64_t		 took = 0, from;
	struct err	 e;

	if (memory_new(&mem, &e) != RC_OK)
		die(e.text);
	while (m.n < withdrawals) {
		made_next(&m, each);
		from = clock_ns(CLOCK_MONOTONIC);
		if (memory_reserve(mem, &m.rec, &e) != RC_OK)
			die(e.text);
		memory_add(mem, &m.rec);
		took += clock_ns(CLOCK_MONOTONIC) - from;
	}
	(void)printf("{\"resident_bytes\": %.1f, \"reserved_bytes\": %.1f, "
	    "\"add_ns\": %.1f}\n",
	    (double)(resident() - there) / (double)m.n,
	    (double)(reserved() - given) / (double)m.n,
	    (double)took / (double)m.n);
	memory_free(&mem);
	return 0;
}

static int
start(const char *dir, uint64_t withdrawals, unsigned each)
{
	static struct made m;
	static struct rig r;
	struct refusal	 why;
	int64_t		 from;
	off_t		 size;

	signer_in(&r, dir, "wpkh");
	no_sync = true;
	while (m.n < withdrawals) {
		made_next(&m, each);
		if (!signer_record(r.s, &m.rec, &why))
			die(why.e.text);
	}
	no_sync = false;
	if (__real_fdatasync(r.journal_fd) != 0)
		die("fdatasync");
	signer_free(&r.s);
	/* A start is later than the newest record. */
	r.now.boot_ms += 1000 + (int64_t)m.n;
	from = clock_ns(CLOCK_MONOTONIC);
	rig_start(&r);
	from = clock_ns(CLOCK_MONOTONIC) - from;
	size = lseek(r.journal_fd, 0, SEEK_END);
	(void)printf("{\"start_s\": %.3f, \"journal_bytes\": %.1f, "
	    "\"resident_mib\": %.1f}\n", (double)from / 1e9,
	    (double)size / (double)m.n,
	    (double)resident() / (1 << 20));
	rig_end(&r);
	return 0;
}

static unsigned
number(const char *text, unsigned max)
{
	char		*end;
	unsigned long	 n = strtoul(text, &end, 10);

	if (end == text || *end != '\0' || n == 0 || n > max)
		die("a number is none, or too high");
	return (unsigned)n;
}

static enum place
place_of(const char *text)
{
	if (strcmp(text, "near") == 0)
		return NEAR;
	return strcmp(text, "fresh") == 0 ? FRESH : FAR;
}

int
main(int argc, char **argv)
{
	const char	*what = argc > 1 ? argv[1] : "";

	if (argc == 7 && strcmp(what, "pay") == 0)
		return pay(argv[2], argv[3], place_of(argv[4]),
		    number(argv[5], INPUTS - 1), number(argv[6], 500));
	if (argc == 6 && strcmp(what, "write") == 0)
		return write_files(argv[2], argv[3],
		    number(argv[4], INPUTS - 1), number(argv[5], 500));
	if (argc == 4 && strcmp(what, "memory") == 0)
		return memory_of(number(argv[2], 100000000),
		    number(argv[3], EACH_MAX));
	if (argc == 5 && strcmp(what, "start") == 0)
		return start(argv[2], number(argv[3], 100000000),
		    number(argv[4], EACH_MAX));
	die("see the head of bench_signer.c");
	return 1;
}
