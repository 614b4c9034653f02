/*
 * The self-service: whatever a customer signs, with a second factor or
 * without, ends in an answer and no harm.
 *
 * Input: a byte that chooses the request, a byte whose lowest bit says that
 * the right code comes with it, what stands for `*` in the path up to a line
 * end, then the body.
 */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "auth/secrets.h"
#include "auth/totp.h"
#include "lib/log.h"
#include "lib/secret.h"

#define SECRET	"dbs_of_a_customer"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct auth	 room;
static struct totp	 seed;
static struct account	*acc;

static void
must(bool good)
{
	if (!good)
		abort();
}

static void
add_key(void)
{
	unsigned char		 blob[sizeof(SECRET) + VAULT_OVERHEAD];
	struct vault_about	 about = { .kind = VAULT_KEY,
		.account = text_of("carol"), .key = text_of("dbk_x") };
	struct command		 c;
	struct err		 e;

	vault_seal(room.vault, blob, (const unsigned char *)SECRET,
	    strlen(SECRET), &about);
	command_clear(&c, COMMAND_KEY, 0);
	c.account = about.account;
	c.key = about.key;
	c.key_type = KEY_TYPE_HMAC;
	c.withdraw = true;
	c.blob.p = (const char *)blob;
	c.blob.len = strlen(SECRET) + VAULT_OVERHEAD;
	must(keys_told(room.keys, &c, 1, room.vault, &e) == RC_OK);
}

static void
add_factor(void)
{
	unsigned char		 plain[TOTP_PACKED_MAX];
	unsigned char		 blob[TOTP_PACKED_MAX + VAULT_OVERHEAD];
	struct vault_about	 about = { .kind = VAULT_TOTP,
		.account = text_of("carol"), .version = 1 };
	size_t			 len;

	totp_make(&seed, TOTP_SHA1, 6);
	len = totp_pack(&seed, plain);
	vault_seal(room.vault, blob, plain, len, &about);
	acc = accounts_get(room.accounts, about.account);
	must(acc != NULL && secrets_put(&acc->of[SECRET_TOTP], blob,
	    len + VAULT_OVERHEAD, 1));
}

static void
begin(void)
{
	char		 folder[] = "/tmp/drawbridge-fuzz-XXXXXX";
	char		 path[64], where[80];
	struct err	 e;

	log_begin("fuzz", LOG_BROKEN);
	must(secret_begin(&e) == RC_OK && mkdtemp(folder) != NULL);
	(void)snprintf(path, sizeof(path), "%s/key", folder);
	(void)snprintf(where, sizeof(where), "file:%s", path);
	must(vault_make_file(path, &e) == RC_OK && vault_new(&room.vault,
	    where, NULL, text_of(NULL), &e) == RC_OK);
	(void)unlink(path);
	(void)rmdir(folder);
	must(keys_new(&room.keys, &e) == RC_OK && repeat_new(&room.repeat,
	    &e) == RC_OK && accounts_new(&room.accounts, &e) == RC_OK);
	room.network = NETWORK_REGTEST;
	add_key();
	add_factor();
}

/* Signed, at a time of its own: every one is another message. */
static void
ask(struct message *m)
{
	static int64_t	 n;
	unsigned char	 mac[SHA256_LEN], hash[SHA256_LEN];
	char		 hex[65], when[24], text[1024];
	struct keys_hmac h;
	int		 len;

	(void)snprintf(when, sizeof(when), "%jd",
	    (intmax_t)(auth_now_ms(&room) - 25000 + n++ % 25000));
	sha256(hash, m->body.p, m->body.len);
	(void)sodium_bin2hex(hex, sizeof(hex), hash, sizeof(hash));
	len = snprintf(text, sizeof(text), "%s\n%.*s\n%s\n%s",
	    endpoints[m->endpoint].method, (int)m->target.len, m->target.p,
	    when, hex);
	keys_hmac_begin(&h, SECRET, strlen(SECRET));
	keys_hmac(mac, &h, text, (size_t)len);
	(void)sodium_bin2hex(hex, sizeof(hex), mac, sizeof(mac));
	m->when = text_of(when);
	m->signature = text_of(hex);
	self_request(&room, m);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const int	 n = ENDPOINT_SELF_WHY - ENDPOINT_SELF_KEYS + 1;
	char		 code[TOTP_CODE_MAX];
	const uint8_t	*nl;
	struct message	 m;

	if (room.vault == NULL)
		begin();
	if (size < 3 || size > 4096 ||
	    (nl = memchr(data + 2, '\n', size - 2)) == NULL ||
	    nl - data > 66)
		return 0;
	message_clear(&m, MESSAGE_REQUEST, 1);
	m.endpoint = (enum endpoint)(ENDPOINT_SELF_KEYS + data[0] % n);
	m.key = text_of("dbk_x");
	m.target = text_of(endpoints[m.endpoint].path);
	m.query = text_of("");
	m.id.p = (const char *)data + 2;
	m.id.len = (size_t)(nl - data) - 2;
	m.body.p = (const char *)nl + 1;
	m.body.len = size - (size_t)(nl - data) - 1;
	if ((data[1] & 1) != 0) {
		totp_code(code, &seed, (uint64_t)totp_step(&seed,
		    auth_now_ms(&room)));
		m.code = text_of(code);
		acc->last_step = -1;
	}
	ask(&m);
	return 0;
}
