/*
 * PSBTs of others: what is valid is written as it came, what is not is
 * refused; cut off anywhere, changed anywhere, and without memory.
 */
#include "tests/check.h"

#include <sodium.h>
#include <stdlib.h>

#include "bitcoin/hash.h"
#include "bitcoin/psbt.h"
#include "bitcoin/script.h"
#include "bitcoin/sighash.h"
#include "bitcoin/test/vectors.h"
#define HOSTILE_ALLOC
#include "bitcoin/test/hostile.h"

#define OURS	"tests/vectors/psbt-policy.json"
#define OTHERS	"../shared/vectors/psbt/"

#define ROOM	((size_t)1 << 16)

/*
 * What Bitcoin Core refuses on reading, and we when the output is asked for:
 * the caller decides which inputs it wants proved.
 */
static const struct {
	const char	*id, *why;
} later[] = {
	{ "c40b07d622d6", "another transaction than the one it spends" },
	{ "9ffb8c49a63b", "has no output" },
};

static size_t
decode(unsigned char *out, const char *text)
{
	size_t	 len = 0;

	CHECK(sodium_base642bin(out, ROOM, text, strlen(text), NULL, &len,
	    NULL, sodium_base64_VARIANT_ORIGINAL) == 0);
	return len;
}

static bool
refused_later(json_t *c, const struct psbt *p)
{
	struct tx_out	 out;
	struct err	 e = { "" };
	size_t		 i;
	bool		 proved;

	for (i = 0; i < sizeof(later) / sizeof(later[0]); i++)
		if (strcmp(later[i].id, vectors_text(c, "id")) == 0)
			return psbt_spent(&out, &proved, p, 0, &e) !=
			    RC_OK && strstr(e.text, later[i].why) != NULL;
	return false;
}

static void
check_valid(json_t *c, const char *text)
{
	struct psbt	*p = NULL;
	struct err	 e = { "" };
	char		*again;
	json_t		*locktime = json_object_get(c, "locktime");

	if (!CHECK(psbt_of_base64(&p, text_of(text), &e) == RC_OK)) {
		printf("#   %s: %s\n", vectors_text(c, "id"), e.text);
		return;
	}
	again = psbt_base64(p);
	CHECK_STR(again, text);
	if (locktime != NULL)
		CHECK_INT(p->tx.locktime, json_integer_value(locktime));
	free(again);
	psbt_free(&p);
}

/* True if it was refused on reading. */
static bool
check_invalid(json_t *c, const char *text)
{
	struct psbt	*p = NULL;
	struct err	 e = { "" };

	if (psbt_of_base64(&p, text_of(text), &e) != RC_OK) {
		CHECK(p == NULL && strncmp(e.text, "psbt: ", 6) == 0);
		return true;
	}
	if (!CHECK(refused_later(c, p)))
		printf("#   %s is taken\n", vectors_text(c, "id"));
	psbt_free(&p);
	return false;
}

/* BIP370: a locktime of null cannot be had. */
static void
run_file(const char *path, bool valid, size_t want, size_t want_later)
{
	json_t		*cases = vectors_read(path), *c;
	const char	*text;
	size_t		 i, n_later = 0;

	check_case(path);
	if (cases == NULL) {
		vectors_skip(path, path);
		check_case_name = NULL;
		return;
	}
	json_array_foreach(cases, i, c) {
		text = vectors_text(c, "psbt");
		if (valid && !json_is_null(json_object_get(c, "locktime")))
			check_valid(c, text);
		else
			n_later += !check_invalid(c, text);
	}
	CHECK_INT(i, want);
	CHECK_INT(n_later, want_later);
}

/* Cut off anywhere, it is refused without a look at what comes after. */
static void
truncate_all(const unsigned char *bytes, size_t len)
{
	struct psbt	*p = NULL;
	struct err	 e;
	size_t		 n;

	for (n = 0; n < len; n++)
		if (!CHECK(psbt_parse(&p, hostile_place(bytes, n), n, &e) !=
		    RC_OK && p == NULL)) {
			printf("#   %zu bytes of %zu\n", n, len);
			psbt_free(&p);
			return;
		}
	/* The whole of it, in the same place. */
	CHECK(psbt_parse(&p, hostile_place(bytes, len), len, &e) == RC_OK);
	psbt_free(&p);
}

