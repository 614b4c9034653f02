/*
 * drawbridge signer: the subcommands, and which options each of them has.
 */
#include "cli/signer.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bitcoin/curve.h"
#include "cli/commands.h"
#include "lib/secret.h"

enum signer_option {
	OPT_DATA, OPT_HOST, OPT_PIN, OPT_IDENTITY, OPT_HEAD, OPT_SETTINGS,
	OPT_PASSPHRASE_FILE, OPT_BACKUP_TO, OPT_HEIGHT, OPT_ENGINE_SEQUENCE,
	OPT_FLOOR, OPT_FIRST_SEQUENCE, OPT_REASON, OPT_STANDING, OPT_ID,
	OPT_OUTPOINT, OPT_SPENT_BY, OPT_BLOCK, OPT_ENGINE, OPT_BOOKED,
	OPT_ANSWERS, OPT_AS, OPT_KEY, OPT_EXPIRES, OPT_SIGNER, OPT_TRUST,
	OPT_REPLACES, OPT_CHAIN, OPT_DESC,
	OPT_AFTER, OPT_NETWORK,
	OPT_TEXTS,			/* above: each fills a pointer */
	OPT_RECEIPT = OPT_TEXTS, OPT_APPROVAL, OPT_JSON, OPT_YES, OPT_DICE,
	OPT_NO_BACKUP, OPT_STDIN, OPT_FINGERPRINT, OPT_ACCOUNT, OPT_HELP
};

#define FIRST	256	/* of what getopt returns */

static const struct option	 names[] = {
	{ "data", required_argument, NULL, FIRST + OPT_DATA },
	{ "host", required_argument, NULL, FIRST + OPT_HOST },
	{ "pin", required_argument, NULL, FIRST + OPT_PIN },
	{ "identity", required_argument, NULL, FIRST + OPT_IDENTITY },
	{ "head", required_argument, NULL, FIRST + OPT_HEAD },
	{ "settings", required_argument, NULL, FIRST + OPT_SETTINGS },
	{ "passphrase-file", required_argument, NULL,
	    FIRST + OPT_PASSPHRASE_FILE },
	{ "backup-to", required_argument, NULL, FIRST + OPT_BACKUP_TO },
	{ "height", required_argument, NULL, FIRST + OPT_HEIGHT },
	{ "engine-sequence", required_argument, NULL,
	    FIRST + OPT_ENGINE_SEQUENCE },
	{ "floor", required_argument, NULL, FIRST + OPT_FLOOR },
	{ "first-sequence", required_argument, NULL,
	    FIRST + OPT_FIRST_SEQUENCE },
	{ "reason", required_argument, NULL, FIRST + OPT_REASON },
	{ "standing", required_argument, NULL, FIRST + OPT_STANDING },
	{ "id", required_argument, NULL, FIRST + OPT_ID },
	{ "outpoint", required_argument, NULL, FIRST + OPT_OUTPOINT },
	{ "spent-by", required_argument, NULL, FIRST + OPT_SPENT_BY },
	{ "block", required_argument, NULL, FIRST + OPT_BLOCK },
	{ "engine", required_argument, NULL, FIRST + OPT_ENGINE },
	{ "booked", required_argument, NULL, FIRST + OPT_BOOKED },
	{ "answers", required_argument, NULL, FIRST + OPT_ANSWERS },
	{ "as", required_argument, NULL, FIRST + OPT_AS },
	{ "key", required_argument, NULL, FIRST + OPT_KEY },
	{ "expires", required_argument, NULL, FIRST + OPT_EXPIRES },
	{ "signer", required_argument, NULL, FIRST + OPT_SIGNER },
	{ "trust", required_argument, NULL, FIRST + OPT_TRUST },
	{ "replaces", required_argument, NULL, FIRST + OPT_REPLACES },
	{ "chain", required_argument, NULL, FIRST + OPT_CHAIN },
	{ "desc", required_argument, NULL, FIRST + OPT_DESC },
	{ "after", required_argument, NULL, FIRST + OPT_AFTER },
	{ "network", required_argument, NULL, FIRST + OPT_NETWORK },
	{ "receipt", required_argument, NULL, FIRST + OPT_RECEIPT },
	{ "approval", required_argument, NULL, FIRST + OPT_APPROVAL },
	{ "json", no_argument, NULL, FIRST + OPT_JSON },
	{ "yes", no_argument, NULL, FIRST + OPT_YES },
	{ "dice", no_argument, NULL, FIRST + OPT_DICE },
	{ "no-backup", no_argument, NULL, FIRST + OPT_NO_BACKUP },
	{ "stdin", no_argument, NULL, FIRST + OPT_STDIN },
	{ "fingerprint", required_argument, NULL, FIRST + OPT_FINGERPRINT },
	{ "account", required_argument, NULL, FIRST + OPT_ACCOUNT },
	{ "help", no_argument, NULL, FIRST + OPT_HELP },
	{ NULL, 0, NULL, 0 }
};

