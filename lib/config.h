/*
 * The configuration of the service: one `name value...` a line, `#` begins a
 * comment.  drawbridged.conf(5) is its manual; `config_names` is the list: the
 * names below with hyphens, without their units.
 *
 * It is read in a process without rights (`drawbridged` hands the file's
 * bytes to a child) and given to the others as its canonical text, so nobody
 * with rights parses what a person wrote.
 */
#ifndef LIB_CONFIG_H
#define LIB_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"
#include "lib/text.h"

#define CONFIG_LIST_MAX	16

struct config_net {			/* a network, IPv4 mapped into IPv6 */
	unsigned char	ip[16];
	uint8_t		bits;
};

struct config {
	char		listen[64];	/* "127.0.0.1:8080" */
	char		metrics[64];	/* "127.0.0.1:9095"; empty: none */
	char		data[256];	/* the data folder */
	char		user[32];	/* to become; empty: stay */
	char		network[8];	/* main, test, signet, regtest */
	char		policy[256];	/* file; empty: DATA/policy */
	char		master_key[256];	/* file:PATH, credential:NAME,
					 * passphrase (asked at the start) */
	char		url[256];	/* how customers reach it: links */
	char		signer_folder[256];	/* drawbridge-relay is started
					 * with it; empty: none here */
	/* Where the client's address comes from, besides the socket. */
	struct config_net proxies[CONFIG_LIST_MAX];
	size_t		n_proxies;
	bool		proxy_protocol;	/* PROXY v2 from those */
	char		proxy_header[64];	/* or this header of theirs */
	bool		decoded_signatures;	/* S3 of the reference */
	bool		keys_without_ips;	/* may withdraw */
	int64_t		step_up_ms;	/* a step-up waits for its code */
	int64_t		receipt_ms;	/* a receipt to others is good for */
	char		signer_key[65];	/* of our own signer, hex; empty: others
					 * pay */
	int64_t		own_receipt_for_ms;	/* one to it is good for */
	int64_t		fee_max_sat;	/* stands in receipts */
	int64_t		connections_max;
	int64_t		snapshot_every;	/* events */
	/* Notices. */
	char		smtp[128];	/* smtp://HOST:PORT or smtps:// */
	char		mail_from[128];
	char		mail_command[256];	/* instead: a program */
	char		sms_command[256];
	char		webhook[256];
	char		webhook_secret[256];	/* a file */
};

/* Defaults. */
void config_clear(struct config *c);
/* A file's bytes; errors: "NAME:LINE:COLUMN: ...". */
enum rc config_parse(struct config *c, const char *name, const char *bytes,
    size_t len, struct err *e) MUST_CHECK;
/*
 * Is this what config_parse() may have made?  For one that came as bytes
 * from a process that nobody has to trust: every text ends and is printable,
 * every number is in its range.
 */
bool config_sound(const struct config *c);
/* The canonical text, which config_parse() takes back; -1: no room. */
int config_print(const struct config *c, char *buf, size_t room);

#endif