/* Each byte changed: refused, or taken and written as it is. */
static void
change_all(const unsigned char *bytes, size_t len)
{
	static const unsigned char	 how[] = { 0x01, 0x80, 0xff };
	unsigned char	 again[ROOM], *place;
	struct tx_out	 out;
	struct psbt	*p = NULL;
	struct err	 e;
	size_t		 n, i;
	bool		 proved;

	for (n = 0; n < len * sizeof(how); n++) {
		place = hostile_place(bytes, len);
		place[n / sizeof(how)] ^= how[n % sizeof(how)];
		if (psbt_parse(&p, place, len, &e) != RC_OK)
			continue;
		CHECK(psbt_size(p) == len && psbt_write(p, again) == len &&
		    memcmp(again, place, len) == 0);
		for (i = 0; i < p->tx.n_in; i++)
			if (psbt_spent(&out, &proved, p, i, &e) == RC_OK)
				CHECK(!proved ||
				    p->in[i].non_witness_utxo.p != NULL);
		psbt_free(&p);
	}
}

/* Each allocation fails in turn. */
static void
starve(const char *text)
{
	struct psbt	*p;
	struct err	 e = { "" };
	char		*again;
	enum rc		 rc;
	unsigned long	 k;
	long		 live;

	for (k = 1;; k++) {
		live = hostile_live;
		p = NULL;
		again = NULL;
		hostile_fail(k);
		rc = psbt_of_base64(&p, text_of(text), &e);
		if (rc == RC_OK && (again = psbt_base64(p)) == NULL)
			rc = err_set(&e, "no memory");
		psbt_free(&p);
		free(again);
		CHECK(hostile_live == live);
		if (!hostile_end())
			break;
		CHECK(rc == RC_FAILED && strstr(e.text, "no memory") !=
		    NULL);
	}
	CHECK(rc == RC_OK && k > 4);
}

static void
run_hostile(const char *path, bool valid)
{
	static unsigned char bytes[ROOM];
	json_t		*cases = vectors_read(path), *c;
	const char	*text;
	struct psbt	*p;
	size_t		 i, len;

	if (cases == NULL)
		return;
	json_array_foreach(cases, i, c) {
		text = vectors_text(c, "psbt");
		/* One is no base64. */
		if (strlen(text) % 4 != 0)
			continue;
		len = decode(bytes, text);
		p = NULL;
		if (psbt_parse(&p, bytes, len, NULL) == RC_OK) {
			psbt_free(&p);
			truncate_all(bytes, len);
			starve(text);
			if (valid && i % 4 == 0)
				change_all(bytes, len);
		} else {
			/* What it is cut to may be good. */
			for (; len > 0; len--)
				if (psbt_parse(&p, hostile_place(bytes, len),
				    len, NULL) == RC_OK)
					psbt_free(&p);
		}
	}
}

static void
test_hostile(void)
{
	static const char *const names[] = {
		"bip174-valid", "bip370-valid", "bip371-valid", "core-valid",
		"wally-valid", "bip370-locktime", "bip174-signer-refuse",
		"bip174-invalid", "bip370-invalid", "bip371-invalid",
		"core-invalid", "core-invalid-with-message", "wally-invalid",
	};
	char		 path[128];
	size_t		 i;

	check_case("cut off, changed and without memory, each");
	run_hostile(OURS, true);
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), OTHERS "%s.json", names[i]);
		run_hostile(path, i < 5);
	}
}

/* Which lies of ours show already here, and where: the rest the signer has
 * to find. */
enum stage { READING, SPENT, SIGNER };

static const struct {
	const char	*lie;
	enum stage	 stage;
	const char	*why;
} lies[] = {
	{ "duplicate-key", READING, "a key comes twice" },
	{ "trailing-bytes", READING, "bytes follow its last map" },
	{ "witness-amount", SPENT, "witness_utxo is not the output" },
	{ "nonwitness-txid", SPENT, "another transaction than" },
	{ "no-utxo", SPENT, "does not say what it spends" },
};

static enum stage
stage_of(const char *lie, const char **why)
{
	size_t	 i;

	for (i = 0; i < sizeof(lies) / sizeof(lies[0]); i++)
		if (lie != NULL && strcmp(lie, lies[i].lie) == 0) {
			*why = lies[i].why;
			return lies[i].stage;
		}
	return SIGNER;
}

