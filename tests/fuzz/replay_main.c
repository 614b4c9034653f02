/*
 * Feed the files of folders to a fuzz target, without a fuzzer: the corpus
 * is replayed by every compiler in every `make check`.
 *
 *	replay_NAME [--must-die] FOLDER...
 *
 * Each input lies at the end of a mapped page with an unmapped one behind
 * it, so that reading one byte too many dies even without a sanitizer.
 * With --must-die each input must kill its process: the canary.
 */
#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define INPUT_MAX	(4 << 20)

static void
die(const char *what)
{
	perror(what);
	exit(2);
}

/* Run the target on a copy that ends where the mapping ends. */
static void
feed(const uint8_t *bytes, size_t len)
{
	size_t	 page = (size_t)sysconf(_SC_PAGESIZE);
	size_t	 room = (len + page - 1) / page * page;
	uint8_t	*map;

	map = mmap(NULL, room + page, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (map == MAP_FAILED || mprotect(map + room, page, PROT_NONE) != 0)
		die("mmap");
	memcpy(map + room - len, bytes, len);
	(void)LLVMFuzzerTestOneInput(map + room - len, len);
	if (munmap(map, room + page) != 0)
		die("munmap");
}

static bool
dies(const uint8_t *bytes, size_t len)
{
	struct rlimit	 no_core = { 0, 0 };
	int		 status;
	pid_t		 pid = fork();

	if (pid == -1)
		die("fork");
	if (pid == 0) {
		(void)setrlimit(RLIMIT_CORE, &no_core);
		if (freopen("/dev/null", "w", stderr) == NULL)
			_exit(0);
		feed(bytes, len);
		_exit(0);
	}
	if (waitpid(pid, &status, 0) != pid)
		die("waitpid");
	/* A sanitizer exits, everything else is a signal. */
	return !WIFEXITED(status) || WEXITSTATUS(status) != 0;
}

static bool
replay_file(const char *path, bool must_die)
{
	static uint8_t	 buf[INPUT_MAX];
	FILE		*f = fopen(path, "rb");
	size_t		 len;

	if (f == NULL)
		die(path);
	len = fread(buf, 1, sizeof(buf), f);
	if (ferror(f))
		die(path);
	(void)fclose(f);
	if (must_die)
		return dies(buf, len);
	feed(buf, len);
	return true;
}

static int
replay_folder(const char *folder, bool must_die)
{
	char		 path[4096];
	struct dirent	*d;
	DIR		*dir = opendir(folder);
	struct stat	 st;
	int		 files = 0, wrong = 0;

	if (dir == NULL) {
		printf("ok fuzz inputs # SKIP no %s\n", folder);
		return 0;
	}
	while ((d = readdir(dir)) != NULL) {
		(void)snprintf(path, sizeof(path), "%s/%s", folder,
		    d->d_name);
		if (stat(path, &st) != 0 || !S_ISREG(st.st_mode))
			continue;
		files++;
		if (!replay_file(path, must_die)) {
			printf("not ok fuzz input %s: nothing was found\n",
			    d->d_name);
			wrong++;
		}
	}
	(void)closedir(dir);
	if (files == 0) {
		printf("not ok fuzz inputs: none in %s\n", folder);
		return 1;
	}
	if (wrong == 0)
		printf("ok %d fuzz inputs of %s%s\n", files, folder,
		    must_die ? ", each deadly" : "");
	return wrong;
}

int
main(int argc, char **argv)
{
	bool	 must_die = argc > 1 && strcmp(argv[1], "--must-die") == 0;
	int	 i, wrong = 0;

	for (i = must_die ? 2 : 1; i < argc; i++)
		wrong += replay_folder(argv[i], must_die);
	return wrong != 0;
}
