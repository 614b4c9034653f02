/*
 * Second factors: good once, drift, who is locked out, and what happens to
 * codes while the engine is away.
 */
#include "auth/secrets.h"

#include <sodium.h>
#include <stdlib.h>
#include <unistd.h>

#include "auth/contact.h"
#include "auth/recovery.h"
#include "auth/totp.h"
#include "lib/secret.h"
#include "tests/check.h"

static struct auth	 room;
static struct totp	 seed;
static char		 codes[RECOVERY_COUNT][RECOVERY_CODE_MAX];

static void
enrol(struct account *acc)
{
	unsigned char		 plain[RECOVERY_LEN];
	unsigned char		 blob[RECOVERY_LEN + VAULT_OVERHEAD];
	struct vault_about	 about = { .kind = VAULT_TOTP,
		.account = text_of(acc->name), .version = 5 };
	size_t			 len = totp_pack(&seed, plain);

	vault_seal(room.vault, blob, plain, len, &about);
	CHECK(secrets_put(&acc->of[SECRET_TOTP], blob, len + VAULT_OVERHEAD,
	    5));
	recovery_make(plain, codes);
	about.kind = VAULT_RECOVERY;
	vault_seal(room.vault, blob, plain, RECOVERY_LEN, &about);
	CHECK(secrets_put(&acc->of[SECRET_RECOVERY], blob, sizeof(blob), 5));
}

static struct account *
account(const char *name)
{
	struct account	*acc = accounts_get(room.accounts, text_of(name));

	CHECK(acc != NULL);
	if (acc->of[SECRET_TOTP].blob == NULL)
		enrol(acc);
	return acc;
}

static enum secrets_said
try(struct account *acc, const char *code, const char *from)
{
	enum secret_kind kind;
	int64_t		 step;

	return secrets_try(&room, acc, text_of(code),
	    text_of(SECRETS_SELF), text_of(from), &kind, &step);
}

/* The code of the step that is so many from now. */
static const char *
code_at(int steps)
{
	static char	 code[TOTP_CODE_MAX];

	totp_code(code, &seed, (uint64_t)(totp_step(&seed,
	    auth_now_ms(&room)) + steps));
	return code;
}

static void
once(void)
{
	struct account	*acc = account("once");

	check_case("a code is good once, and none before it after it");
	CHECK_INT(try(acc, code_at(0), "k1"), SECRETS_GOOD);
	CHECK_INT(try(acc, code_at(0), "k1"), SECRETS_USED);
	CHECK_INT(try(acc, code_at(-1), "k1"), SECRETS_USED);
	CHECK_INT(try(acc, code_at(1), "k1"), SECRETS_GOOD);
	check_case("drift of one step");
	acc = account("drift");
	CHECK_INT(try(acc, code_at(-2), "k2"), SECRETS_WRONG);
	CHECK_INT(try(acc, code_at(2), "k2"), SECRETS_WRONG);
	CHECK_INT(try(acc, code_at(-1), "k2"), SECRETS_GOOD);
	check_case("another account's code is as good as none");
	acc = accounts_get(room.accounts, text_of("nobody"));
	CHECK_INT(try(acc, code_at(0), "k3"), SECRETS_NONE);
}

static void
away(void)
{
	struct account	*acc = account("away");

	check_case("no recovery code is used up that cannot be journaled");
	CHECK_INT(try(acc, codes[3], "k4"), SECRETS_WRONG);
	CHECK_INT(acc->of[SECRET_RECOVERY].version, 5);
}

static void
locks(void)
{
	struct account	*acc = account("locks");
	char		 from[16];
	int		 i, n;

	check_case("five wrong ones lock the key and not the account");
	for (i = 0; i < 5; i++)
		CHECK_INT(try(acc, "x", "k5"), SECRETS_WRONG);
	CHECK_INT(try(acc, code_at(0), "k5"), SECRETS_LOCKED);
	CHECK_INT(try(acc, code_at(0), "k6"), SECRETS_GOOD);
	check_case("twenty lock the account");
	for (n = 0; n < 15; n++) {
		(void)snprintf(from, sizeof(from), "other%d", n);
		CHECK_INT(try(acc, "x", from), SECRETS_WRONG);
	}
	CHECK_INT(try(acc, code_at(1), "another"), SECRETS_LOCKED);
	CHECK_INT(try(account("free"), code_at(0), "k7"), SECRETS_GOOD);
}

