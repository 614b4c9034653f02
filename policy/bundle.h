/*
 * A policy with everything that it reads, as bytes: for the journal, where
 * the policy in force is the one that was written down and not the one that
 * lies in a folder now (C7).
 */
#ifndef POLICY_BUNDLE_H
#define POLICY_BUNDLE_H

#include <stddef.h>
#include <stdio.h>

#include "lib/err.h"
#include "policy/ast.h"

/*
 * Every file of a loaded policy, in the order in which it was read: names as
 * opened, and bytes.  *out is malloc()ed and the caller's.
 */
enum rc policy_bundle(unsigned char **out, size_t *len_out,
    const struct policy *p, struct err *e) MUST_CHECK;

/* SHA-256 of a bundle without the names' folders: the policy's hash. */
void policy_bundle_hash(unsigned char out[32], const unsigned char *bundle,
    size_t len);

/* Load from a bundle; no file is opened.  As policy_load() otherwise. */
enum rc policy_load_bundle(struct policy **out, const unsigned char *bundle,
    size_t len, FILE *diag, struct err *e) MUST_CHECK;

/* The first file's name in a bundle, for messages: a copy into buf. */
const char *policy_bundle_name(const unsigned char *bundle, size_t len,
    char *buf, size_t buf_len);

#endif
