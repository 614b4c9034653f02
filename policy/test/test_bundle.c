/*
 * Bundles: a policy loaded from one is the policy that was loaded from
 * files, its hash goes with the content and not with the folder, and nothing
 * but the one bundle of a policy is taken.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/bundle.h"
#include "tests/check.h"
#include "wire/bytes.h"

static char	 folder[64];

static const char *
in_folder(const char *name)
{
	static char	 path[2][512];
	static int	 turn;

	turn ^= 1;
	(void)snprintf(path[turn], sizeof(path[turn]), "%s/%s", folder, name);
	return path[turn];
}

static void
write_file(const char *name, const char *text)
{
	FILE	*f = fopen(in_folder(name), "w");

	if (f == NULL || fputs(text, f) == EOF || fclose(f) != 0)
		abort();
}

static struct policy *
load(const char *path)
{
	struct policy	*p = NULL;
	struct err	 e;

	if (policy_load(&p, path, NULL, &e) != RC_OK) {
		printf("#   %s\n", e.text);
		abort();
	}
	return p;
}

static unsigned char *
bundle(const struct policy *p, size_t *len, unsigned char hash[32])
{
	unsigned char	*b = NULL;
	struct err	 e;

	if (policy_bundle(&b, len, p, &e) != RC_OK) {
		printf("#   %s\n", e.text);
		abort();
	}
	policy_bundle_hash(hash, b, *len);
	return b;
}

/* The hash of the policy in a file. */
static void
hash_of(unsigned char hash[32], const char *path)
{
	struct policy	*p = load(path);
	size_t		 len;

	free(bundle(p, &len, hash));
	policy_free(&p);
}

static char *
printed(const struct policy *p)
{
	char	*text = NULL;
	size_t	 len = 0;
	FILE	*f = open_memstream(&text, &len);

	if (f == NULL)
		abort();
	policy_print(p, f);
	(void)fclose(f);
	return text;
}

/* Every place that a person is shown. */
static void
same_places(const struct policy *p, const struct policy *q)
{
	char	 a[256], b[256];
	int	 i;
	size_t	 k;

	CHECK_INT(p->n_rules, q->n_rules);
	for (i = 0; i < p->n_rules && i < q->n_rules; i++) {
		(void)policy_where(p, p->rules[i].pos, a, sizeof(a));
		(void)policy_where(q, q->rules[i].pos, b, sizeof(b));
		CHECK_STR(a, b);
		CHECK(p->rules[i].pos.col == q->rules[i].pos.col);
	}
	CHECK_INT(p->n_tables, q->n_tables);
	for (i = 0; i < p->n_tables && i < q->n_tables; i++) {
		CHECK(p->tables[i].digest == q->tables[i].digest);
		CHECK_INT(p->tables[i].n_rows, q->tables[i].n_rows);
		for (k = 0; k < p->tables[i].n_rows; k++) {
			(void)policy_where(p, p->tables[i].rows[k].pos, a,
			    sizeof(a));
			(void)policy_where(q, q->tables[i].rows[k].pos, b,
			    sizeof(b));
			CHECK_STR(a, b);
		}
	}
}

static void
round_trip(const char *path, const char *name)
{
	struct policy	*p = load(path), *q = NULL;
	unsigned char	*b, *again, h[32], h2[32];
	char		*text, *text2, first[256];
	struct err	 e = { "" };
	size_t		 len, len2;

	check_case(name);
	b = bundle(p, &len, h);
	CHECK_STR(policy_bundle_name(b, len, first, sizeof(first)), path);
	if (!CHECK(policy_load_bundle(&q, b, len, stderr, &e) == RC_OK)) {
		printf("#   %s\n", e.text);
		abort();
	}
	text = printed(p);
	text2 = printed(q);
	CHECK_STR(text, text2);
	same_places(p, q);
	again = bundle(q, &len2, h2);
	CHECK(len == len2 && memcmp(b, again, len) == 0);
	CHECK(memcmp(h, h2, sizeof(h)) == 0);
	free(text);
	free(text2);
	free(again);
	free(b);
	policy_free(&p);
	policy_free(&q);
}

#define MAIN	"policy 1\ndefault hold\ninclude \"parts/a.policy\"\n" \
		"table <t> of accounts file \"t.txt\"\n" \
		"hold \"r\" when account in <t> or account in <u>\n"
#define PART	"table <u> of accounts file \"../t.txt\"\n"

static void
make_policy(void)
{
	(void)mkdir(in_folder("parts"), 0700);
	write_file("main.policy", MAIN);
	write_file("parts/a.policy", PART);
	write_file("t.txt", "one,\ttwo # tabs and commas\r\nthree\n");
}

static void
test_hash(void)
{
	unsigned char	 h[32], h2[32];
	char		 here[512];

	make_policy();
	round_trip(in_folder("main.policy"), "tables and parts of its own");
	check_case("the hash goes with the content, not with the folder");
	hash_of(h, in_folder("main.policy"));
	if (getcwd(here, sizeof(here)) == NULL || chdir(folder) != 0)
		abort();
	hash_of(h2, "main.policy");
	CHECK(memcmp(h, h2, sizeof(h)) == 0);
	hash_of(h2, "./main.policy");
	CHECK(memcmp(h, h2, sizeof(h)) == 0);
	if (chdir(here) != 0)
		abort();
	write_file("t.txt", "one,\ttwo # tabs and commas\r\nthreE\n");
	hash_of(h2, in_folder("main.policy"));
	CHECK(memcmp(h, h2, sizeof(h)) != 0);
	/* Bytes that mean nothing are bytes all the same. */
	write_file("t.txt", "one,\ttwo # tabs and comma\r\nthree\n");
	hash_of(h2, in_folder("main.policy"));
	CHECK(memcmp(h, h2, sizeof(h)) != 0);
	make_policy();
	hash_of(h2, in_folder("main.policy"));
	CHECK(memcmp(h, h2, sizeof(h)) == 0);
	write_file("other.policy", MAIN);
	hash_of(h2, in_folder("other.policy"));
	CHECK(memcmp(h, h2, sizeof(h)) != 0);
}

