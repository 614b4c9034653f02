/*
 * The journal: what was answered is there after any crash.
 */
#define _GNU_SOURCE		/* memfd_create */
#include <sodium.h>
#include <sys/wait.h>

#define HOSTILE_ALLOC
#include "bitcoin/test/hostile.h"
#include "signer/test/faults.h"
#include "signer/test/seen.h"

/* A journal whose last record is longer than two sectors. */
static int
long_last(size_t *last, size_t *len)
{
	struct journal	*j;
	struct record	 rec;
	struct err	 e;
	unsigned char	*p;
	int		 fd = each_kind();

	CHECK(reads(&j, fd));
	records_signed(&rec, 50, 12);
	CHECK(journal_append(j, &rec, &e) == RC_OK);
	journal_free(&j);
	p = records_read(fd, len);
	*last = offset_of(p, *len, RECORD_HALT_LOCKED - 1);
	CHECK(*len - *last > 1100);
	free(p);
	return fd;
}

static void
test_sectors(void)
{
	static const unsigned char zeros[1 << 12];
	unsigned char	*p;
	size_t		 last, len, at, share;
	int		 fd = long_last(&last, &len), other, n = 0;

	check_case("journal: sectors of the last record that never came");
	p = records_read(fd, &len);
	for (at = last; at < len; at += share) {
		share = 512 - at % 512;
		if (share > len - at)
			share = len - at;
		other = records_of(p, len);
		CHECK(pwrite(other, zeros, share, (off_t)at) ==
		    (ssize_t)share);
		CHECK_INT(count_of(other), RECORD_HALT_LOCKED - 2);
		CHECK_INT(records_size(other), last);
		close(other);
		n++;
		/* In front of another it is no accident. */
		if (at != last)
			continue;
		other = records_of(p, len);
		CHECK(pwrite(other, zeros, 40, (off_t)last - 100) == 40);
		CHECK_INT(count_of(other), -1);
		close(other);
	}
	CHECK(n >= 3);
	/* Only its length came, or nothing but the size of the file. */
	other = records_of(p, last);
	CHECK(ftruncate(other, (off_t)last + 5000) == 0);
	CHECK_INT(count_of(other), RECORD_HALT_LOCKED - 2);
	CHECK_INT(records_size(other), last);
	close(other);
	/* So much was never written at once. */
	other = records_of(p, last);
	CHECK(ftruncate(other, (off_t)(last + 2 * FRAME_MAX)) == 0);
	CHECK_INT(count_of(other), -1);
	CHECK(says("record 13: its length is wrong"));
	close(other);
	free(p);
	close(fd);
}

/* Every call of `work` goes wrong in turn, until one run needs no more. */
static void
each_fault(enum fault_how how, int number)
{
	struct journal	*j;
	struct record	 rec;
	struct err	 e;
	unsigned	 at;
	enum rc		 rc;
	int		 fd, done, k;
	bool		 hit;

	for (at = 1;; at++) {
		fd = new_journal();
		CHECK(reads(&j, fd));
		fault_set(at, how, number);
		for (done = 1, k = 2; k < 8; k++) {
			records_kind(&rec, RECORD_SIGNED, (unsigned)k);
			rc = journal_append(j, &rec, &e);
			if (rc != RC_OK)
				break;
			done++;
		}
		hit = fault_end();
		if (k < 8) {
			CHECK(rc == RC_UNCERTAIN || rc == RC_FAILED);
			/* A sync that failed is not known to have. */
			CHECK((rc == RC_UNCERTAIN) ==
			    (how == FAULT_FAILS && at % 2 == 0));
			CHECK(strstr(e.text, "journal: record ") != NULL);
			CHECK_INT(journal_seq(j), done);
			/* Sticky, with the reason. */
			CHECK(journal_append(j, &rec, &e) == RC_FAILED);
			CHECK(strstr(e.text, "not written to any more, since "
			    "record ") != NULL);
		}
		journal_free(&j);
		k = count_of(fd);
		CHECK(k == done || (rc == RC_UNCERTAIN && k == done + 1));
		close(fd);
		if (!hit)
			break;
	}
	CHECK(at > 12);
}

static void
test_faults(void)
{
	struct record	 rec;
	struct err	 e;
	int		 fd;

	check_case("journal: every write and sync fails in turn");
	each_fault(FAULT_FAILS, EIO);
	each_fault(FAULT_FAILS, ENOSPC);
	check_case("journal: the disk is full in the middle of a record");
	each_fault(FAULT_FULL, 0);
	check_case("journal: short writes are finished");
	fd = new_journal();
	each_fault(FAULT_SHORT, 0);
	fault_set(1, FAULT_FAILS, EINTR);
	CHECK(journal_halt_locked(fd, text_of("x"), &e) == RC_OK);
	CHECK(fault_end());
	close(fd);
	check_case("journal: founding fails");
	records_kind(&rec, RECORD_FOUNDED, 0);
	fd = records_file();
	fault_set(1, FAULT_FAILS, ENOSPC);
	CHECK(journal_create(fd, records_key, &rec, 1, &e) == RC_FAILED);
	CHECK(strstr(e.text, "No space left") != NULL);
	fault_set(2, FAULT_FAILS, EIO);
	CHECK(journal_create(fd, records_key, &rec, 1, &e) == RC_UNCERTAIN);
	(void)fault_end();
	close(fd);
}

