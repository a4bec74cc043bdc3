/*
 * gnuplot.c: runs gnuplot with a script on its standard input and its
 * standard output in a temporary file, which is renamed when all went well.
 * No name of a file goes into the script, so none has to be quoted.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "reports/reports_int.h"
#include "sim/base/outfile.h"

extern char **environ;

/* stdin, stdout, stderr of the child; signals as a shell would leave them. */
static int
spawn(int in, int out, int errfd, pid_t *pid)
{
	char name[] = "gnuplot", defaults[] = "--default-settings";
	char *argv[] = { name, defaults, NULL };
	posix_spawn_file_actions_t fa;
	posix_spawnattr_t attr;
	sigset_t set;
	int rc;

	posix_spawn_file_actions_init(&fa);
	posix_spawn_file_actions_adddup2(&fa, in, 0);
	posix_spawn_file_actions_adddup2(&fa, out, 1);
	posix_spawn_file_actions_adddup2(&fa, errfd, 2);
	posix_spawnattr_init(&attr);
	sigemptyset(&set);
	sigaddset(&set, SIGPIPE);
	sigaddset(&set, SIGXFSZ);
	posix_spawnattr_setsigdefault(&attr, &set);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGDEF);
	rc = posix_spawnp(pid, name, &fa, &attr, argv, environ);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&fa);
	return (rc);
}

/* false: gnuplot went away before it had read everything. */
static bool
feed(int fd, const char *script, size_t length)
{
	while (length > 0) {
		ssize_t n = write(fd, script, length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return (false);
		script += n;
		length -= (size_t)n;
	}
	return (true);
}

/* gnuplot's complaint: the first line that says something. */
static void
complaint(int fd, char *buf, size_t size)
{
	char text[4096];
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
	char *line, *save = NULL;

	snprintf(buf, size, "it said nothing");
	if (n <= 0)
		return;
	text[n] = '\0';
	for (line = strtok_r(text, "\n", &save); line != NULL;
	    line = strtok_r(NULL, "\n", &save)) {
		line += strspn(line, " \t^");
		if (strstr(line, "rror") != NULL || strstr(line, "line ") ||
		    strstr(line, "undefined") != NULL) {
			snprintf(buf, size, "%.200s", line);
			return;
		}
	}
}

static int
child(const char *script, size_t length, int out, int errfd,
    struct sim_err *err)
{
	char why[256];
	int rc, p[2], status;
	struct stat st;
	pid_t pid;
	bool fed;

	if (pipe2(p, O_CLOEXEC) != 0)
		return (sim_err_set(err, errno, "cannot make a pipe: %s",
		    strerror(errno)));
	rc = spawn(p[0], out, errfd, &pid);
	close(p[0]);
	if (rc != 0) {
		close(p[1]);
		return (sim_err_set(err, ENOEXEC, "cannot run gnuplot: %s; "
		    "install it (Debian: gnuplot-nox, or scripts/setup.sh)",
		    strerror(rc)));
	}
	fed = feed(p[1], script, length);
	close(p[1]);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	if (fed && WIFEXITED(status) && WEXITSTATUS(status) == 0 &&
	    fstat(out, &st) == 0 && st.st_size > 0)
		return (0);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
		return (sim_err_set(err, ENOEXEC, "cannot run gnuplot; install "
		    "it (Debian: gnuplot-nox, or scripts/setup.sh)"));
	complaint(errfd, why, sizeof(why));
	return (sim_err_set(err, EIO, "gnuplot failed: %s", why));
}

int
gnuplot_run(const char *script, size_t length, const char *output,
    struct sim_err *err)
{
	struct outfile out;
	FILE *errors;
	int error;

	error = outfile_open(&out, output, "-o", err);
	if (error != 0)
		return (error);
	errors = tmpfile();
	if (errors == NULL)
		error = sim_err_set(err, errno, "cannot make a temporary "
		    "file: %s", strerror(errno));
	else
		error = child(script, length, fileno(out.f), fileno(errors),
		    err);
	if (errors != NULL)
		fclose(errors);
	if (error == 0)
		return (outfile_commit(&out, err));
	outfile_abort(&out);
	return (error);
}