/* What it spends; false when an input does not say, or lies. */
static bool
spent_of(struct tx_out *spent, const struct psbt *p, struct err *e)
{
	bool	 proved;
	size_t	 i;

	for (i = 0; i < p->tx.n_in; i++)
		if (psbt_spent(&spent[i], &proved, p, i, e) != RC_OK ||
		    !CHECK(proved))
			return false;
	return true;
}

static void
check_facts(json_t *c, const struct psbt *p, const struct tx_out *spent)
{
	json_t		*want, *outs = json_object_get(c, "outputs");
	unsigned char	 hash[32], code[ADDRESS_SCRIPT_MAX];
	struct sighash	 s;
	struct text	 t = { (char *)code, 0 };
	char		 text[65];
	int64_t		 total = 0, paid = 0;
	size_t		 i;

	tx_txid(&p->tx, hash);
	hash_text(text, hash);
	CHECK_STR(text, vectors_text(c, "unsigned_txid"));
	sighash_begin(&s, &p->tx, spent);
	json_array_foreach(json_object_get(c, "sighash_all"), i, want) {
		total += spent[i].amount_sat;
		t.len = script_p2pkh(code,
		    (const unsigned char *)spent[i].script.p + 2);
		sighash_v0(hash, &s, i, t, SIGHASH_ALL);
		CHECK(vectors_hex(code, 32, json_string_value(want)) == 32 &&
		    memcmp(code, hash, 32) == 0);
	}
	CHECK_INT(i, p->tx.n_in);
	CHECK_INT(total, json_integer_value(json_object_get(c,
	    "inputs_total")));
	CHECK_INT(json_array_size(outs), p->tx.n_out);
	for (i = 0; i < p->tx.n_out; i++) {
		paid += p->tx.out[i].amount_sat;
		CHECK(json_is_true(json_object_get(json_array_get(outs, i),
		    "change_claimed")) == (p->out[i].n_paths > 0));
	}
	CHECK_INT(total - paid, json_integer_value(json_object_get(c,
	    "fee")));
}

static void
test_policy(void)
{
	static struct tx_out spent[64];
	json_t		*cases = vectors_read(OURS), *c;
	const char	*lie, *why = NULL;
	struct psbt	*p;
	struct err	 e;
	enum stage	 stage;
	size_t		 i, n[3] = { 0, 0, 0 };

	check_case("H9: our spends, and which lies show on reading");
	json_array_foreach(cases, i, c) {
		lie = json_string_value(json_object_get(c, "lie"));
		stage = stage_of(lie, &why);
		n[stage]++;
		p = NULL;
		e.text[0] = '\0';
		if (psbt_of_base64(&p, text_of(vectors_text(c, "psbt")), &e)
		    != RC_OK) {
			CHECK(stage == READING && strstr(e.text, why) !=
			    NULL);
			continue;
		}
		if (!spent_of(spent, p, &e)) {
			if (!CHECK(stage == SPENT && strstr(e.text, why) !=
			    NULL))
				printf("#   %s: %s\n", lie, e.text);
		} else {
			CHECK(stage == SIGNER);
			check_facts(c, p, spent);
		}
		psbt_free(&p);
	}
	CHECK_INT(n[READING] + n[SPENT] + n[SIGNER], 60);
	CHECK_INT(n[READING], 6);
	CHECK_INT(n[SPENT], 14);
}

int
main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (sodium_init() < 0)
		return 1;
	run_file(OTHERS "bip174-valid.json", true, 7, 0);
	run_file(OTHERS "bip174-signer-refuse.json", true, 3, 0);
	run_file(OTHERS "bip370-valid.json", true, 10, 0);
	run_file(OTHERS "bip370-locktime.json", true, 7, 0);
	run_file(OTHERS "bip371-valid.json", true, 4, 0);
	run_file(OTHERS "core-valid.json", true, 32, 0);
	run_file(OTHERS "wally-valid.json", true, 27, 0);
	run_file(OTHERS "bip174-invalid.json", false, 14, 0);
	run_file(OTHERS "bip370-invalid.json", false, 16, 0);
	run_file(OTHERS "bip371-invalid.json", false, 8, 0);
	run_file(OTHERS "core-invalid.json", false, 42, 2);
	run_file(OTHERS "core-invalid-with-message.json", false, 16, 0);
	run_file(OTHERS "wally-invalid.json", false, 80, 0);
	test_policy();
	test_hostile();
	return check_done();
}
