/*
 * summary.h: what `vmsim run` says about a run at its end.
 */
#ifndef VMSIM_SIM_SUMMARY_H
#define VMSIM_SIM_SUMMARY_H

#include <stdio.h>

#include "sim/machine.h"

void summary_text(struct machine *m, const struct machine_config *mc,
    const struct machine_result *res, FILE *f);
/* To mc->json_path (through a temporary name), or stderr when it is empty.
 * Errors: -EACCES, -ENOSPC ... */
int summary_json(struct machine *m, const struct machine_config *mc,
    const struct machine_result *res, struct sim_err *err);

#endif