static void
test_no_file(void)
{
	struct policy	*p, *q = NULL;
	unsigned char	*b, h[32];
	char		*text, *text2;
	struct err	 e = { "" };
	size_t		 len;

	check_case("nothing is read from the disk");
	make_policy();
	p = load(in_folder("main.policy"));
	b = bundle(p, &len, h);
	(void)unlink(in_folder("t.txt"));
	(void)unlink(in_folder("parts/a.policy"));
	(void)unlink(in_folder("main.policy"));
	if (!CHECK(policy_load_bundle(&q, b, len, stderr, &e) == RC_OK)) {
		printf("#   %s\n", e.text);
		return;
	}
	text = printed(p);
	text2 = printed(q);
	CHECK_STR(text, text2);
	free(text);
	free(text2);
	free(b);
	policy_free(&p);
	policy_free(&q);
}

/* A bundle of two-word files, for mistakes. */
static size_t
pack(unsigned char *buf, int n, const char *const *words)
{
	unsigned char	*w = buf;
	int		 i;

	memcpy(w, "DBp1", 4);
	w = put_varint(w + 4, (uint64_t)n);
	for (i = 0; i < 2 * n; i++)
		w = put_text(w, text_of(words[i]));
	return (size_t)(w - buf);
}

static void
refused(const unsigned char *b, size_t len, const char *why)
{
	struct policy	*p = NULL;
	struct err	 e = { "" };

	CHECK(policy_load_bundle(&p, b, len, NULL, &e) != RC_OK);
	CHECK(p == NULL);
	if (!CHECK(strstr(e.text, why) != NULL))
		printf("#   got %s\n#   want %s\n", e.text, why);
	policy_free(&p);
}

static void
test_mistakes(void)
{
	static const char *const good[] = { "m", MAIN, "parts/a.policy", PART,
	    "parts/../t.txt", "one\n", "t.txt", "two\n", "more", "text" };
	const char	*bad[10];
	unsigned char	 b[1024];
	struct policy	*p = NULL;
	struct err	 e = { "" };
	size_t		 len, i;

	check_case("what is not the bundle of a policy is refused");
	len = pack(b, 4, good);
	CHECK(policy_load_bundle(&p, b, len, NULL, &e) == RC_OK);
	policy_free(&p);
	/* No beginning of it, and nothing behind it. */
	for (i = 0; i < len; i++)
		refused(b, i, "not a bundle");
	b[len] = 0;
	refused(b, len + 1, "something follows");
	b[3] = '2';
	refused(b, len, "not a bundle");
	refused(b, pack(b, 5, good), "a file that nothing names");
	refused(b, pack(b, 3, good), "t.txt: not in the bundle");
	refused(b, pack(b, 0, good), "not a bundle");
	memcpy(bad, good, sizeof(bad));
	bad[6] = good[4];
	refused(b, pack(b, 4, bad), "file 4 is there twice");
	bad[4] = good[6];
	refused(b, pack(b, 4, bad), "not in the order");
	bad[4] = "";
	refused(b, pack(b, 4, bad), "file 3 is damaged");
}

static void
test_errors_alike(void)
{
	static const char *const words[] = { "x.policy",
	    "policy 1\ndefault hold\nhold when amount > 1 btx\n" };
	unsigned char	 b[1024];
	struct policy	*p = NULL;
	struct err	 e1 = { "" }, e2 = { "" };
	char		*d1 = NULL, *d2 = NULL;
	size_t		 l1, l2;
	FILE		*f1 = open_memstream(&d1, &l1);
	FILE		*f2 = open_memstream(&d2, &l2);

	check_case("a mistake in a bundle is shown as in a file");
	CHECK(policy_load_bundle(&p, b, pack(b, 1, words), f1, &e1) != RC_OK);
	CHECK(policy_load_text(&p, words[0], words[1], strlen(words[1]), f2,
	    &e2) != RC_OK);
	(void)fclose(f1);
	(void)fclose(f2);
	CHECK_STR(d1, d2);
	CHECK_STR(e1.text, e2.text);
	CHECK(strstr(d1, "x.policy:3:") != NULL);
	free(d1);
	free(d2);
}

static void
remove_files(void)
{
	static const char *const names[] = { "t.txt", "parts/a.policy",
	    "main.policy", "other.policy" };
	size_t	 i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		(void)unlink(in_folder(names[i]));
	(void)rmdir(in_folder("parts"));
	(void)rmdir(folder);
}

int
main(void)
{
	(void)snprintf(folder, sizeof(folder), "/tmp/bundle-XXXXXX");
	if (mkdtemp(folder) == NULL)
		return 1;
	round_trip("etc/default.policy", "the shipped policy");
	round_trip("tests/policy/pass/include.in", "includes");
	round_trip("tests/policy/pass/taste.in", "a table in a file");
	test_hash();
	test_no_file();
	test_mistakes();
	test_errors_alike();
	remove_files();
	return check_done();
}
