/*
 * cpu_x87.h: the x87 instructions whose results the emulator takes from the
 * host's mathematical library, done by ourselves.
 */
#ifndef VMSIM_SIM_CPU_X87_H
#define VMSIM_SIM_CPU_X87_H

#include <stdbool.h>
#include <stdint.h>

struct cpu_x87 {
	uint16_t control, status, tags; /* tags: two bits each, 3: empty */
	uint8_t st[8][16]; /* by physical register, 10 bytes used */
};

/* Second byte after 0xd9. */
enum cpu_x87_op {
	X87_F2XM1 = 0xf0, X87_FYL2X, X87_FPTAN, X87_FPATAN,
	X87_FPREM1 = 0xf5, X87_FPREM = 0xf8, X87_FYL2XP1,
	X87_FSINCOS = 0xfb, X87_FSIN = 0xfe, X87_FCOS
};

/* False: not one of these instructions, nothing has changed. */
bool cpu_x87_execute(struct cpu_x87 *fpu, uint8_t op);

#endif
