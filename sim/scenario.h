/*
 * Scenario files: one JSON object a line, in order of time.
 *
 * drawbridge.scenario(5) is the format.  Here are its three tools: a parser
 * of one line, a reader of whole files (plain, or .zst), and a writer.  All
 * use struct scenario_event, which knows every key of every type; which of
 * them count depends on `type`, the others are ignored when writing and
 * absent after reading.
 */
#ifndef SIM_SCENARIO_H
#define SIM_SCENARIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bitcoin/address.h"
#include "engine/engine.h"
#include "lib/err.h"
#include "lib/text.h"

enum scenario_type {
	SCENARIO_HEADER,		/* "scenario" */
	SCENARIO_ACCOUNT,
	SCENARIO_KEY,
	SCENARIO_KEY_REVOKE,
	SCENARIO_SECURITY_CHANGE,
	SCENARIO_LOGIN,
	SCENARIO_FACT,
	SCENARIO_DEPOSIT,
	SCENARIO_BALANCE,
	SCENARIO_HOT_BALANCE,
	SCENARIO_FUND,
	SCENARIO_CHAIN_SEEN,
	SCENARIO_ADDRESS_ADD,
	SCENARIO_ADDRESS_REMOVE,
	SCENARIO_WITHDRAW,
	SCENARIO_OUTCOME,
	SCENARIO_CANCEL,
	SCENARIO_RELEASE,
	SCENARIO_DENY,
	SCENARIO_FREEZE,
	SCENARIO_UNFREEZE,
	SCENARIO_HALT,
	SCENARIO_RESUME,
	SCENARIO__COUNT
};
const char *scenario_type_text(enum scenario_type t);	/* "key_revoke" */

enum scenario_label { LABEL_NONE, LABEL_LEGIT, LABEL_ATTACK };

/* Longest id of anything, in bytes. */
#define SCENARIO_ID_MAX		64
/* Longest line that is read, without its newline. */
#define SCENARIO_LINE_MAX	(1024 * 1024)
/* Most networks in one key's list. */
#define SCENARIO_IPS_MAX	256

/*
 * One line.  Optional keys that are absent: texts p NULL, limit_sat and tier
 * -1, code and device_new TRI_UNKNOWN, label LABEL_NONE.  Start from
 * scenario_event_clear() and set what the type needs.
 */
struct scenario_event {
	enum scenario_type type;
	int64_t		t_ms;
	struct text account;
	struct text key;
	struct text id;
	struct text address;
	struct text ip;
	struct text by;
	struct text reason;
	struct text group;
	struct text partner;
	struct text name;	/* fact */
	struct text value_text;	/* fact, VALUE_TEXT */
	int64_t		amount_sat;	/* withdraw, deposit, balance,
					 * hot_balance, fund */
	int64_t		received_sat;	/* chain_seen */
	int64_t		first_seen_ms;	/* chain_seen */
	int64_t		limit_sat;	/* account: limit_24h */
	int64_t		tier;		/* account */
	int64_t		version;	/* header; 1 */
	int64_t		value;		/* fact: integer, or 0 and 1 */
	enum value_kind value_kind;	/* fact */
	enum network network;	/* header */
	enum credential what;	/* security_change */
	enum scenario_label label;	/* withdraw; the engine never sees it */
	enum via	via;
	enum tri	code;		/* withdraw: second_factor */
	enum tri	device_new;	/* login: device */
	enum paid	paid;		/* outcome: state */
	bool		withdraw;	/* key */
	bool		not_me;		/* cancel: "reason":"not_me" */
	const struct text *ips;	/* key; none: any address */
	size_t		n_ips;
};

/* Everything absent, TYPE at T_MS, version 1, network main. */
void scenario_event_clear(struct scenario_event *ev, enum scenario_type type,
    int64_t t_ms);

/*
 * Writing.  PATH "-" is standard output; a name that ends in ".zst" is
 * compressed.  The file is written under a temporary name beside PATH and
 * takes its place at scenario_writer_close(), so that a reader never finds
 * half a file.  A failed write is remembered: scenario_write() returns
 * RC_FAILED from then on and so does the close.
 *
 * The texts must be UTF-8; what JSON cannot carry as it is, is escaped.
 * Times must not decrease, which is asserted.  Fixed key order, no blanks:
 * the same events give the same bytes (of the text; compressed bytes depend
 * on the version of libzstd).
 */
struct scenario_writer;
enum rc scenario_writer_open(struct scenario_writer **out, const char *path,
    struct err *e) MUST_CHECK;
enum rc scenario_write(struct scenario_writer *w,
    const struct scenario_event *ev) MUST_CHECK;
/* Flush, sync into place and free; *w becomes NULL whatever happens. */
enum rc scenario_writer_close(struct scenario_writer **w, struct err *e)
    MUST_CHECK;
/* Give up: nothing is left of the file.  NULL inside is fine. */
void scenario_writer_discard(struct scenario_writer **w);

/* One line, without its newline, into buf; its length.  For tests and for
 * whoever writes elsewhere.  buf has room for scenario_line_room(ev). */
size_t scenario_line(const struct scenario_event *ev, char *buf);
size_t scenario_line_room(const struct scenario_event *ev);

/*
 * Parsing one line.  A parser owns what texts with escapes become, and the
 * list of ips; all texts of *ev point into LINE or into the parser and are
 * good until the next line.  Checked here: the grammar (RFC 8259, UTF-8,
 * no key twice), known type, mandatory keys, each value's type and range,
 * `asset`, lengths of ids.  Not checked here: what needs the lines before
 * (order of time, uniqueness, accounts) and addresses, which need a network.
 * The reason in e begins with the key: "`amount`: 9 decimals; ...".
 */
struct scenario_parser;
enum rc scenario_parser_new(struct scenario_parser **out, struct err *e)
    MUST_CHECK;
void scenario_parser_free(struct scenario_parser **p);
enum rc scenario_parse(struct scenario_parser *p, const char *line,
    size_t len, struct scenario_event *ev, struct err *e) MUST_CHECK;

/*
 * Reading a file.  PATH "-" is standard input; one that begins with zstd's
 * magic number is decompressed, whatever its name.  Blank lines are skipped,
 * a carriage return before the newline is ignored, the last newline may be
 * missing.  Checked: all that scenario_parse() checks, that times never
 * decrease, that `scenario` stands on the first line only.  The file's
 * memory is one buffer; ten gigabytes are read like ten kilobytes.
 *
 * scenario_read() gives RC_OK and *more_out false at the end.  Errors name
 * file and line: "a.jsonl:17: `amount`: 9 decimals; a bitcoin has 8".
 */
struct scenario_reader;
enum rc scenario_reader_open(struct scenario_reader **out, const char *path,
    struct err *e) MUST_CHECK;
enum rc scenario_read(struct scenario_reader *r, struct scenario_event *ev,
    bool *more_out, struct err *e) MUST_CHECK;
/* The network of the file: main until a header says otherwise. */
enum network scenario_reader_network(
    const struct scenario_reader *r);
/* Line of the event read last, from 1. */
uint64_t scenario_reader_line(const struct scenario_reader *r);
/* Put "file:line: `key`: " in front of a reason found by the caller; KEY may
 * be NULL.  Returns RC_FAILED. */
enum rc scenario_reader_blame(const struct scenario_reader *r,
    uint64_t line, const char *key, struct err *e);
/* Share of the file read so far in 1/1000; -1 when not known. */
int scenario_reader_permille(const struct scenario_reader *r);
void scenario_reader_free(struct scenario_reader **r);

#endif
