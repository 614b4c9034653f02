/*
 * The children inherit this list and put their own, of what is allowed, above
 * it.  Here it is one of what is forbidden: whatever a child needs at its
 * start, before it locks itself in, goes through it.
 */
#include "link/lock.h"

#include <errno.h>
#include <seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/resource.h>

#include "lib/sandbox_inner.h"

static const int	 forbidden[] = {
	/* Others' memory and descriptors.  The sanitizers' leak checker stops
	 * its own process that way. */
#if !SANDBOX_SANITIZED
	SCMP_SYS(ptrace),
#endif
	SCMP_SYS(process_vm_readv), SCMP_SYS(process_vm_writev),
	SCMP_SYS(pidfd_getfd), SCMP_SYS(kcmp), SCMP_SYS(userfaultfd),
	/* The kernel. */
	SCMP_SYS(init_module), SCMP_SYS(finit_module),
	SCMP_SYS(delete_module), SCMP_SYS(kexec_load),
	SCMP_SYS(kexec_file_load), SCMP_SYS(bpf), SCMP_SYS(perf_event_open),
	SCMP_SYS(iopl), SCMP_SYS(ioperm), SCMP_SYS(modify_ldt),
	SCMP_SYS(syslog), SCMP_SYS(reboot), SCMP_SYS(io_uring_setup),
	SCMP_SYS(io_uring_enter), SCMP_SYS(io_uring_register),
	/* Files by other ways than their paths, and devices. */
	SCMP_SYS(mount), SCMP_SYS(umount2), SCMP_SYS(pivot_root),
	SCMP_SYS(chroot), SCMP_SYS(move_mount), SCMP_SYS(open_tree),
	SCMP_SYS(fsopen), SCMP_SYS(fsconfig), SCMP_SYS(fsmount),
	SCMP_SYS(open_by_handle_at), SCMP_SYS(mknod), SCMP_SYS(mknodat),
	SCMP_SYS(swapon), SCMP_SYS(swapoff), SCMP_SYS(quotactl),
	SCMP_SYS(acct), SCMP_SYS(setns),
	/* Keys and clocks. */
	SCMP_SYS(add_key), SCMP_SYS(request_key), SCMP_SYS(keyctl),
	SCMP_SYS(settimeofday), SCMP_SYS(clock_settime),
	SCMP_SYS(clock_adjtime), SCMP_SYS(adjtimex),
};

enum rc
lock_in(struct err *e)
{
	struct rlimit	 none = { 0, 0 };
	scmp_filter_ctx	 f;
	size_t		 i;
	int		 failed = 0;

	if (setrlimit(RLIMIT_CORE, &none) != 0)
		return err_set(e, "no core dumps: %s", strerror(errno));
	if ((f = seccomp_init(SCMP_ACT_ALLOW)) == NULL)
		return err_set(e, "seccomp: no memory");
	for (i = 0; failed == 0 &&
	    i < sizeof(forbidden) / sizeof(forbidden[0]); i++)
		failed = seccomp_rule_add(f, SCMP_ACT_KILL_PROCESS,
		    forbidden[i], 0);
	/* Sets no_new_privs, too. */
	if (failed == 0)
		failed = seccomp_load(f);
	seccomp_release(f);
	if (failed != 0)
		return err_set(e, "seccomp: %s", strerror(-failed));
	return RC_OK;
}
