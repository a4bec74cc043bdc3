/*
 * commands.h: the subcommands of vmsim. Each gets its own argv (argv[0] is
 * the command's name), prints its errors as one line on stderr and returns
 * the exit code: 0, the guest's, or one of sysexits(3) for our own errors.
 */
#ifndef VMSIM_SIM_COMMANDS_H
#define VMSIM_SIM_COMMANDS_H

#include <sysexits.h>

int cmd_run(int argc, char **argv);
int cmd_sysctl(int argc, char **argv);
int cmd_plot(int argc, char **argv);
int cmd_conform(int argc, char **argv); /* conform.c */
int cmd_disk(int argc, char **argv); /* cmd_disk.c */

/* What the user can mend, by errno: 64 usage, 65 data, 66 no input, ... */
int exit_code_of(int error);

#define EXIT_PANIC 125 /* the simulated kernel panicked */
#define EXIT_MAX_TIME 124 /* as timeout(1): --max-time was reached */

#endif
