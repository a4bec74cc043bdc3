/*
 * cmd_disk.h: the parts of `vmsim disk`; each is a command of its own.
 */
#ifndef VMSIM_SIM_CMD_DISK_H
#define VMSIM_SIM_CMD_DISK_H

#define DISK_MAXSET 64

int disk_list(int argc, char **argv);
int disk_show(int argc, char **argv);
int disk_replay(int argc, char **argv);
int disk_score(int argc, char **argv);

#endif