#define B(n)	(UINT64_C(1) << OPT_ ## n)
/* How to reach it; and what goes with every question. */
#define FAR	(B(DATA) | B(HOST) | B(PIN) | B(IDENTITY) | B(HEAD) | B(JSON))
#define NEAR	(B(DATA) | B(HEAD) | B(JSON))
#define MAY	B(APPROVAL)

struct signer_subcommand {
	const char	*name;
	signer_command	*run;
	uint64_t	 options;
	int		 least, most;	/* arguments */
};

static const struct signer_subcommand subcommands[] = {
	{ "init", signer_init_run, B(DATA) | B(SETTINGS) | B(DICE) |
	    B(PASSPHRASE_FILE) | B(BACKUP_TO) | B(NO_BACKUP) | B(HEIGHT) |
	    B(ENGINE_SEQUENCE) | B(JSON), 0, 0 },
	{ "seed", signer_init_seed, B(DATA) | B(NETWORK) | B(DICE) |
	    B(PASSPHRASE_FILE) | B(BACKUP_TO) | B(NO_BACKUP) | B(JSON), 0,
	    0 },
	{ "recover", signer_init_recover, B(DATA) | B(SETTINGS) | B(FLOOR) |
	    B(HEIGHT) | B(FIRST_SEQUENCE) | B(PASSPHRASE_FILE) | B(HEAD) |
	    B(YES) | B(JSON), 0, 0 },
	{ "show", signer_show_run, FAR | B(SIGNER), 0, 0 },
	{ "status", signer_show_status, FAR, 0, 0 },
	{ "descriptors", signer_show_descriptors, FAR | B(SIGNER), 0, 0 },
	{ "signed", signer_signed_run, FAR | B(AFTER), 0, 0 },
	{ "identity", signer_do_identity, B(JSON), 1, 1 },
	{ "halt", signer_do_run, FAR | B(REASON), 0, 0 },
	{ "resume", signer_do_run, FAR | MAY, 0, 0 },
	{ "burn", signer_do_run, FAR | B(RECEIPT) | B(STANDING), 0, 0 },
	{ "write-off", signer_do_run, FAR | MAY | B(ID) | B(OUTPOINT) |
	    B(SPENT_BY) | B(BLOCK), 0, 0 },
	{ "epoch", signer_do_run, FAR | MAY | B(ENGINE), 1, 1 },
	{ "adopt", signer_do_run, FAR | MAY | B(STANDING) | B(BOOKED), 0, 0 },
	{ "unlock", signer_do_run, NEAR | B(PASSPHRASE_FILE), 0, 0 },
	{ "lock", signer_do_run, NEAR, 0, 0 },
	{ "rearm", signer_do_run, NEAR | MAY, 0, 0 },
	{ "settings", signer_do_run, NEAR | MAY, 1, 1 },
	{ "sign", signer_pay_run, FAR | MAY | B(RECEIPT) | B(STANDING), 1,
	    1 },
	{ "cosign", signer_pay_run, FAR | MAY | B(RECEIPT) | B(STANDING), 1,
	    1 },
	{ "approve", signer_approve_run, FAR | B(SIGNER) | B(TRUST) | B(AS) |
	    B(KEY) | B(EXPIRES) | B(ANSWERS) | B(YES) | B(RECEIPT) | B(ID) |
	    B(OUTPOINT) | B(SPENT_BY) | B(BLOCK) | B(ENGINE) | B(STANDING) |
	    B(BOOKED) | B(REPLACES), 1, 2 },
	{ "external", signer_external_run, FAR | B(FINGERPRINT) | B(CHAIN) |
	    B(ACCOUNT) | B(DESC) | B(STDIN) | B(STANDING) | B(SIGNER), 0,
	    1 },
};

static const struct signer_subcommand *
find(const char *name)
{
	size_t	 i;

	for (i = 0; i < sizeof(subcommands) / sizeof(subcommands[0]); i++) {
		if (strcmp(subcommands[i].name, name) == 0)
			return &subcommands[i];
	}
	return NULL;
}

