/*
 * H11: a blob opens only where it was sealed for.
 */
#define _GNU_SOURCE
#include "auth/vault.h"

#include <dirent.h>
#include <sodium.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auth/apikey.h"
#include "lib/secret.h"
#include "tests/check.h"

#define SECRET	"dbs_not-a-real-secret"
#define LEN	(sizeof(SECRET) - 1)

static char		 folder[64], path[96], where[256];
static struct vault	*vault;
static unsigned char	 blob[LEN + VAULT_OVERHEAD];
static const struct vault_about	 about = { VAULT_KEY, { "alice", 5 },
	{ "dbk_x", 5 }, 7 };

static const char *
place(const char *name)
{
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	snprintf(where, sizeof(where), "file:%s", path);
	return where;
}

static bool
opens(const struct vault *v, const unsigned char *b, size_t len,
    const struct vault_about *a)
{
	unsigned char	 plain[256];
	struct err	 e;
	size_t		 i;

	memset(plain, 0xa5, sizeof(plain));
	if (vault_open(v, plain, b, len, a, &e) == RC_OK)
		return len == LEN + VAULT_OVERHEAD &&
		    memcmp(plain, SECRET, LEN) == 0;
	/* Nothing of it comes out. */
	for (i = 0; len >= VAULT_OVERHEAD && i < len - VAULT_OVERHEAD; i++)
		CHECK(plain[i] == 0 || b[0] != 1);
	return false;
}

static void
seal(void)
{
	unsigned char	 again[sizeof(blob)];

	check_case("seal and open");
	vault_seal(vault, blob, (const unsigned char *)SECRET, LEN, &about);
	CHECK(opens(vault, blob, sizeof(blob), &about));
	CHECK(memmem(blob, sizeof(blob), SECRET, 8) == NULL);
	vault_seal(vault, again, (const unsigned char *)SECRET, LEN, &about);
	CHECK(memcmp(blob, again, sizeof(blob)) != 0);
	check_case("an empty secret");
	vault_seal(vault, again, NULL, 0, &about);
	CHECK(vault_open(vault, again, again, VAULT_OVERHEAD, &about,
	    NULL) == RC_OK);
	CHECK(vault_open(vault, again, again, VAULT_OVERHEAD,
	    &(struct vault_about){ .kind = VAULT_TOTP }, NULL) != RC_OK);
}

static void
damage(void)
{
	unsigned char	 b[sizeof(blob) + 1];
	size_t		 i;
	int		 bit, opened = 0;

	check_case("every bit flipped, every length cut");
	for (i = 0; i < sizeof(blob); i++) {
		for (bit = 0; bit < 8; bit++) {
			memcpy(b, blob, sizeof(blob));
			b[i] ^= (unsigned char)(1 << bit);
			opened += opens(vault, b, sizeof(blob), &about);
		}
		opened += opens(vault, blob, i, &about);
	}
	memcpy(b, blob, sizeof(blob));
	b[sizeof(blob)] = 0;
	opened += opens(vault, b, sizeof(b), &about);
	CHECK_INT(opened, 0);
}

static void
swapped(void)
{
	struct vault_about	 a;
	int			 k;

	check_case("H11: another account, key, kind or version");
	a = about;
	a.account = text_of("bob");
	CHECK(!opens(vault, blob, sizeof(blob), &a));
	a = about;
	a.key = text_of("dbk_y");
	CHECK(!opens(vault, blob, sizeof(blob), &a));
	a = about;
	a.version = 6;
	CHECK(!opens(vault, blob, sizeof(blob), &a));
	for (k = VAULT_KEY + 1; k < VAULT__END; k++) {
		a = about;
		a.kind = (enum vault_kind)k;
		CHECK(!opens(vault, blob, sizeof(blob), &a));
	}
	/* The same letters, cut elsewhere; or all of them in one. */
	a = about;
	a.account = text_of("alic");
	a.key = text_of("edbk_x");
	CHECK(!opens(vault, blob, sizeof(blob), &a));
	a.account = text_of("alicedbk_x");
	a.key = text_of("");
	CHECK(!opens(vault, blob, sizeof(blob), &a));
	a.account = text_of(NULL);
	a.key = text_of("alicedbk_x");
	CHECK(!opens(vault, blob, sizeof(blob), &a));
	check_case("kinds of secrets");
	CHECK_INT(vault_kind_of(SECRET_TOTP), VAULT_TOTP);
	CHECK_INT(vault_kind_of(SECRET_RECOVERY), VAULT_RECOVERY);
	CHECK_INT(vault_kind_of(SECRET_CONTACT), VAULT_CONTACT);
	CHECK_INT(vault_kind_of(SECRET_PASSWORD), VAULT_PASSWORD);
	CHECK_INT(vault_kind_of(SECRET_LINKS), VAULT_LINKS);
}

