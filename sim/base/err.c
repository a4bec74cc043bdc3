/*
 * err.c: errors that the user can mend.
 *
 * Interface: sim.h (user errors).
 * Source:    our own.
 */
#include <stdio.h>
#include <string.h>

#include "sim/base/sim_int.h"

/* One line, whatever was in the arguments (file names may hold anything). */
int
sim_err_set(struct sim_err *err, int errnum, const char *fmt, ...)
{
	va_list ap;

	if (err == NULL)
		return (-errnum);
	va_start(ap, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	for (char *p = err->text; *p != '\0'; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = '?';
	return (-errnum);
}
