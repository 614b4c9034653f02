/*
 * What everybody may know of a signer: a file beside its secrets, that goes
 * to whoever approves and to whoever watches the wallet.
 *
 *	drawbridge-signer-1
 *	deployment HEX
 *	network regtest
 *	signer HEX
 *	key HEX
 *	external DESCRIPTOR
 *	internal DESCRIPTOR
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/signer.h"
#include "lib/secret.h"

#define HEAD		"drawbridge-signer-1\n"
#define TEXT_MAX	(2 * DESCRIPTOR_TEXT_MAX + 512)

enum rc
signer_public_cosigner(char out[SIGNER_COSIGNER_MAX],
    const struct bip32_key *master, uint8_t network, struct err *e)
{
	const uint32_t	 coin = network == NETWORK_MAIN ? 0 : 1;
	const uint32_t	 path[] = { BIP32_HARD | 48, BIP32_HARD | coin,
		BIP32_HARD, BIP32_HARD | 2 };
	struct bip32_key *k = secret_new(sizeof(*k));
	unsigned char	 fp[4];
	char		 text[BIP32_TEXT_MAX];
	enum rc		 rc;

	if (k == NULL)
		return err_set(e, "no memory for secrets");
	bip32_fingerprint(fp, master);
	if ((rc = bip32_derive(k, master, path, 4, e)) == RC_OK) {
		bip32_print(text, k, false);
		(void)snprintf(out, SIGNER_COSIGNER_MAX,
		    "[%02x%02x%02x%02x/48h/%uh/0h/2h]%s", fp[0], fp[1],
		    fp[2], fp[3], (unsigned)coin, text);
	}
	secret_free(k, sizeof(*k));
	return rc;
}

enum rc
signer_public_of(struct signer_public *out, const struct bip32_key *master,
    const struct sign_settings *s, struct err *e)
{
	memset(out, 0, sizeof(*out));
	memcpy(out->deployment, s->deployment, sizeof(out->deployment));
	out->network = s->network;
	signer_public_key(out->key, master);
	sign_id_of_key(out->id, out->key);
	return signer_descriptors(out->external, out->internal, master, s,
	    false, e);
}

static void
print(char text[TEXT_MAX], const struct signer_public *p)
{
	char	 deployment[33], id[33], key[65];

	(void)snprintf(text, TEXT_MAX, HEAD "deployment %s\nnetwork %s\n"
	    "signer %s\nkey %s\nexternal %s\ninternal %s\n",
	    sodium_bin2hex(deployment, sizeof(deployment), p->deployment, 16),
	    network_text((enum network)p->network),
	    sodium_bin2hex(id, sizeof(id), p->id, 16),
	    sodium_bin2hex(key, sizeof(key), p->key, 32), p->external,
	    p->internal);
}

/* Beside it first: it is there whole, or not. */
enum rc
signer_public_write(const struct signer_public *p, const char *path,
    struct err *e)
{
	char	 text[TEXT_MAX], beside[4096];
	size_t	 len;
	bool	 ok;
	int	 fd;

	print(text, p);
	len = strlen(text);
	(void)snprintf(beside, sizeof(beside), "%s.new", path);
	fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd == -1)
		return err_set(e, "%s: %s", beside, strerror(errno));
	ok = write(fd, text, len) == (ssize_t)len && fsync(fd) == 0;
	ok = close(fd) == 0 && ok && rename(beside, path) == 0;
	if (!ok)
		(void)err_set(e, "%s: %s", path, strerror(errno));
	return ok ? RC_OK : RC_FAILED;
}

/* A line's value into `room` bytes. */
static bool
copy(char *out, size_t room, struct text lines, const char *name)
{
	struct text	 v = signer_line_value(lines, name);

	if (v.p == NULL || v.len >= room)
		return false;
	memcpy(out, v.p, v.len);
	out[v.len] = '\0';
	return true;
}

static bool
copy_hex(unsigned char *out, size_t len, struct text lines, const char *name)
{
	char	 hex[65];

	return copy(hex, sizeof(hex), lines, name) && signer_read_hex(out,
	    len, name, hex, NULL) == RC_OK;
}

enum rc
signer_public_read(struct signer_public *out, const char *path,
    struct err *e)
{
	unsigned char	 id[16];
	enum network	 net = NETWORK_MAIN;
	struct text	 t;
	char		 network[16], *buf;
	enum rc		 rc;

	memset(out, 0, sizeof(*out));
	rc = signer_read_file(&buf, &t.len, path, TEXT_MAX, e);
	if (rc != RC_OK)
		return rc;
	t.p = buf;
	if (strncmp(buf, HEAD, strlen(HEAD)) != 0 ||
	    !copy_hex(out->deployment, 16, t, "deployment") ||
	    !copy(network, sizeof(network), t, "network") ||
	    !network_of(&net, network, strlen(network)) ||
	    !copy_hex(out->id, 16, t, "signer") ||
	    !copy_hex(out->key, 32, t, "key") ||
	    !copy(out->external, sizeof(out->external), t, "external") ||
	    !copy(out->internal, sizeof(out->internal), t, "internal"))
		rc = err_set(e, "%s: not what `signer init` writes", path);
	free(buf);
	out->network = (uint8_t)net;
	sign_id_of_key(id, out->key);
	if (rc == RC_OK && memcmp(id, out->id, sizeof(id)) != 0)
		rc = err_set(e, "%s: its key is not the signer's", path);
	return rc;
}

enum rc
signer_public_find(struct signer_public *out, const struct signer_options *o,
    struct err *e)
{
	char	 path[4096];

	if (o->signer != NULL)
		return signer_public_read(out, o->signer, e);
	if (o->data == NULL)
		return err_set(e, "whose?  --signer FILE (DIR/public of the "
		    "signer's folder), or --data DIR");
	(void)snprintf(path, sizeof(path), "%s/public", o->data);
	return signer_public_read(out, path, e);
}

void
signer_public_say(const struct signer_public *p)
{
	char	 text[TEXT_MAX];

	print(text, p);
	(void)fputs(text + strlen(HEAD), stdout);
}

void
signer_public_json(struct json *j, const struct signer_public *p)
{
	signer_read_put_hex(j, "deployment", p->deployment, 16);
	json_put_text(j, "network", network_text((enum network)p->network));
	signer_read_put_hex(j, "signer", p->id, 16);
	signer_read_put_hex(j, "key", p->key, 32);
	json_put_text(j, "external", p->external);
	json_put_text(j, "internal", p->internal);
}
