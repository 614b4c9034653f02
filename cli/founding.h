/*
 * What happened before a service began: a scenario, taught to a new journal
 * as history while nobody uses it yet.
 *
 * For a drill the theft in it is left for later: everything before the first
 * line labelled `attack` is taught, its times moved so that this line is now,
 * and the API keys that the drill will use become real ones, with secrets
 * sealed in the journal and written to DATA/drill.keys.
 */
#ifndef CLI_FOUNDING_H
#define CLI_FOUNDING_H

#include <stdbool.h>
#include <stdint.h>

#include "auth/vault.h"
#include "bitcoin/address.h"
#include "engine/journal.h"
#include "lib/err.h"
#include "lib/text.h"

struct founding;

struct founding_config {
	const char	*scenario;
	const char	*data;		/* the folder: drill.keys */
	bool		drill;
	enum network	net;		/* of the service */
	int64_t		now_ms;
};

/* Reads the scenario once: what it will be. */
enum rc founding_new(struct founding **out, const struct founding_config *c,
    struct err *e) MUST_CHECK;
void founding_free(struct founding **f);

/* The journal's birth: the first line's time, moved. */
int64_t founding_first_ms(const struct founding *f);

/* Teach; *n_out commands.  The vault seals the drill's keys. */
enum rc founding_teach(struct founding *f, struct journal *j,
    const struct vault *vault, uint64_t *n_out, struct err *e) MUST_CHECK;

/* Under which name drill.keys has a withdrawal's key; returns id. */
#define FOUNDING_ID_MAX	80
char *founding_key_id(char id[FOUNDING_ID_MAX], struct text key,
    struct text account);

/*
 * Before the first attack and after the last, what the drill plays of
 * everybody else, in the scenario's time.
 */
#define DRILL_BEFORE_MS	INT64_C(120000)
#define DRILL_AFTER_MS	INT64_C(120000)

#endif