/* Where the value of an option goes: in the order of the enum. */
static const char **
place(struct signer_options *o, enum signer_option option)
{
	const char	**const places[OPT_TEXTS] = {
		[OPT_DATA] = &o->data, [OPT_HOST] = &o->host,
		[OPT_PIN] = &o->pin, [OPT_IDENTITY] = &o->identity,
		[OPT_HEAD] = &o->head, [OPT_SETTINGS] = &o->settings,
		[OPT_PASSPHRASE_FILE] = &o->passphrase,
		[OPT_BACKUP_TO] = &o->backup_to, [OPT_HEIGHT] = &o->height,
		[OPT_ENGINE_SEQUENCE] = &o->engine_sequence,
		[OPT_FLOOR] = &o->floor,
		[OPT_FIRST_SEQUENCE] = &o->first_sequence,
		[OPT_REASON] = &o->reason, [OPT_STANDING] = &o->standing,
		[OPT_ID] = &o->id, [OPT_OUTPOINT] = &o->outpoint,
		[OPT_SPENT_BY] = &o->spent_by, [OPT_BLOCK] = &o->block,
		[OPT_ENGINE] = &o->engine, [OPT_BOOKED] = &o->booked,
		[OPT_ANSWERS] = &o->answers, [OPT_AS] = &o->as,
		[OPT_KEY] = &o->key, [OPT_EXPIRES] = &o->expires,
		[OPT_SIGNER] = &o->signer, [OPT_TRUST] = &o->trust,
		[OPT_REPLACES] = &o->replaces, [OPT_CHAIN] = &o->chain,
		[OPT_DESC] = &o->desc, [OPT_AFTER] = &o->after,
		[OPT_NETWORK] = &o->network,
	};

	return places[option];
}

static bool
add_file(const char **files, size_t *n, const char *path)
{
	if (*n == SIGNER_FILES_MAX) {
		(void)fprintf(stderr, "drawbridge signer: more than %d "
		    "files; one may hold many lines\n", SIGNER_FILES_MAX);
		return false;
	}
	files[(*n)++] = path;
	return true;
}

/* False: usage. */
static bool
take(struct signer_options *o, int option)
{
	if (option < OPT_TEXTS) {
		*place(o, (enum signer_option)option) = optarg;
		return true;
	}
	switch (option) {
	case OPT_RECEIPT:
		return add_file(o->receipts, &o->n_receipts, optarg);
	case OPT_APPROVAL:
		return add_file(o->approvals, &o->n_approvals, optarg);
	case OPT_JSON:
		o->json = true;
		return true;
	case OPT_YES:
		o->yes = true;
		return true;
	case OPT_DICE:
		o->dice = true;
		return true;
	case OPT_NO_BACKUP:
		o->no_backup = true;
		return true;
	case OPT_STDIN:
		o->from_stdin = true;
		return true;
	case OPT_FINGERPRINT:
	case OPT_ACCOUNT:
		/* Bitcoin Core says them; there is one key and account 0. */
		return true;
	}
	return false;
}

static int
run(const struct signer_subcommand *s, const struct signer_options *o)
{
	struct err	 e;

	if (secret_begin(&e) != RC_OK || curve_begin(&e) != RC_OK)
		return signer_read_failed(o, &e);
	if (o->host != NULL && o->data != NULL) {
		(void)err_set(&e, "--host or --data, not both");
		return signer_read_failed(o, &e);
	}
	return s->run(o);
}

int
cmd_signer(int argc, char **argv)
{
	static struct signer_options	 o;
	const struct signer_subcommand	*s;
	uint64_t			 given = 0;
	int				 option;

	while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
		if (option == FIRST + OPT_HELP)
			return help("signer");
		if (option < FIRST || !take(&o, option - FIRST))
			return usage("signer");
		given |= UINT64_C(1) << (option - FIRST);
	}
	if (optind == argc || (s = find(argv[optind])) == NULL)
		return usage("signer");
	o.name = s->name;
	o.args = argv + optind + 1;
	o.n_args = argc - optind - 1;
	if (o.data == NULL && o.host == NULL)
		o.data = getenv("DRAWBRIDGE_SIGNER");
	if ((given & ~s->options) != 0 || o.n_args < s->least ||
	    o.n_args > s->most)
		return usage("signer");
	return run(s, &o);
}
