/*
 * What a process of the kind SIGN may ask of the kernel: twenty calls, each
 * with its reason, and no other.  It has all its files from its start, so it
 * opens none; it has its pipes, so it makes no socket; it is alone, so there
 * is nobody to signal, to wait for or to start.
 *
 * mremap() fails instead of killing: realloc() tries it for large blocks and
 * copies when it cannot be had.  abort() is not among them: an assertion that
 * fails has written its line by then and dies of SIGSYS.
 */
#include <errno.h>
#include <seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>

#include "lib/sandbox_inner.h"

#define CALL(name)	SCMP_SYS(name)
#define ONE(name, why)	{ { CALL(name), CALL(name) }, #name, false, why }
/* Called so on some processors, and so on others. */
#define TWO(name, other, why) \
	{ { CALL(name), CALL(other) }, #name, false, why }
/* Never with memory that can be executed. */
#define DATA(name, other, why) \
	{ { CALL(name), CALL(other) }, #name, true, why }

static const struct sign_call {
	int		 numbers[2];
	const char	*name;
	bool		 data;
	const char	*why;
} sign_calls[] = {
	ONE(read, "requests; the passphrase once"),
	ONE(write, "answers; the log"),
	ONE(poll, "waits for either pipe"),
	ONE(restart_syscall, "a wait that a stop had interrupted goes on"),
	ONE(close, "the passphrase's file, once read"),
	ONE(pread64, "the journal and the sealed seed"),
	ONE(pwrite64, "the journal: a record before its signature"),
	ONE(fdatasync, "the journal: it is there before the answer is"),
	ONE(ftruncate, "the journal: a record that was cut off by a crash"),
	TWO(lseek, _llseek, "the journal: its length"),
	TWO(clock_gettime, clock_gettime64, "where the kernel's page for it "
	    "cannot be used: how long this process runs; the log's time"),
	ONE(getrandom, "keys of the tables in memory"),
	DATA(mmap, mmap2, "memory: large blocks, Argon2id's 256 MiB"),
	DATA(mprotect, mprotect, "memory: guards around secrets"),
	ONE(munmap, "memory: given back"),
	ONE(madvise, "memory: secrets stay out of dumps"),
	ONE(mlock, "memory: secrets stay out of swap"),
	ONE(brk, "memory: small blocks"),
	TWO(futex, futex_time64, "what libraries do once"),
	ONE(exit_group, "the end"),
};
#define N_CALLS		(sizeof(sign_calls) / sizeof(sign_calls[0]))

_Static_assert(N_CALLS <= 20, "the signer gets no more than twenty");

size_t
sandbox_sign_count(void)
{
	return N_CALLS;
}

const char *
sandbox_sign_name(size_t i, const char **why_out)
{
	*why_out = sign_calls[i].why;
	return sign_calls[i].name;
}

int
sandbox_sign_rules(scmp_filter_ctx ctx)
{
	const struct scmp_arg_cmp	 no_code = {
		2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0
	};
	const struct sign_call		*c;
	int				 rc = 0, k;

	for (c = sign_calls; rc == 0 && c < sign_calls + N_CALLS; c++) {
		for (k = 0; rc == 0 && k < 2; k++) {
			if (k == 1 && c->numbers[0] == c->numbers[1])
				continue;
			rc = c->data ? seccomp_rule_add(ctx, SCMP_ACT_ALLOW,
			    c->numbers[k], 1, no_code) :
			    seccomp_rule_add(ctx, SCMP_ACT_ALLOW,
			    c->numbers[k], 0);
		}
	}
	/* poll() is made of this one where the kernel has no other. */
#if __NR_poll < 0
	if (rc == 0)
		rc = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, CALL(ppoll), 0);
#endif
	if (rc == 0)
		rc = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOMEM),
		    CALL(mremap), 0);
	return rc;
}
