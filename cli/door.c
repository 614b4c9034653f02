/*
 * drawbridge door: keys of the exchange's own door (/v1).  The private half
 * stays with the exchange's back end; the service knows the public one.
 */
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/acting.h"
#include "cli/commands.h"
#include "cli/day.h"
#include "wire/rights.h"

#define SPKI_LEN	44
#define FILE_MAX	1024
#define NAME_MAX_	48	/* it stands behind "door:" in the journal */

enum { OPT_ROLES = 256, OPT_PUBLIC, OPT_EXPIRES };

static const struct option	 names[] = {
	{ "roles", required_argument, NULL, OPT_ROLES },
	{ "public-key", required_argument, NULL, OPT_PUBLIC },
	{ "expires", required_argument, NULL, OPT_EXPIRES },
	ACTING_OPTIONS,
	{ NULL, 0, NULL, 0 }
};

static const struct table_column	 columns[] = {
	{ "key", "key", TABLE_TEXT },
	{ "roles", "roles", TABLE_TEXT },
	{ "expires", "expires_ms", TABLE_TIME },
	{ "changed", "changed_ms", TABLE_TIME },
	{ "state", "state", TABLE_TEXT },
	{ NULL, NULL, TABLE_TEXT }
};

/* What stands before the 32 bytes of an Ed25519 key (RFC 8410). */
static const unsigned char	 spki_head[] = { 0x30, 0x2a, 0x30, 0x05, 0x06,
	0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00 };

struct asked {
	struct acting	 acting;
	struct command	 c;
	unsigned char	 spki[SPKI_LEN];
};

/* PEM as `openssl pkey -pubout` writes it. */
static bool
pem(unsigned char out[SPKI_LEN], char *text)
{
	static const char	 begin[] = "-----BEGIN PUBLIC KEY-----";
	char			*p = strstr(text, begin), *end;
	size_t			 len = 0;

	if (p == NULL)
		return false;
	p += sizeof(begin) - 1;
	end = strstr(p, "-----END PUBLIC KEY-----");
	return end != NULL && sodium_base642bin(out, SPKI_LEN, p,
	    (size_t)(end - p), " \r\n", &len, NULL,
	    sodium_base64_VARIANT_ORIGINAL) == 0 && len == SPKI_LEN &&
	    memcmp(out, spki_head, sizeof(spki_head)) == 0;
}

static enum rc
public_key(struct asked *a, const char *path, struct err *e)
{
	char	 text[FILE_MAX + 1];
	ssize_t	 n;
	int	 fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd == -1)
		return err_set(e, "%s: %s", path, strerror(errno));
	n = read(fd, text, FILE_MAX);
	(void)close(fd);
	text[n > 0 ? n : 0] = '\0';
	if (!pem(a->spki, text))
		return err_set(e, "%s: not an Ed25519 public key (openssl "
		    "genpkey -algorithm ed25519 -out KEY; openssl pkey -in "
		    "KEY -pubout)", path);
	a->c.blob.p = (const char *)a->spki;
	a->c.blob.len = sizeof(a->spki);
	return RC_OK;
}

static bool
take(struct asked *a, int option, int *status_out)
{
	struct err	 e = { "" };
	uint32_t	 set;
	enum rc		 rc = RC_OK;

	switch (option) {
	case OPT_ROLES:
		if (door_roles_of(&set, text_of(optarg)) && set != 0)
			a->c.roles = set;
		else
			rc = err_set(&e, "--roles %s: of feed, decide, "
			    "report, read, tighten", optarg);
		break;
	case OPT_PUBLIC:
		rc = public_key(a, optarg, &e);
		break;
	case OPT_EXPIRES:
		if (!day_parse(&a->c.expires_ms, optarg))
			rc = err_set(&e, "--expires %s: a day, like "
			    "2026-12-31", optarg);
		break;
	case ACTING_AS:
	case ACTING_REASON:
	case ACTING_JSON:
	case ACTING_YES:
	case ACTING_HELP:
	case '?':
		return acting_option(&a->acting, option, "door", status_out);
	}
	if (rc != RC_OK)
		*status_out = acting_failed("door", &e);
	return rc == RC_OK;
}

static int
list(const struct acting *a)
{
	struct message	 q = acting_question(ENDPOINT_LOCAL_KEYS);

	q.name = text_of("door");
	return acting_list(a, "door", &q, columns, "no keys");
}

int
cmd_door(int argc, char **argv)
{
	struct asked	 a = { .acting.json = false };
	const char	*what;
	struct err	 e;
	int		 option, status;

	acting_begin(&a.acting);
	command_clear(&a.c, COMMAND_DOOR_KEY, 0);
	while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
		if (!take(&a, option, &status))
			return status;
	}
	what = optind < argc ? argv[optind++] : "";
	if (strcmp(what, "list") == 0 && optind == argc)
		return list(&a.acting);
	if (argc - optind != 1)
		return usage("door");
	a.c.key = text_of(argv[optind]);
	if (a.c.key.len == 0 || a.c.key.len > NAME_MAX_) {
		(void)err_set(&e, "a key's name has 1 to %d bytes",
		    NAME_MAX_);
		return acting_failed("door", &e);
	}
	if (strcmp(what, "create") == 0 && a.c.roles > 0 &&
	    a.c.blob.p != NULL)
		return acting_run(&a.acting, &a.c, "created");
	/* Another set of roles, or another last day; the key stays. */
	if (strcmp(what, "set") == 0 && a.c.roles > 0 && a.c.blob.p == NULL)
		return acting_run(&a.acting, &a.c, "set");
	if (strcmp(what, "revoke") != 0)
		return usage("door");
	a.c.roles = 0;
	a.c.blob = text_of(NULL);
	return acting_run(&a.acting, &a.c, "revoked");
}
