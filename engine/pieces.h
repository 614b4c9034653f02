/*
 * A hash of much memory, by two threads: SHA-256 of a head and of the
 * SHA-256 of every piece of 1 MiB, in order.
 *
 * The memory may still be being filled, by a load: what is not ready is
 * waited for.  Never used inside engine_apply().
 */
#ifndef ENGINE_PIECES_H
#define ENGINE_PIECES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PIECE_BYTES	((size_t)1 << 20)

struct pieces;

/* For `bytes` of memory in at most `parts` parts; NULL: no memory. */
struct pieces *pieces_new(size_t bytes, size_t parts);

/* Behind what was added before; borrowed.  Nothing of 0 bytes is there. */
void pieces_add(struct pieces *p, const void *base, size_t len);

/* All is added: begin to hash, beside the caller, what is ready. */
void pieces_begin(struct pieces *p);

/* So many bytes from the first on are ready to be hashed. */
void pieces_ready(struct pieces *p, size_t bytes);

/* Everything is ready: hash what is left, here too; frees. */
void pieces_end(struct pieces *p, const void *head, size_t head_len,
    unsigned char out[32]);

/* Never mind; frees. */
void pieces_drop(struct pieces *p);

#endif
