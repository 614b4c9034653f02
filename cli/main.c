/*
 * drawbridge: the command line.  Finds the command and runs it; everything
 * else is in the command's own file.
 */
#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"

struct command {
	const char	*name;
	int		(*run)(int argc, char **argv);
	const char	*usage;		/* what follows the name; lines */
	const char	*help;		/* one line */
	const char	*page;		/* of the manual; NULL: drawbridge(1) */
};

#define SCENES_USAGE							\
	"    [--sizes small,...] [--seeds N] [--kinds ATTACK,...]\n"	\
	"    [--reviewer WHO]... [--json] [more: the manual]"

static const struct command commands[] = {
	{ "account", cmd_account,
	    "create|set NAME [--limit-24h BTC] [--tier N] [--group NAME]\n"
	    "    [--deposit-address ADDRESS] [WHO]\n"
	    "freeze|unfreeze NAME [WHO]\n"
	    "totp NAME [--qr FILE.svg|FILE.png] [--remove] [WHO]\n"
	    "contact NAME [--mail ADDRESS] [--phone NUMBER] [WHO]\n"
	    "list [NAME] [--json]",
	    "customers: open, change, freeze, list",
	    "drawbridge-service(1)" },
	{ "approve", cmd_approve,
	    "ID [WHO]\n"
	    "discard ID [WHO]\n"
	    "list [--json]",
	    "the second person: what was proposed is agreed to, or not",
	    "drawbridge-operator(1)" },
	{ "audit", cmd_audit,
	    "verify [--db PATH] [--head FILE|TEXT] [--decisions]\n"
	    "    [--from EVENT] [--json] [--quiet]\n"
	    "head [--db PATH] [--json]\n"
	    "asked [--db PATH] [--json]\n"
	    "log [--db PATH] [--from EVENT] [--until EVENT]\n"
	    "    [--account NAME] [--by NAME] [--personal] [--json]",
	    "is a journal whole, who asked, what stands in it",
	    "drawbridge-audit(1)" },
	{ "backtest", cmd_backtest,
	    "--policy NEW [--db PATH] [--from DAY|EVENT]\n"
	    "    [--until DAY|EVENT] [--review MINUTES] [--json] [--quiet]",
	    "what another policy would have decided over the journal",
	    "drawbridge-backtest(1)" },
	{ "backup", cmd_backup,
	    "[--db PATH] [--json] [--quiet] DIRECTORY",
	    "copy a journal, its keys and a snapshot while it is used",
	    "drawbridge-backup(1)" },
	{ "check", cmd_check,
	    "[--json] [--strict] [--hot BTC] [--date DAY] POLICY\n"
	    "[--json] --cost|--signer|--print POLICY\n"
	    "[--json] --against OLD NEW\n"
	    "[--json] --words",
	    "read a policy: errors, warnings, what it costs, what it changes",
	    NULL },
	{ "clock", cmd_clock,
	    "[--as NAME] [--reason TEXT] [--yes] [--json]",
	    "the machine's clock is right, after a long time away",
	    "drawbridge-operator(1)" },
	{ "compare", cmd_compare,
	    "[--policy POLICY]... [--honest]\n" SCENES_USAGE,
	    "loss and friction of policies side by side",
	    "drawbridge-compare(1)" },
	{ "deposit", cmd_deposit,
	    "NAME BTC --id ID [WHO]",
	    "credit an account by hand",
	    "drawbridge-service(1)" },
	{ "door", cmd_door,
	    "create NAME --roles ROLE,... --public-key FILE\n"
	    "    [--expires DAY] [WHO]\n"
	    "set NAME --roles ROLE,... [--expires DAY] [WHO]\n"
	    "revoke NAME [WHO]\n"
	    "list [--json]",
	    "keys of the exchange's own door, /v1",
	    "drawbridge-receipt(1)" },
	{ "drill", cmd_drill,
	    "[--url URL] [--speed N] [--json] SCENARIO",
	    "a theft, played over HTTP against the running service",
	    "drawbridge-service(1)" },
	{ "events", cmd_events,
	    "[--after EVENT] [--follow] [--json]",
	    "the feed: what was asked and decided, line by line",
	    "drawbridge-service(1)" },
	{ "export", cmd_export,
	    "[--db PATH] [-o FILE.jsonl[.zst]] [--history-output FILE]\n"
	    "    [--decisions FILE] [--from EVENT] [--until EVENT] [--json]\n"
	    "    [--quiet]",
	    "a journal as a scenario that replays to the same decisions",
	    "drawbridge-record(1)" },
	{ "explain", cmd_explain,
	    "[--db PATH] [--personal] [--json] [--quiet] WITHDRAWAL",
	    "what happened to a withdrawal, and which rules made it so",
	    "drawbridge-audit(1)" },
	{ "exposure", cmd_exposure,
	    "[--json] [--quiet] --policy POLICY [SIZES] SCENARIO\n"
	    "[--json] --policy POLICY --hot BTC --accounts N\n"
	    "    [--fund BTC] [--days N]",
	    "the most that a thief with all credentials can take, and why",
	    "drawbridge-exposure(1)" },
	{ "forget", cmd_forget,
	    "--before DAY [--db PATH] [--as NAME] [--reason TEXT]\n"
	    "    [--yes] [--dry-run] [--json] [--quiet]",
	    "destroy the keys of past months' personal data",
	    "drawbridge-backup(1)" },
	{ "halt", cmd_halt,
	    "[WHO]",
	    "stop everything at once; anybody may",
	    "drawbridge-operator(1)" },
	{ "import", cmd_import,
	    "[--db PATH] [--policy POLICY] [--as NAME] [--reason TEXT]\n"
	    "    [--batch N] [--network NAME] [--json] [--quiet]\n"
	    "    SCENARIO",
	    "teach a journal what happened before it began",
	    "drawbridge-record(1)" },
	{ "init", cmd_init,
	    "--data DIR [--operator NAME=PUBLIC-KEY-FILE]... [--demo]\n"
	    "    [--network NAME] [--policy FILE] [--quorum N] [--wait HOURS]\n"
	    "    [--listen ADDRESS:PORT] [--history SCENARIO] [--drill]",
	    "make a data folder for a new service",
	    "drawbridge-service(1)" },
	{ "key", cmd_key,
	    "create --account NAME --type hmac|rsa|ed25519\n"
	    "    [--public-key FILE] [--withdraw] [--ip CIDR]...\n"
	    "    [--expires DAY] [--label TEXT] [WHO]\n"
	    "set KEY [--withdraw|--no-withdraw] [--ip CIDR]... [WHO]\n"
	    "revoke|freeze|unfreeze KEY [WHO]\n"
	    "list [--account NAME] [--json]",
	    "customers' API keys",
	    "drawbridge-service(1)" },
	{ "live", cmd_live,
	    "[--rows N]",
	    "withdrawals and verdicts as they come, on a terminal",
	    "drawbridge-service(1)" },
	{ "master", cmd_master,
	    "rotate [--file PATH]",
	    "another master key, while the service runs",
	    "drawbridge-service(1)" },
	{ "operator", cmd_operator,
	    "keygen FILE\n"
	    "add NAME --key FILE --roles ROLE,...\n"
	    "    [--release-up-to BTC] [WHO]\n"
	    "remove NAME [WHO]\n"
	    "quorum N --wait HOURS [WHO]\n"
	    "list [--json]",
	    "the people who may act, and their keys",
	    "drawbridge-operator(1)" },
	{ "policy", cmd_policy,
	    "propose FILE [WHO]\n"
	    "approve ID [WHO]\n"
	    "diff [ID]\n"
	    "history [--json]",
	    "another policy for the running service",
	    "drawbridge-operator(1)" },
	{ "queue", cmd_queue,
	    "[--json]",
	    "what waits for a person, the oldest first",
	    "drawbridge-service(1)" },
	{ "receipt", cmd_receipt,
	    "trust\n"
	    "verify --trust FILE|--service|--key HEX [--to ADDRESS]\n"
	    "    [--amount BTC] [--json] FILE\n"
	    "redeem --ledger FILE [--new] --trust FILE|--service\n"
	    "    [--to ADDRESS] [--amount BTC] [--json] FILE\n"
	    "standing [--head FILE] [--json]\n"
	    "issue|burn ID [--json]\n"
	    "burned|head|behind FILE [--json]",
	    "may this be paid, and was it never before",
	    "drawbridge-receipt(1)" },
	{ "record", cmd_record,
	    "[--db PATH] [--policy POLICY] [--batch N] [--network NAME]\n"
	    "    [--snapshot-every N] [--acks FILE] [--from LINE]\n"
	    "    [--as NAME] [--reason TEXT] [--json] [--quiet] SCENARIO",
	    "play a scenario live into a journal",
	    "drawbridge-record(1)" },
	{ "replay", cmd_replay,
	    "--policy POLICY [--reviewer none|oracle:MINUTES[,N/h][,P%]]\n"
	    "    [--report text|json] [--decisions FILE.jsonl]\n"
	    "    [--history SCENARIO] [--from MS] [--lot-key HEX]\n"
	    "    [--keys KEYRING] [--quiet] SCENARIO",
	    "decide a scenario's withdrawals and score the policy",
	    NULL },
	{ "restore", cmd_restore,
	    "--db NEWPATH [--as NAME] [--reason TEXT] [--head FILE]\n"
	    "    [--json] [--quiet] BACKUP-DIRECTORY",
	    "a journal from a backup, stopped until people have looked",
	    "drawbridge-backup(1)" },
	{ "resume", cmd_resume,
	    "[WHO]",
	    "go on after a halt; a quorum does",
	    "drawbridge-operator(1)" },
	{ "signer", cmd_signer,
	    "init --data DIR --settings FILE [--dice] [--backup-to FILE]\n"
	    "    [--passphrase-file FILE] [--height N] [--json]\n"
	    "seed --data DIR --network NAME [--dice] [more: the manual]\n"
	    "recover --data DIR --settings FILE --floor N [--height N]\n"
	    "show|status|descriptors|signed [WHERE]\n"
	    "unlock|lock [WHERE]\n"
	    "halt [--reason TEXT] [WHERE]\n"
	    "resume|rearm --approval FILE... [WHERE]\n"
	    "settings FILE --approval FILE... [WHERE]\n"
	    "sign|cosign PSBT --receipt FILE... --standing FILE\n"
	    "    [--approval FILE]... [WHERE]\n"
	    "approve pay|fee|resume|write-off|epoch|adopt|rearm|settings\n"
	    "    --as NAME --key FILE [more: the manual]\n"
	    "burn|write-off|epoch|adopt|external|identity [the manual]\n"
	    "WHERE: --data DIR | --host HOST:PORT --pin HEX --identity FILE;"
	    "\n    [--head FILE] [--json]",
	    "the keys: found them, stop them, let them sign",
	    "drawbridge-signer(1)" },
	{ "simulate", cmd_simulate,
	    "--seed N --preset small|medium|large [--attack NAME]\n"
	    "    [--owners P%] [--days N] [--accounts N] [--crash-day N]\n"
	    "    [--network NAME] [--start DAY] [--set NAME=VALUE]... -o FILE\n"
	    "[--json] --list|--params",
	    "make a scenario: a platform's customers, and a thief",
	    "drawbridge-simulate(1)" },
	{ "status", cmd_status,
	    "[--json]",
	    "the running service on one screen",
	    "drawbridge-service(1)" },
	{ "tell", cmd_tell,
	    "LINE [WHO]",
	    "one line of a scenario, taken live",
	    "drawbridge-service(1)" },
	{ "tune", cmd_tune,
	    "--policy POLICY --let NAME=FROM..TO[:STEPS]...\n"
	    "    [--points N] [--search-seed N]\n"
	    "    [--friction held|value|delayed|code|all]\n" SCENES_USAGE,
	    "search a policy's numbers: loss against friction",
	    "drawbridge-tune(1)" },
	{ "upgrade", cmd_upgrade,
	    "check [--db PATH] [--json] [--quiet] PROGRAM\n"
	    "judge [--db PATH] [--json] [--quiet]",
	    "what another version would have decided, and if it starts",
	    "drawbridge-backup(1)" },
	{ "withdrawal", cmd_withdrawal,
	    "list [--account NAME] [--state STATE] [--limit N] [--json]\n"
	    "show ID [--json]\n"
	    "release|deny|cancel ID [--not-me] [WHO]",
	    "what customers asked for, and what people decide",
	    "drawbridge-service(1)" },
};
#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static const struct command *
find(const char *name)
{
	size_t	 i;

	for (i = 0; i < COMMANDS; i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

static void
print_usage(FILE *f, const struct command *c)
{
	const char	*line = c->usage;
	const char	*lead = "usage:";
	size_t		 n;

	while (*line != '\0') {
		n = strcspn(line, "\n");
		if (*line == ' ')
			(void)fprintf(f, "       %.*s\n", (int)n, line);
		else
			(void)fprintf(f, "%s drawbridge %s %.*s\n", lead,
			    c->name, (int)n, line);
		lead = "      ";
		line += n + (line[n] == '\n');
	}
}

int
usage(const char *command)
{
	const struct command	*c = find(command);

	if (c != NULL)
		print_usage(stderr, c);
	return STATUS_USAGE;
}

int
help(const char *command)
{
	const struct command	*c = find(command);

	if (c == NULL)
		return STATUS_USAGE;
	(void)printf("drawbridge %s: %s\n\n", c->name, c->help);
	print_usage(stdout, c);
	(void)printf("\nThe options are in %s.\n", c->page != NULL ? c->page :
	    "drawbridge(1)");
	return STATUS_DONE;
}

/*
 * How many characters must be put in, taken out, changed or swapped with
 * their neighbour to make b of a (Damerau, "optimal string alignment").
 */
#define NAME_MAX_LEN 24
static unsigned
distance(const char *a, const char *b)
{
	unsigned	 d[NAME_MAX_LEN + 1][NAME_MAX_LEN + 1];
	unsigned	 i, k, best, la = (unsigned)strlen(a);
	unsigned	 lb = (unsigned)strlen(b);

	if (la > NAME_MAX_LEN || lb > NAME_MAX_LEN)
		return NAME_MAX_LEN;
	for (i = 0; i <= la; i++)
		d[i][0] = i;
	for (k = 0; k <= lb; k++)
		d[0][k] = k;
	for (i = 1; i <= la; i++) {
		for (k = 1; k <= lb; k++) {
			best = d[i - 1][k - 1] + (a[i - 1] != b[k - 1]);
			if (d[i - 1][k] + 1 < best)
				best = d[i - 1][k] + 1;
			if (d[i][k - 1] + 1 < best)
				best = d[i][k - 1] + 1;
			if (i > 1 && k > 1 && a[i - 1] == b[k - 2] &&
			    a[i - 2] == b[k - 1] && d[i - 2][k - 2] + 1 < best)
				best = d[i - 2][k - 2] + 1;
			d[i][k] = best;
		}
	}
	return d[la][lb];
}

static int
unknown(const char *name)
{
	const char	*nearest = NULL;
	unsigned	 best = 4, n;
	size_t		 i;

	for (i = 0; i < COMMANDS; i++) {
		n = distance(name, commands[i].name);
		/* Half the word wrong is another word. */
		if (n < best && n * 2 <= strlen(commands[i].name)) {
			best = n;
			nearest = commands[i].name;
		}
	}
	(void)fprintf(stderr, "drawbridge: no command `%.40s`%s%s%s; "
	    "`drawbridge help` lists them\n", name,
	    nearest != NULL ? "; did you mean `" : "",
	    nearest != NULL ? nearest : "", nearest != NULL ? "`?" : "");
	return STATUS_USAGE;
}

static void
list(FILE *f)
{
	size_t	 i;

	(void)fputs("usage: drawbridge COMMAND [OPTIONS]\n\n", f);
	for (i = 0; i < COMMANDS; i++)
		(void)fprintf(f, "  %-10s %s\n", commands[i].name,
		    commands[i].help);
	(void)fputs("\n`drawbridge help COMMAND` says more, and so does "
	    "drawbridge(1).\n", f);
}

static int
dispatch(int argc, char **argv)
{
	static char		 whole[64];
	const char		*name = argc > 1 ? argv[1] : NULL;
	const struct command	*c;

	if (name == NULL) {
		list(stderr);
		return STATUS_USAGE;
	}
	if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0) {
		(void)puts("drawbridge " DRAWBRIDGE_VERSION);
		return STATUS_DONE;
	}
	if (strcmp(name, "help") == 0 || strcmp(name, "--help") == 0 ||
	    strcmp(name, "-h") == 0) {
		if (argc < 3 || strcmp(name, "help") != 0) {
			list(stdout);
			return STATUS_DONE;
		}
		return find(argv[2]) != NULL ? help(argv[2]) :
		    unknown(argv[2]);
	}
	if ((c = find(name)) == NULL)
		return unknown(name);
	if (argc == 3 && strcmp(argv[2], "--help") == 0)
		return help(name);
	/* What getopt complains with, as the commands themselves do. */
	(void)snprintf(whole, sizeof(whole), "drawbridge %s", name);
	argv[1] = whole;
	return c->run(argc - 1, argv + 1);
}

int
main(int argc, char **argv)
{
	int	 status;

	if (sodium_init() == -1) {
		(void)fputs("drawbridge: libsodium cannot start\n", stderr);
		return STATUS_FAILED;
	}
	status = dispatch(argc, argv);
	/* What was printed and could not be written was not done. */
	if (fflush(stdout) != 0 || ferror(stdout)) {
		(void)fputs("drawbridge: standard output cannot be written\n",
		    stderr);
		return STATUS_FAILED;
	}
	return status;
}
