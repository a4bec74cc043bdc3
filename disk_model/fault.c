/*
 * fault.c: what goes wrong, as text: "media,lbn=100-199,op=read,times=1".
 *
 * Interface: disk_fault_parse (params.h).
 * Source:    our own; the kinds are those a driver can tell apart (EIO,
 *            ETIMEDOUT, ENXIO).
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "disk_model/params.h"
#include "sim/base/sim.h"

static bool
number(const char **p, uint64_t *v)
{
	uint64_t n = 0;

	if (**p < '0' || **p > '9')
		return false;
	for (; **p >= '0' && **p <= '9'; (*p)++) {
		if (n > (UINT64_MAX >> 4) / 10)
			return false;
		n = n * 10 + (uint64_t) (**p - '0');
	}
	*v = n;
	return true;
}

/* "100" or "100-199" */
static bool
parse_range(const char *p, uint64_t *first, uint64_t *last)
{
	if (!number(&p, first))
		return false;
	*last = *first;
	if (*p == '-') {
		p++;
		if (!number(&p, last))
			return false;
	}
	return *p == '\0' && *last >= *first;
}

/* "250ms", "2s", "40us", "7ns" */
static bool
parse_duration(const char *p, uint64_t *ps)
{
	static const struct {
		const char *name;
		uint64_t ps;
	} units[] = {
		{ "s", PS_PER_SECOND }, { "ms", PS_PER_MS },
		{ "us", PS_PER_US }, { "ns", PS_PER_NS },
	};
	uint64_t v;

	if (!number(&p, &v))
		return false;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (strcmp(p, units[i].name) == 0 &&
		    v <= UINT64_MAX / units[i].ps) {
			*ps = v * units[i].ps;
			return true;
		}
	return false;
}

static bool
parse_ops(const char *p, uint32_t *ops)
{
	if (strcmp(p, "read") == 0)
		*ops = FAULT_ON_READ;
	else if (strcmp(p, "write") == 0)
		*ops = FAULT_ON_WRITE;
	else if (strcmp(p, "any") == 0)
		*ops = FAULT_ON_READ | FAULT_ON_WRITE;
	else
		return false;
	return true;
}

static bool
parse_field(struct disk_fault *f, char *text)
{
	char *value = strchr(text, '=');
	const char *p;
	uint64_t v;

	if (value == NULL)
		return false;
	*value++ = '\0';
	p = value;
	if (strcmp(text, "lbn") == 0)
		return parse_range(value, &f->first_lbn, &f->last_lbn);
	if (strcmp(text, "op") == 0)
		return parse_ops(value, &f->ops);
	if (strcmp(text, "at") == 0)
		return parse_duration(value, &f->at_ps);
	if (strcmp(text, "delay") == 0)
		return parse_duration(value, &f->delay_ps);
	if (strcmp(text, "after") == 0)
		return number(&p, &f->after) && *p == '\0';
	if (strcmp(text, "times") == 0)
		return number(&p, &f->times) && *p == '\0';
	if (strcmp(text, "sectors") != 0 || !number(&p, &v) || *p != '\0' ||
	    v > UINT32_MAX)
		return false;
	f->sectors = (uint32_t) v;
	return true;
}

static bool
parse_kind(struct disk_fault *f, const char *text)
{
	static const char *const names[] = { [FAULT_MEDIA] = "media",
		[FAULT_TIMEOUT] = "timeout", [FAULT_TORN] = "torn",
		[FAULT_GONE] = "gone" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(text, names[i]) == 0) {
			f->kind = (enum disk_fault_kind) i;
			return true;
		}
	return false;
}

/* How long a driver waits before it gives a command up, as in FreeBSD's da. */
#define DEFAULT_TIMEOUT (PS_PER_SECOND * 60)

int
disk_fault_parse(const char *text, struct disk_fault *f, struct sim_err *err)
{
	char buf[256], *p, *save = NULL;

	memset(f, 0, sizeof(*f));
	f->ops = FAULT_ON_READ | FAULT_ON_WRITE;
	f->last_lbn = UINT64_MAX;
	f->delay_ps = DEFAULT_TIMEOUT;
	snprintf(buf, sizeof(buf), "%s", text);
	p = strtok_r(buf, ",", &save);
	if (strlen(text) >= sizeof(buf) || p == NULL || !parse_kind(f, p))
		return sim_err_set(err, EINVAL, "fault '%s': it begins with"
		    " media, timeout, torn or gone", text);
	if (f->kind == FAULT_TORN)
		f->ops = FAULT_ON_WRITE;
	while ((p = strtok_r(NULL, ",", &save)) != NULL)
		if (!parse_field(f, p))
			return sim_err_set(err, EINVAL, "fault '%s': '%s' is"
			    " none of lbn=N[-M], op=read|write|any, at=TIME,"
			    " delay=TIME, after=N, times=N, sectors=N", text,
			    p);
	return 0;
}
