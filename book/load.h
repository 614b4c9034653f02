/*
 * What is in force, as commands, for those who load it: book_load().
 */
#ifndef BOOK_LOAD_H
#define BOOK_LOAD_H

#include "book/book.h"
#include "book/store.h"

/* Calls c->loaded() for each, in order, and once more for the end; `seq`:
 * how far the book is. */
void load_in_force(struct store_db *s, const struct book_config *c,
    uint64_t ticket, uint64_t seq);

#endif
