/*
 * guest.h: functions that are run as guest programs. They are compiled with
 * the benchmark, and their bytes are copied into the simulated memory, so
 * they may use nothing but their arguments: no data, no calls out.
 */
#ifndef VMSIM_TESTS_BENCH_GUEST_H
#define VMSIM_TESTS_BENCH_GUEST_H

#include <stdint.h>

#define GUEST                                                              \
	__attribute__((section("guest"), noinline, used, noclone, aligned(64)))

extern const uint8_t __start_guest[], __stop_guest[];

#endif
