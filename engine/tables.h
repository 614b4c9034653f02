/*
 * The policy's tables as hash sets, made once at start and never changed.
 *
 * Addresses are compared by script, accounts by their fingerprint, networks
 * by prefix (S25).  A table of groups says to which row an account belongs.
 */
#ifndef ENGINE_TABLES_H
#define ENGINE_TABLES_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/err.h"
#include "lib/ident.h"
#include "policy/ast.h"

struct tables;

enum rc tables_new(struct tables **out, const struct policy *p,
    const struct ident_key *ids, struct err *e) MUST_CHECK;
void tables_free(struct tables **t);

/* The row's group number, or -1 when the table does not hold it. */
int tables_find(const struct tables *t, int table, struct ident id);

/* Whether a network of the table holds this address. */
bool tables_find_ip(const struct tables *t, int table,
    const unsigned char ip[16]);

/* How many groups a table of groups has. */
int tables_groups(const struct tables *t, int table);

/* The first `bits` bits of an address, the rest zero. */
void tables_mask(unsigned char out[16], const unsigned char ip[16], int bits);

#endif
