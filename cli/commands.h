/*
 * The commands of the program `drawbridge`: one file each.
 *
 * A command gets what follows the program's name: argv[0] is the command's
 * own name, argv[argc] is NULL.  It reads its options with getopt_long()
 * (optind is 1 when it starts).  It prints its answer on standard output and
 * every reason on standard error, and returns one of the four statuses.
 */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

#define STATUS_DONE	0
#define STATUS_FAILED	1	/* refused or failed; the reason is on stderr */
#define STATUS_USAGE	2
#define STATUS_WAITING	3	/* done, but something waits for a second
				 * person */

int cmd_account(int argc, char **argv);
int cmd_approve(int argc, char **argv);
int cmd_audit(int argc, char **argv);
int cmd_backtest(int argc, char **argv);
int cmd_backup(int argc, char **argv);
int cmd_check(int argc, char **argv);
int cmd_clock(int argc, char **argv);
int cmd_compare(int argc, char **argv);
int cmd_deposit(int argc, char **argv);
int cmd_door(int argc, char **argv);
int cmd_drill(int argc, char **argv);
int cmd_events(int argc, char **argv);
int cmd_explain(int argc, char **argv);
int cmd_export(int argc, char **argv);
int cmd_exposure(int argc, char **argv);
int cmd_forget(int argc, char **argv);
int cmd_halt(int argc, char **argv);
int cmd_import(int argc, char **argv);
int cmd_init(int argc, char **argv);
int cmd_key(int argc, char **argv);
int cmd_live(int argc, char **argv);
int cmd_master(int argc, char **argv);
int cmd_operator(int argc, char **argv);
int cmd_policy(int argc, char **argv);
int cmd_queue(int argc, char **argv);
int cmd_receipt(int argc, char **argv);
int cmd_record(int argc, char **argv);
int cmd_replay(int argc, char **argv);
int cmd_restore(int argc, char **argv);
int cmd_resume(int argc, char **argv);
int cmd_signer(int argc, char **argv);
int cmd_simulate(int argc, char **argv);
int cmd_status(int argc, char **argv);
int cmd_tell(int argc, char **argv);
int cmd_tune(int argc, char **argv);
int cmd_upgrade(int argc, char **argv);
int cmd_withdrawal(int argc, char **argv);

/* Print how a command is used on standard error; returns STATUS_USAGE. */
int usage(const char *command);

/* Print the same and the options on standard output: for --help; returns
 * STATUS_DONE. */
int help(const char *command);

#endif