static void
other_key(void)
{
	struct vault	*v = NULL, *same = NULL;
	struct err	 e;

	check_case("another master key");
	CHECK(vault_make_file((place("other"), path), &e) == RC_OK);
	CHECK(vault_new(&v, place("other"), NULL, text_of(NULL), &e) ==
	    RC_OK);
	CHECK(!opens(v, blob, sizeof(blob), &about));
	vault_free(&v);
	CHECK(v == NULL);
	vault_free(&v);
	check_case("the same again, after a start");
	CHECK(vault_new(&same, place("master"), NULL, text_of(NULL), &e) ==
	    RC_OK);
	CHECK(opens(same, blob, sizeof(blob), &about));
	vault_free(&same);
}

static void
rotate(void)
{
	unsigned char	 b[sizeof(blob)], mac[2][VAULT_MAC_LEN];
	struct vault	*v = NULL, *fresh = NULL;
	struct err	 e;

	check_case("rotation");
	CHECK(vault_new(&v, place("master"), NULL, text_of(NULL), &e) ==
	    RC_OK);
	CHECK(vault_mac(v, 0, mac[0], "x", 1) && !vault_mac(v, 1, mac[1],
	    "x", 1));
	/* The one in use is no new one, and a bad one changes nothing. */
	CHECK(vault_add(v, place("master"), NULL, text_of(NULL), &e) !=
	    RC_OK);
	CHECK(vault_add(v, place("absent"), NULL, text_of(NULL), &e) !=
	    RC_OK);
	CHECK(!vault_two(v) && opens(v, blob, sizeof(blob), &about));
	CHECK(vault_add(v, place("other"), NULL, text_of(NULL), &e) ==
	    RC_OK);
	CHECK(vault_two(v) && vault_old(v, blob, sizeof(blob)));
	CHECK(opens(v, blob, sizeof(blob), &about));
	CHECK(vault_mac(v, 1, mac[1], "x", 1) &&
	    memcmp(mac[0], mac[1], VAULT_MAC_LEN) == 0);
	CHECK(vault_mac(v, 0, mac[0], "x", 1) &&
	    memcmp(mac[0], mac[1], VAULT_MAC_LEN) != 0);
	CHECK(!vault_mac(v, 2, mac[0], "x", 1));
	/* A third waits. */
	CHECK(vault_make_file((place("third"), path), &e) == RC_OK);
	CHECK(vault_add(v, place("third"), NULL, text_of(NULL), &e) !=
	    RC_OK);
	memcpy(b, blob, sizeof(b));
	CHECK(vault_reseal(v, b, b, sizeof(b), &about, about.version, &e) ==
	    RC_OK);
	CHECK(!vault_old(v, b, sizeof(b)));
	vault_drop(v);
	CHECK(!vault_two(v) && !opens(v, blob, sizeof(blob), &about));
	CHECK(opens(v, b, sizeof(b), &about));
	CHECK(vault_new(&fresh, place("other"), NULL, text_of(NULL), &e) ==
	    RC_OK);
	CHECK(opens(fresh, b, sizeof(b), &about));
	check_case("resealed as another version");
	CHECK(vault_reseal(v, b, b, sizeof(b), &about, 8, &e) == RC_OK);
	CHECK(!opens(v, b, sizeof(b), &about));
	CHECK(opens(v, b, sizeof(b), &(struct vault_about){ about.kind,
	    about.account, about.key, 8 }));
	CHECK(vault_reseal(v, b, b, sizeof(b), &about, 8, &e) != RC_OK);
	CHECK(vault_reseal(v, b, b, 10, &about, 8, &e) != RC_OK);
	vault_free(&v);
	vault_free(&fresh);
}