/* Tries to cut the end off, and cannot. */
static void
test_faults_open(void)
{
	unsigned	 at;
	int		 fd, size;

	check_case("journal: an incomplete end that cannot be cut off");
	for (at = 1; at < 3; at++) {
		fd = each_kind();
		size = (int)records_size(fd);
		CHECK(ftruncate(fd, size - 1) == 0);
		fault_set(at, FAULT_FAILS, EIO);
		CHECK_INT(count_of(fd), -1);
		CHECK(fault_end());
		CHECK(says("cannot be cut off"));
		CHECK_INT(count_of(fd), RECORD_HALT_LOCKED - 3);
		close(fd);
	}
}

/* A child that appends, says so for each, and dies at its call `at`. */
static int
killed(int fd, unsigned at, enum fault_how how, int *status)
{
	struct journal	*j = NULL;
	struct record	 rec;
	struct err	 e;
	unsigned char	 one = 1;
	int		 ends[2], said = 0, i;
	pid_t		 pid;

	if (pipe(ends) != 0 || (pid = fork()) < 0)
		exit(2);
	if (pid == 0) {
		close(ends[0]);
		fault_set(at, how, 0);
		if (journal_load(&j, fd, records_key, see, NULL, &e) != RC_OK)
			_exit(1);
		for (i = 0; i < 5; i++) {
			records_signed(&rec, (unsigned)i + 2, 3);
			if (journal_append(j, &rec, &e) != RC_OK ||
			    write(ends[1], &one, 1) != 1)
				_exit(1);
		}
		_exit(0);
	}
	close(ends[1]);
	while (read(ends[0], &one, 1) == 1)
		said++;
	close(ends[0]);
	(void)waitpid(pid, status, 0);
	return said;
}

static void
test_killed(void)
{
	static const enum fault_how how[] = { FAULT_DIES, FAULT_DIES_TORN };
	int		 status = 0, said, n, fd, i;
	unsigned	 at;

	check_case("journal: killed at every write and sync, all that was "
	    "answered is there");
	fflush(stdout);
	for (i = 0; i < 2; i++) {
		for (at = 1;; at++) {
			/* With an end to be cut off first. */
			fd = each_kind();
			CHECK(ftruncate(fd, (off_t)records_size(fd) - 7) == 0);
			said = killed(fd, at, how[i], &status);
			n = count_of(fd) - (RECORD_HALT_LOCKED - 3);
			CHECK(n == said || n == said + 1);
			close(fd);
			if (WEXITSTATUS(status) == 0)
				break;
			CHECK_INT(WEXITSTATUS(status), 77);
		}
		CHECK_INT(said, 5);
		CHECK_INT(at, 13);
	}
}

/* ---- halted while locked ---- */

static void
test_halts(void)
{
	struct journal	*j;
	struct record	 rec;
	struct err	 e;
	char		 longer[400];
	uint64_t	 records;
	size_t		 size;
	bool		 halted;
	int		 fd = each_kind();

	check_case("journal: halted while locked");
	CHECK(journal_peek(fd, &records, &halted, &e) == RC_OK);
	CHECK(!halted && records == RECORD_HALT_LOCKED - 2);
	/* Behind an incomplete record, which was never answered. */
	size = records_size(fd);
	CHECK(ftruncate(fd, (off_t)size - 3) == 0);
	CHECK(journal_halt_locked(fd, text_of("the pager rang"), &e) ==
	    RC_OK);
	CHECK(journal_peek(fd, &records, &halted, &e) == RC_OK);
	CHECK(halted && records == RECORD_HALT_LOCKED - 3);
	memset(longer, 'x', sizeof(longer));
	rec.body.p = longer;
	rec.body.len = sizeof(longer);
	CHECK(journal_halt_locked(fd, rec.body, &e) == RC_OK);
	rec.body.len = 0;
	CHECK(journal_halt_locked(fd, rec.body, &e) == RC_OK);
	CHECK(reads(&j, fd));
	CHECK_INT(n_seen, RECORD_HALT_LOCKED);
	CHECK_INT(journal_seq(j), RECORD_HALT_LOCKED - 3);
	CHECK_INT(seen[n_seen - 3].kind, RECORD_HALT_LOCKED);
	CHECK_INT(seen[n_seen - 3].seq, 0);
	CHECK(memcmp(seen[n_seen - 3].payload, "\x0e" "the pager rang",
	    15) == 0);
	CHECK_INT(seen[n_seen - 2].len, 2 + 255);
	/* In the chain it does not show; a resume ends it. */
	records_kind(&rec, RECORD_RESUMED, 1);
	CHECK(journal_append(j, &rec, &e) == RC_OK);
	journal_free(&j);
	CHECK(journal_peek(fd, &records, &halted, &e) == RC_OK);
	CHECK(!halted);
	CHECK_INT(count_of(fd), RECORD_HALT_LOCKED - 2);
	CHECK(journal_halt_locked(fd, text_of("again"), &e) == RC_OK);
	CHECK(journal_peek(fd, &records, &halted, &e) == RC_OK && halted);
	close(fd);
	fd = records_file();
	CHECK(journal_halt_locked(fd, text_of("x"), &e) == RC_FAILED);
	CHECK(journal_peek(fd, &records, &halted, &e) == RC_FAILED);
	close(fd);
}

