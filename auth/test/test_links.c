#include "auth/links.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/secret.h"
#include "tests/check.h"

#define NOW	INT64_C(1795600000000)

static char		 folder[64], path[2][96], where[2][256];
static struct vault	*vault;

static struct links_token
token_of(enum links_what what, const char *account, const char *id)
{
	struct links_token	 t;

	memset(&t, 0, sizeof(t));
	t.what = what;
	t.expires_ms = NOW + 1000;
	snprintf(t.account, sizeof(t.account), "%s", account);
	snprintf(t.id, sizeof(t.id), "%s", id);
	return t;
}

static bool
good(const struct vault *v, const char *s, int64_t now_ms)
{
	struct links_token	 t;
	struct err		 e;

	return links_check(&t, v, text_of(s), now_ms, &e) == RC_OK;
}

static void
round_trip(void)
{
	const char		*longest =
	    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
	struct links_token	 t, u;
	char			 a[LINKS_TOKEN_LEN + 1], b[sizeof(a)];
	struct err		 e;

	check_case("made and read");
	t = token_of(LINKS_CANCEL, "alice", "7c0a");
	CHECK(links_make(a, vault, &t, &e) == RC_OK);
	CHECK_INT(strlen(a), LINKS_TOKEN_LEN);
	CHECK(links_check(&u, vault, text_of(a), NOW, &e) == RC_OK);
	CHECK(memcmp(&t, &u, sizeof(t)) == 0);
	CHECK(links_make(b, vault, &t, &e) == RC_OK);
	CHECK(strcmp(a, b) != 0);
	t = token_of(LINKS_FREEZE, longest, "");
	CHECK(links_make(a, vault, &t, &e) == RC_OK);
	CHECK_INT(strlen(a), LINKS_TOKEN_LEN);
	CHECK(links_check(&u, vault, text_of(a), NOW, &e) == RC_OK);
	CHECK_STR(u.account, longest);
	CHECK(u.what == LINKS_FREEZE && u.id[0] == '\0');
	t = token_of(LINKS_FREEZE, longest, longest);
	CHECK(links_make(a, vault, &t, &e) == RC_OK);
	CHECK(good(vault, a, NOW));
	check_case("what cannot be made");
	t = token_of(LINKS_FREEZE, "", "x");
	CHECK(links_make(a, vault, &t, &e) != RC_OK);
	t = token_of(LINKS_CANCEL, "alice", "");
	CHECK(links_make(a, vault, &t, &e) != RC_OK);
	t = token_of(LINKS_CANCEL, "alice", "x");
	memset(t.account, 'a', sizeof(t.account));
	CHECK(links_make(a, vault, &t, &e) != RC_OK);
	t = token_of(LINKS_CANCEL, "alice", "x");
	t.expires_ms = -1;
	CHECK(links_make(a, vault, &t, &e) != RC_OK);
}

static void
expiry(void)
{
	struct links_token	 t = token_of(LINKS_CANCEL, "alice", "7c0a");
	char			 a[LINKS_TOKEN_LEN + 1];
	struct err		 e;

	check_case("expiry");
	CHECK(links_make(a, vault, &t, &e) == RC_OK);
	CHECK(good(vault, a, NOW + 999));
	CHECK(!good(vault, a, NOW + 1000));
	CHECK(links_check(&t, vault, text_of(a), NOW + 1000, &e) != RC_OK);
	CHECK_STR(e.text, "link: it has expired");
	CHECK(t.account[0] == '\0');
}

static void
changed(void)
{
	struct links_token	 t = token_of(LINKS_CANCEL, "alice", "7c0a");
	char			 a[LINKS_TOKEN_LEN + 2], b[sizeof(a)];
	size_t			 i;
	int			 c, passed = 0;
	struct err		 e;

	check_case("every character changed, every length cut");
	CHECK(links_make(a, vault, &t, &e) == RC_OK);
	for (i = 0; i < LINKS_TOKEN_LEN; i++) {
		memcpy(b, a, LINKS_TOKEN_LEN + 1);
		for (c = 1; c < 256; c++) {
			b[i] = (char)c;
			if (b[i] != a[i] && good(vault, b, NOW)) {
				passed++;
				printf("# byte %d at %zu for %c\n", c, i,
				    a[i]);
			}
		}
		b[i] = '\0';
		passed += good(vault, b, NOW);
		b[i] = a[i];
		passed += links_check(&t, vault, (struct text){ b, i }, NOW,
		    &e) == RC_OK;
	}
	memcpy(b, a, LINKS_TOKEN_LEN + 1);
	memcpy(b + LINKS_TOKEN_LEN, "A", 2);
	passed += good(vault, b, NOW);
	passed += good(vault, "", NOW) + good(vault, NULL, NOW);
	CHECK_INT(passed, 0);
}

/* A link sent before a rotation is good until the old key is dropped. */
static void
rotated(void)
{
	struct links_token	 t = token_of(LINKS_CANCEL, "alice", "7c0a");
	struct vault		*other = NULL;
	char			 old[LINKS_TOKEN_LEN + 1], new[sizeof(old)];
	struct err		 e;

	check_case("two master keys");
	CHECK(links_make(old, vault, &t, &e) == RC_OK);
	CHECK(vault_new(&other, where[1], NULL, text_of(NULL), &e) == RC_OK);
	CHECK(!good(other, old, NOW));
	CHECK(vault_add(vault, where[1], NULL, text_of(NULL), &e) == RC_OK);
	CHECK(good(vault, old, NOW));
	CHECK(links_make(new, vault, &t, &e) == RC_OK);
	CHECK(good(vault, new, NOW) && good(other, new, NOW));
	vault_drop(vault);
	CHECK(!good(vault, old, NOW) && good(vault, new, NOW));
	vault_free(&other);
}

int
main(void)
{
	struct err	 e;
	int		 i, failed;

	if (secret_begin(&e) != RC_OK)
		return 1;
	snprintf(folder, sizeof(folder), "/tmp/test-links-XXXXXX");
	if (mkdtemp(folder) == NULL)
		return 1;
	for (i = 0; i < 2; i++) {
		snprintf(path[i], sizeof(path[i]), "%s/%d", folder, i);
		snprintf(where[i], sizeof(where[i]), "file:%s", path[i]);
		if (vault_make_file(path[i], &e) != RC_OK)
			return 1;
	}
	if (vault_new(&vault, where[0], NULL, text_of(NULL), &e) != RC_OK)
		return 1;
	round_trip();
	expiry();
	changed();
	rotated();
	vault_free(&vault);
	failed = check_done();
	(void)unlink(path[0]);
	(void)unlink(path[1]);
	return rmdir(folder) == -1 || failed;
}