static void
put(const char *name, const char *text, mode_t mode)
{
	FILE	*f;

	(void)place(name);
	(void)unlink(path);
	if ((f = fopen(path, "w")) == NULL)
		abort();
	(void)fputs(text, f);
	(void)fclose(f);
	(void)chmod(path, mode);
}

static bool
refused(const char *spec, const char *params, const char *phrase,
    const char *why)
{
	struct vault	*v = NULL;
	struct err	 e;

	if (vault_new(&v, spec, params, text_of(phrase), &e) == RC_OK) {
		vault_free(&v);
		return false;
	}
	if (strstr(e.text, why) == NULL)
		printf("# %s\n", e.text);
	return strstr(e.text, why) != NULL;
}

static void
files(void)
{
	char		 key[APIKEY_MAX], line[128];
	struct vault	*v = NULL;
	struct stat	 st;
	struct err	 e;

	check_case("a key file");
	CHECK(stat((place("master"), path), &st) == 0 &&
	    (st.st_mode & 07777) == 0600 && st.st_size == 63);
	/* Never over one that is there. */
	CHECK(vault_make_file(path, &e) != RC_OK);
	CHECK(strstr(e.text, path) != NULL);
	apikey_make(key, APIKEY_MASTER);
	snprintf(line, sizeof(line), "%s\r\n", key);
	put("crlf", line, 0400);
	CHECK(vault_new(&v, where, NULL, text_of(NULL), &e) == RC_OK);
	vault_free(&v);
	check_case("others may read it");
	put("shown", line, 0640);
	CHECK(refused(where, NULL, NULL, "mode 640"));
	put("shown", line, 0604);
	CHECK(refused(where, NULL, NULL, "mode 604"));
	check_case("no key in it");
	put("bad", "dbm_", 0600);
	CHECK(refused(where, NULL, NULL, "not a master key"));
	put("bad", "", 0600);
	CHECK(refused(where, NULL, NULL, "not a master key"));
	line[10] = line[10] == 'a' ? 'b' : 'a';
	put("bad", line, 0600);
	CHECK(refused(where, NULL, NULL, "mistyped"));
	apikey_make(key, APIKEY_SECRET);
	put("bad", key, 0600);
	CHECK(refused(where, NULL, NULL, "not a master key"));
	put("bad", "dbm_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 0600);
	CHECK(refused(where, NULL, NULL, "too long"));
	check_case("no file");
	CHECK(refused(place("absent"), NULL, NULL, "No such file"));
	(void)place("pipe");
	CHECK(mkfifo(path, 0600) == 0);
	CHECK(refused(where, NULL, NULL, "not a file"));
	snprintf(where, sizeof(where), "file:%s", folder);
	CHECK(refused(where, NULL, NULL, "not a file"));
	CHECK(refused("", NULL, NULL, "file:PATH"));
	CHECK(refused("keyring:x", NULL, NULL, "file:PATH"));
}

static void
somebody_elses(void)
{
	char	 line[APIKEY_MAX];

	if (getuid() != 0) {
		printf("ok somebody else's file # SKIP only root can give "
		    "one away\n");
		return;
	}
	check_case("somebody else's file");
	apikey_make(line, APIKEY_MASTER);
	put("given", line, 0600);
	CHECK(chown(path, 65534, 65534) == 0);
	CHECK(refused(where, NULL, NULL, "somebody else"));
	/* Whose folder it is, the service's user's. */
	CHECK(chown(folder, 65534, 65534) == 0);
	CHECK(!refused(where, NULL, NULL, ""));
	CHECK(chown(folder, 0, 0) == 0);
}

static void
credentials(void)
{
	char		 line[APIKEY_MAX];
	struct vault	*v = NULL;
	struct err	 e;

	check_case("a credential");
	(void)unsetenv("CREDENTIALS_DIRECTORY");
	CHECK(refused("credential:cred", NULL, NULL, "systemd gave none"));
	apikey_make(line, APIKEY_MASTER);
	put("cred", line, 0440);
	(void)setenv("CREDENTIALS_DIRECTORY", folder, 1);
	CHECK(vault_new(&v, "credential:cred", NULL, text_of(NULL), &e) ==
	    RC_OK);
	vault_free(&v);
	CHECK(refused("credential:absent", NULL, NULL, "No such file"));
	CHECK(refused("credential:../cred", NULL, NULL, "not a name"));
	CHECK(refused("credential:", NULL, NULL, "not a name"));
	put("cred", line, 0444);
	CHECK(refused("credential:cred", NULL, NULL, "mode 444"));
}

static void
weaker(const char *params, const char *what, const char *with)
{
	char	 text[256], changed[256], *at;
	FILE	*f = fopen(params, "r");
	size_t	 n;

	if (f == NULL)
		abort();
	n = fread(text, 1, sizeof(text) - 1, f);
	(void)fclose(f);
	text[n] = '\0';
	if ((at = strstr(text, what)) == NULL)
		abort();
	snprintf(changed, sizeof(changed), "%.*s%s%s", (int)(at - text), text,
	    with, at + strlen(what));
	put("changed", changed, 0600);
}

static void
passphrases(void)
{
	const char	*phrase = "four words and a half";
	struct vault	*v = NULL;
	char		 params[96];
	struct err	 e;

	check_case("a passphrase");
	snprintf(params, sizeof(params), "%s/params", folder);
	CHECK(vault_make_passphrase(params, text_of("short"), &e) != RC_OK);
	CHECK(vault_make_passphrase(params, text_of(phrase), &e) == RC_OK);
	CHECK(vault_make_passphrase(params, text_of(phrase), &e) != RC_OK);
	CHECK(vault_new(&v, "passphrase", params, text_of(phrase), &e) ==
	    RC_OK);
	vault_seal(v, blob, (const unsigned char *)SECRET, LEN, &about);
	vault_free(&v);
	CHECK(vault_new(&v, "passphrase", params, text_of(phrase), &e) ==
	    RC_OK);
	CHECK(opens(v, blob, sizeof(blob), &about));
	vault_free(&v);
	CHECK(refused("passphrase", params, "four words and a haLf",
	    "the passphrase is wrong"));
	CHECK(refused("passphrase", params, NULL, "12 bytes"));
	CHECK(refused("passphrase", NULL, phrase, "no file of parameters"));
	check_case("parameters of a passphrase, changed");
	weaker(params, "argon2id13 3 ", "argon2id13 2 ");
	CHECK(refused("passphrase", path, phrase, "too weak"));
	weaker(params, " 268435456 ", " 8192 ");
	CHECK(refused("passphrase", path, phrase, "too weak"));
	weaker(params, "argon2id13 3 ", "argon2id13 4294967295 ");
	CHECK(refused("passphrase", path, phrase, "too costly"));
	weaker(params, " 268435456 ", " 99999999999 ");
	CHECK(refused("passphrase", path, phrase, "too costly"));
	weaker(params, "argon2id13 3 ", "argon2id13 03 ");
	CHECK(refused("passphrase", path, phrase, "not the parameters"));
	weaker(params, "passphrase 1", "passphrase 2");
	CHECK(refused("passphrase", path, phrase, "not the parameters"));
	put("changed", "", 0600);
	CHECK(refused("passphrase", path, phrase, "not the parameters"));
}

/* Our folder, and what we put there. */
static bool
sweep(void)
{
	DIR		*d = opendir(folder);
	struct dirent	*entry;
	char		 one[400];

	while (d != NULL && (entry = readdir(d)) != NULL) {
		snprintf(one, sizeof(one), "%s/%s", folder, entry->d_name);
		if (entry->d_name[0] != '.')
			(void)unlink(one);
	}
	if (d != NULL)
		(void)closedir(d);
	return rmdir(folder) == -1;
}

int
main(void)
{
	struct err	 e;
	int		 failed;

	if (secret_begin(&e) != RC_OK)
		return 1;
	snprintf(folder, sizeof(folder), "/tmp/test-vault-XXXXXX");
	if (mkdtemp(folder) == NULL)
		return 1;
	check_case("make");
	CHECK(vault_make_file((place("master"), path), &e) == RC_OK);
	CHECK(vault_new(&vault, place("master"), NULL, text_of(NULL), &e) ==
	    RC_OK);
	if (vault == NULL)
		return 1;
	seal();
	damage();
	swapped();
	other_key();
	rotate();
	files();
	somebody_elses();
	credentials();
	passphrases();
	vault_free(&vault);
	failed = check_done();
	return sweep() || failed;
}