/* All of a halt is checked but its reason, which nobody signs. */
static void
test_halts_changed(void)
{
	unsigned char	*p;
	struct journal	*j;
	struct record	 rec;
	struct err	 e;
	size_t		 len, at, i;
	unsigned	 bit;
	int		 fd = each_kind(), other, behind, n;

	for (behind = 0; behind < 2; behind++) {
		check_case(behind == 0 ? "journal: a halt at the end, changed"
		    : "journal: a halt in the middle, changed");
		at = records_size(fd);
		CHECK(journal_halt_locked(fd, text_of("why"), &e) == RC_OK);
		if (behind == 1) {
			CHECK(reads(&j, fd));
			records_kind(&rec, RECORD_RUNNING, 5);
			CHECK(journal_append(j, &rec, &e) == RC_OK);
			journal_free(&j);
		}
		p = records_read(fd, &len);
		for (i = at; i < at + FRAME_MIN + 4; i++)
			for (bit = 0; bit < 8; bit++) {
				p[i] ^= (unsigned char)(1 << bit);
				other = records_of(p, len);
				n = count_of(other);
				if (i >= at + 22 && i < at + 25)
					CHECK(n > 0);
				else
					CHECK_INT(n, -1);
				close(other);
				p[i] ^= (unsigned char)(1 << bit);
			}
		free(p);
	}
	close(fd);
}

static void
test_no_memory(void)
{
	struct journal	*j;
	struct record	 rec;
	struct err	 e;
	unsigned long	 k;
	long		 live;
	bool		 halted;
	uint64_t	 records;
	int		 fd = each_kind(), fresh, i;
	enum rc		 rc;

	check_case("journal: every allocation fails in turn");
	for (k = 1;; k++) {
		fresh = records_file();
		live = hostile_live;
		hostile_fail(k);
		records_kind(&rec, RECORD_FOUNDED, 0);
		j = NULL;
		n_seen = 0;
		rc = journal_create(fresh, records_key, &rec, 1, &e);
		if (rc == RC_OK)
			rc = journal_peek(fd, &records, &halted, &e);
		if (rc == RC_OK)
			rc = journal_load(&j, fresh, records_key, see, NULL,
			    &e);
		for (i = 2; rc == RC_OK && i < 200; i++) {
			records_signed(&rec, (unsigned)i, 2);
			rc = journal_append(j, &rec, &e);
		}
		n_seen = 0;
		if (rc == RC_OK)
			rc = journal_walk(j, 1, see, NULL, &e);
		journal_free(&j);
		if (rc == RC_OK)
			rc = journal_load(&j, fd, records_key, see, NULL, &e);
		journal_free(&j);
		close(fresh);
		if (!hostile_end())
			break;
		CHECK(rc == RC_FAILED && hostile_live == live);
		CHECK(strstr(e.text, "no memory") != NULL);
	}
	CHECK(rc == RC_OK && hostile_live == live);
	CHECK(k > 10);
	CHECK_INT(count_of(fd), RECORD_HALT_LOCKED - 2);
	close(fd);
}

static void
test_too_long(void)
{
	struct journal	*j;
	struct record	 rec;
	struct err	 e;
	char		*body = calloc(1, RECORD_BODY_MAX + 1);
	int		 fd = new_journal();

	check_case("journal: the longest body, and one that is longer");
	CHECK(reads(&j, fd));
	records_kind(&rec, RECORD_SETTINGS, 2);
	rec.body.p = body;
	rec.body.len = RECORD_BODY_MAX;
	CHECK(journal_append(j, &rec, &e) == RC_OK);
	rec.body.len++;
	CHECK(journal_append(j, &rec, &e) == RC_FAILED);
	CHECK(strstr(e.text, "record 3: too long") != NULL);
	journal_free(&j);
	free(body);
	close(fd);
}

int
main(void)
{
	if (sodium_init() < 0)
		return 1;
	test_sectors();
	test_faults();
	test_faults_open();
	test_killed();
	test_halts();
	test_halts_changed();
	test_no_memory();
	test_too_long();
	return check_done();
}