/* A thief with very many keys has one try in a thousand at each. */
static void
everybody(void)
{
	char	 name[16], from[16];
	int	 i, wrong = 0, locked = 0;

	check_case("a ceiling over everybody");
	for (i = 0; i < 3000; i++) {
		(void)snprintf(name, sizeof(name), "many%d", i / 10);
		(void)snprintf(from, sizeof(from), "key%d", i / 2);
		if (try(account(name), "x", from) == SECRETS_WRONG)
			wrong++;
		else
			locked++;
	}
	CHECK(wrong <= 2000);		/* of two minutes at most */
	CHECK(locked >= 1000);
	CHECK_INT(room.figures.codes_wrong > 900, 1);
}

static void
sent(void)
{
	struct account	*acc = account("sent");
	const char	*code;
	char		 copy[7];

	check_case("a sent code is for one thing, five tries");
	code = secrets_new_code(acc, text_of("w1"));
	CHECK(code != NULL && strlen(code) == 6);
	(void)snprintf(copy, sizeof(copy), "%s", code != NULL ? code : "");
	CHECK(secrets_new_code(acc, text_of("w1")) == NULL);
	CHECK_INT(try(acc, copy, "k8"), SECRETS_WRONG);
	CHECK(acc->sent[0] != '\0');
}

static void
contacts(void)
{
	static const char *const	 bad[] = { "a", "@a", "a@", "a@b@c",
		"a b@c", "a@b\r\n", "<a@b>", "-a@b", "a@b,c@d", "\"a\"@b" };
	static const char *const	 bad_phones[] = { "1234567", "+",
		"+12 34567", "+12345678901234567", "+-1234567" };
	unsigned char			 p[CONTACT_PACKED_MAX];
	struct contact			 c, back;
	struct err			 e;
	size_t				 i, len;

	check_case("contacts");
	memset(&c, 0, sizeof(c));
	CHECK(contact_set(&c, text_of("a.b+c@example.org"),
	    text_of("+4915112345"), &e) == RC_OK);
	CHECK(contact_set(&c, text_of(NULL), text_of(""), &e) == RC_OK);
	CHECK(c.phone[0] == '\0' && strcmp(c.mail, "a.b+c@example.org") ==
	    0);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK(contact_set(&c, text_of(bad[i]), text_of(NULL), &e) !=
		    RC_OK);
	for (i = 0; i < sizeof(bad_phones) / sizeof(bad_phones[0]); i++)
		CHECK(contact_set(&c, text_of(NULL), text_of(bad_phones[i]),
		    &e) != RC_OK);
	len = contact_pack(&c, p);
	CHECK(contact_unpack(&back, p, len) && memcmp(&c, &back,
	    sizeof(c)) == 0);
	CHECK(!contact_unpack(&back, p, 0));
	CHECK(!contact_unpack(&back, p, len - 1));
}

int
main(void)
{
	char		 folder[] = "/tmp/drawbridge-secrets-XXXXXX";
	char		 path[64], where[80];
	struct err	 e;

	CHECK(secret_begin(&e) == RC_OK && mkdtemp(folder) != NULL);
	(void)snprintf(path, sizeof(path), "%s/key", folder);
	(void)snprintf(where, sizeof(where), "file:%s", path);
	CHECK(vault_make_file(path, &e) == RC_OK);
	CHECK(vault_new(&room.vault, where, NULL, text_of(NULL), &e) ==
	    RC_OK);
	CHECK(accounts_new(&room.accounts, &e) == RC_OK);
	totp_make(&seed, TOTP_SHA1, 6);
	contacts();
	once();
	away();
	sent();
	locks();
	everybody();
	accounts_free(&room.accounts);
	vault_free(&room.vault);
	(void)unlink(path);
	(void)rmdir(folder);
	return check_done();
}
