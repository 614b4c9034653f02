/*
 * Who waits for which answer.
 *
 * Programs at the local socket choose their own tags, and may choose the
 * same; onwards every question has a tag of ours.
 */
#ifndef CONSOLE_PENDING_H
#define CONSOLE_PENDING_H

#include <stdbool.h>
#include <stdint.h>

#define PENDING_MAX	1024

struct pending {
	struct {
		uint64_t	tag;	/* ours; 0: free */
		uint64_t	theirs;
		void		*client;
		int		to;	/* enum room that will answer */
	} of[PENDING_MAX];
	uint64_t	last;
	int		n;
};

/* The tag to ask under; 0: too many wait. */
uint64_t pending_add(struct pending *p, void *client, uint64_t theirs,
    int to);
/* An answer came from `from`: false when nobody waits for it there. */
bool pending_take(struct pending *p, uint64_t tag, int from,
    void **client_out, uint64_t *theirs_out);
/* A client left. */
void pending_forget(struct pending *p, const void *client);
/* A room was started anew and will not answer: each client in turn; false
 * when there is none left. */
bool pending_lost(struct pending *p, int to, void **client_out,
    uint64_t *theirs_out);

#endif
