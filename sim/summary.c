/*
 * summary.c: the end of a run for a person (stderr) and for a program (JSON).
 *
 * Interface: summary.h. Everything but the host's own seconds repeats exactly.
 */
#include "sim/summary.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "disk_model/disk.h"
#include "sim/base/outfile.h"
#include "sim/uproc.h"

/* "12,345,678"; several may be alive at a time. */
struct number {
	char text[32];
};

static const char *
commas(uint64_t v, struct number *n)
{
	char digits[24];
	int len = snprintf(digits, sizeof(digits), "%" PRIu64, v), k = 0;

	for (int i = 0; i < len; i++) {
		if (i > 0 && (len - i) % 3 == 0)
			n->text[k++] = ',';
		n->text[k++] = digits[i];
	}
	n->text[k] = '\0';
	return (n->text);
}
#define N(v) commas((v), &(struct number) { "" })

/* "62.1M" */
static const char *
bytes(uint64_t v, struct number *n)
{
	static const char unit[] = "BKMGTP";
	double d = (double)v;
	int u = 0;

	while (d >= 1024 && unit[u + 1] != '\0') {
		d /= 1024;
		u++;
	}
	snprintf(n->text, sizeof(n->text), d < 10 && u > 0 && d != (int)d ?
	    "%.1f%c" : "%.0f%c", d, unit[u]);
	return (n->text);
}
#define B(v) bytes((v), &(struct number) { "" })

static double
percent(uint64_t part, uint64_t whole)
{
	return (whole == 0 ? 0 : 100.0 * (double)part / (double)whole);
}

static double
ms_each(struct machine *m, uint64_t cycles, uint64_t count)
{
	return (count == 0 ? 0 : (double)sim_to_ns(machine_sim(m), cycles) /
	    1e6 / (double)count);
}

/* ------------------------------------------------------------ text */

static void
text_time(struct machine *m, const struct machine_config *mc,
    const struct machine_result *res, FILE *f)
{
	uint64_t all = res->cycles * (mc->ncpus == 0 ? 1 : mc->ncpus);
	double hz = (double)sim_hz(machine_sim(m));

	fprintf(f, "  time      user %.3f s (%.0f%%), kernel %.3f s (%.0f%%), "
	    "idle or waiting %.3f s (%.0f%%)\n",
	    (double)res->user_cycles / hz, percent(res->user_cycles, all),
	    (double)res->kernel_cycles / hz, percent(res->kernel_cycles, all),
	    (double)res->idle_cycles / hz, percent(res->idle_cycles, all));
	fprintf(f, "  work      %s instructions, %s system calls\n",
	    N(res->instructions), N(res->syscalls));
}

#define MAX_LINES 24 /* programs shown */

/* How it ended: "0", "3", "killed by 9", "alive". */
static const char *
end_text(const struct program_result *r, struct number *n)
{
	if (r->pid == 0)
		return ("not run");
	if (!r->ended)
		return ("alive");
	if (r->exit_signal != 0)
		snprintf(n->text, sizeof(n->text), "signal %d",
		    r->exit_signal);
	else
		snprintf(n->text, sizeof(n->text), "%d", r->exit_code);
	return (n->text);
}

static void
text_programs(struct machine *m, const struct machine_result *res, FILE *f)
{
	double hz = (double)sim_hz(machine_sim(m));

	fprintf(f, "  %-20s %5s %-9s %9s %9s %9s %9s %9s %8s %6s %4s\n",
	    "program", "pid", "exit", "start", "end", "cpu", "page wait",
	    "faults", "page-ins", "peak", "out");
	for (uint32_t i = 0; i < res->nprograms && i < MAX_LINES; i++) {
		const struct program_result *r = &res->programs[i];

		fprintf(f, "  %-20.20s %5d %-9s %8.3fs %8.3fs %8.3fs %8.3fs "
		    "%9" PRIu64 " %8" PRIu64 " %6s %4u\n", r->prog->name,
		    r->pid, end_text(r, &(struct number) { "" }),
		    (double)r->start / hz, (double)r->end / hz,
		    (double)r->running / hz, (double)r->page_wait / hz,
		    r->minflt + r->majflt, r->majflt,
		    B(r->peak_rss_pages * 4096), r->swapouts);
	}
	if (res->nprograms > MAX_LINES)
		fprintf(f, "  ... and %u more: view v_processes of the "
		    "database, or --json\n", res->nprograms - MAX_LINES);
}

static void
text_memory(struct machine *m, const struct machine_config *mc,
    const struct machine_result *res, FILE *f)
{
	struct vm *vm = machine_vm(m);

	fprintf(f, "  memory    %s: %s pages of 4K, %s of them usable; "
	    "swap %s\n", B(mc->mem_bytes), N(mc->mem_bytes / 4096),
	    N(vm_stat(vm, "v_page_count")), B(mc->swap_bytes));
	fprintf(f, "  peak      %s pages (%s) resident in one process, %s "
	    "(%s) in use\n", N(res->peak_rss_pages),
	    B(res->peak_rss_pages * 4096), N(res->peak_used_pages),
	    B(res->peak_used_pages * 4096));
	fprintf(f, "  queues    free %s, cache %s, inactive %s, active %s, "
	    "wired %s at the end (free target %s, min %s, reserved %s)\n",
	    N(vm_stat(vm, "v_free_count")), N(vm_stat(vm, "v_cache_count")),
	    N(vm_stat(vm, "v_inactive_count")),
	    N(vm_stat(vm, "v_active_count")), N(vm_stat(vm, "v_wire_count")),
	    N(vm_stat(vm, "v_free_target")), N(vm_stat(vm, "v_free_min")),
	    N(vm_stat(vm, "v_free_reserved")));
}

/* Processes, when there was more to them than one that came and went. */
static void
text_processes(struct machine *m, const struct machine_result *res, FILE *f)
{
	uint64_t outs = vm_stat(machine_vm(m), "vm.proc_swapouts");

	if (res->processes > 1 || outs != 0)
		fprintf(f, "  processes %s, at most %s at a time; %s context "
		    "switches; swapped out whole %s times\n",
		    N(res->processes), N(res->most_processes),
		    N(sim_context_switches(machine_sim(m))), N(outs));
	if (res->oom_kills == 0)
		return;
	fprintf(f, "  exhausted memory and swap space: %s (%d, %s) was killed "
	    "at %.3f s", res->oom.name, res->oom.pid,
	    B(res->oom.pages * 4096),
	    (double)res->oom.when / (double)sim_hz(machine_sim(m)));
	if (res->oom_kills > 1)
		fprintf(f, ", and %s more", N(res->oom_kills - 1));
	fprintf(f, "; --mem or --swap give more\n");
}

static void
text_paging(struct machine *m, FILE *f)
{
	struct vm *vm = machine_vm(m);

	fprintf(f, "  faults    %s: %s zero fill, %s copy on write, %s from "
	    "files, %s from swap, %s resident, %s errors\n",
	    N(vm_stat(vm, "v_vm_faults")),
	    N(vm_stat(vm, "vm.faults.zero_fill")),
	    N(vm_stat(vm, "vm.faults.cow") + vm_stat(vm, "vm.faults.cow_move")),
	    N(vm_stat(vm, "vm.faults.file")), N(vm_stat(vm, "vm.faults.swap")),
	    N(vm_stat(vm, "vm.faults.fast") +
	    vm_stat(vm, "vm.faults.resident")),
	    N(vm_stat(vm, "vm.faults.error")));
	fprintf(f, "  swap      in %s pages (%s transfers), out %s pages (%s "
	    "transfers)\n", N(vm_stat(vm, "v_swappgsin")),
	    N(vm_stat(vm, "v_swapin")), N(vm_stat(vm, "v_swappgsout")),
	    N(vm_stat(vm, "v_swapout")));
	fprintf(f, "  files     in %s pages (%s transfers), out %s pages (%s "
	    "transfers)\n", N(vm_stat(vm, "v_vnodepgsin")),
	    N(vm_stat(vm, "v_vnodein")), N(vm_stat(vm, "v_vnodepgsout")),
	    N(vm_stat(vm, "v_vnodeout")));
	fprintf(f, "  scans     page daemon woken %s times, %s pages looked "
	    "at, %s freed, %s reactivated\n", N(vm_stat(vm, "v_pdwakeups")),
	    N(vm_stat(vm, "v_pdpages")), N(vm_stat(vm, "v_dfree")),
	    N(vm_stat(vm, "v_reactivated")));
}

static void
text_disks(struct machine *m, const struct machine_config *mc,
    const struct machine_result *res, FILE *f)
{
	struct disk_stats st;

	for (uint32_t i = 0; i < machine_ndisks(m); i++) {
		uint64_t n;

		disk_get_stats(machine_disk(m, i), &st);
		n = st.reads + st.writes;
		fprintf(f, "  disk %-4s %s: %s reads (%s), %s writes (%s), "
		    "busy %.0f%%, %.2f ms service + %.2f ms queue each",
		    mc->disks[i].name, mc->disks[i].model, N(st.reads),
		    B(st.sectors_read * 512), N(st.writes),
		    B(st.sectors_written * 512),
		    percent(st.busy, res->cycles), ms_each(m, st.busy, n),
		    ms_each(m, st.queued, n));
		if (st.errors != 0)
			fprintf(f, ", %s failed", N(st.errors));
		fputc('\n', f);
	}
}

/* One line a call: what is asked for first when a program misbehaves. rseq
 * is tried by every program and missed by none, so it gets no arguments. */
static void
text_enosys(const struct machine_result *res, FILE *f)
{
	for (uint32_t i = 0; i < res->nenosys; i++) {
		fprintf(f, "  ENOSYS    %s (%d) %" PRIu64 "x",
		    res->enosys[i].name, res->enosys[i].number,
		    res->enosys[i].count);
		if (strcmp(res->enosys[i].name, "rseq") != 0)
			fprintf(f, "; first at %#" PRIx64 ", arguments %#"
			    PRIx64 " %#" PRIx64 " %#" PRIx64,
			    res->enosys[i].rip, res->enosys[i].args[0],
			    res->enosys[i].args[1], res->enosys[i].args[2]);
		fputc('\n', f);
	}
}

static void
text_problem(struct machine *m, FILE *f)
{
	const char *problem = vfs_problem(machine_vfs(m));

	if (problem != NULL && *problem != '\0')
		fprintf(f, "  files     %s\n", problem);
}

static void
text_database(const struct machine_config *mc,
    const struct machine_result *res, FILE *f)
{
	struct stat st;

	if (mc->db_path[0] == '\0')
		return;
	if (stat(mc->db_path, &st) != 0)
		st.st_size = 0;
	fprintf(f, "  database  %s (%s, %s)\n", mc->db_path,
	    B((uint64_t)st.st_size),
	    res->interrupted ? "incomplete" : "complete");
}

void
summary_text(struct machine *m, const struct machine_config *mc,
    const struct machine_result *res, FILE *f)
{
	double s = (double)res->sim_ns / 1e9;

	fprintf(f, "vmsim: %s ", mc->nspecs != 0 ? mc->scenario :
	    mc->argv[0]);
	if (res->panicked[0] != '\0')
		fprintf(f, "ended: the simulated kernel panicked (%s)",
		    res->panicked);
	else if (res->interrupted)
		fprintf(f, res->stuck ? "was stuck" : "was stopped");
	else if (res->exit_signal != 0)
		fprintf(f, "was killed by signal %d (%s)", res->exit_signal,
		    strsignal(res->exit_signal));
	else
		fprintf(f, "exited with %d", res->exit_code);
	fprintf(f, " after %.3f s simulated (%.2f s here, %.0f MIPS)\n", s,
	    res->host_seconds, res->host_seconds > 0 ?
	    (double)res->instructions / 1e6 / res->host_seconds : 0);
	if (mc->nspecs != 0)
		text_programs(m, res, f);
	text_time(m, mc, res, f);
	text_processes(m, res, f);
	text_memory(m, mc, res, f);
	text_paging(m, f);
	text_disks(m, mc, res, f);
	text_problem(m, f);
	text_enosys(res, f);
	text_database(mc, res, f);
}

/* ------------------------------------------------------------ JSON */

/* All 64 bits, which a double would not hold. */
static void
put_u64(cJSON *o, const char *key, uint64_t v)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, v);
	cJSON_AddItemToObject(o, key, cJSON_CreateRaw(text));
}

static void
json_result(cJSON *o, const struct machine_config *mc,
    const struct machine_result *res)
{
	cJSON *argv = cJSON_AddArrayToObject(o, "argv");

	for (size_t i = 0; mc->argv != NULL && mc->argv[i] != NULL; i++)
		cJSON_AddItemToArray(argv, cJSON_CreateString(mc->argv[i]));
	put_u64(o, "exit_code", (uint64_t)res->exit_code);
	put_u64(o, "exit_signal", (uint64_t)res->exit_signal);
	cJSON_AddBoolToObject(o, "interrupted", res->interrupted);
	cJSON_AddBoolToObject(o, "stuck", res->stuck);
	cJSON_AddStringToObject(o, "panicked", res->panicked);
	put_u64(o, "sim_ns", res->sim_ns);
	put_u64(o, "cycles", res->cycles);
	put_u64(o, "user_cycles", res->user_cycles);
	put_u64(o, "kernel_cycles", res->kernel_cycles);
	put_u64(o, "idle_cycles", res->idle_cycles);
	put_u64(o, "instructions", res->instructions);
	put_u64(o, "syscalls", res->syscalls);
	put_u64(o, "mem_pages", mc->mem_bytes / 4096);
	put_u64(o, "min_frames", res->min_frames);
	put_u64(o, "peak_rss_pages", res->peak_rss_pages);
	put_u64(o, "peak_used_pages", res->peak_used_pages);
	put_u64(o, "processes", res->processes);
	put_u64(o, "most_processes", res->most_processes);
	put_u64(o, "oom_kills", res->oom_kills);
	cJSON_AddNumberToObject(o, "host_seconds", res->host_seconds);
}

static void
json_paging(struct machine *m, const struct machine_config *mc, cJSON *o)
{
	static const struct {
		const char *key, *counter;
	} map[] = {
		{ "faults", "v_vm_faults" },
		{ "zero_fill_faults", "v_zfod" },
		{ "cow_faults", "v_cow_faults" },
		{ "io_faults", "v_io_faults" },
		{ "swap_pages_in", "v_swappgsin" },
		{ "swap_pages_out", "v_swappgsout" },
		{ "file_pages_in", "v_vnodepgsin" },
		{ "file_pages_out", "v_vnodepgsout" },
		{ "pages_scanned", "v_pdpages" },
	};
	struct vm *vm = machine_vm(m);
	cJSON *all;

	for (size_t i = 0; i < sizeof(map) / sizeof(map[0]); i++)
		put_u64(o, map[i].key, vm_stat(vm, map[i].counter));
	put_u64(o, "overhead_bytes_per_page", vm_overhead_bytes(vm) /
	    (mc->mem_bytes / 4096));
	all = cJSON_AddObjectToObject(o, "counters");
	for (size_t i = 0; i < vm_stat_count(vm); i++)
		put_u64(all, vm_stat_name(vm, i), vm_stat_value(vm, i));
}

static void
json_disks(struct machine *m, const struct machine_config *mc, cJSON *o)
{
	cJSON *list = cJSON_AddArrayToObject(o, "disks"), *d;
	struct disk_stats st;

	for (uint32_t i = 0; i < machine_ndisks(m); i++) {
		disk_get_stats(machine_disk(m, i), &st);
		d = cJSON_CreateObject();
		cJSON_AddItemToArray(list, d);
		cJSON_AddStringToObject(d, "name", mc->disks[i].name);
		cJSON_AddStringToObject(d, "model", mc->disks[i].model);
		put_u64(d, "reads", st.reads);
		put_u64(d, "writes", st.writes);
		put_u64(d, "sectors_read", st.sectors_read);
		put_u64(d, "sectors_written", st.sectors_written);
		put_u64(d, "busy_cycles", st.busy);
		put_u64(d, "queued_cycles", st.queued);
		put_u64(d, "seek_cycles", st.seek);
		put_u64(d, "rotation_cycles", st.rotation);
		put_u64(d, "transfer_cycles", st.transfer);
		put_u64(d, "queue_max", st.queue_max);
		put_u64(d, "errors", st.errors);
	}
}

static void
json_program(const struct program_result *r, cJSON *o)
{
	cJSON_AddStringToObject(o, "name", r->prog->name);
	put_u64(o, "pid", (uint64_t)r->pid);
	cJSON_AddBoolToObject(o, "ended", r->ended);
	put_u64(o, "exit_code", (uint64_t)r->exit_code);
	put_u64(o, "exit_signal", (uint64_t)r->exit_signal);
	put_u64(o, "start_cycles", r->start);
	put_u64(o, "end_cycles", r->end);
	put_u64(o, "instructions", r->instructions);
	put_u64(o, "user_cycles", r->user_cycles);
	put_u64(o, "running_cycles", r->running);
	put_u64(o, "ready_cycles", r->ready);
	put_u64(o, "page_wait_cycles", r->page_wait);
	put_u64(o, "sleeping_cycles", r->sleeping);
	put_u64(o, "swapped_cycles", r->swapped);
	put_u64(o, "swap_wait_cycles", r->swap_wait);
	put_u64(o, "minflt", r->minflt);
	put_u64(o, "majflt", r->majflt);
	put_u64(o, "syscalls", r->syscalls);
	put_u64(o, "peak_rss_pages", r->peak_rss_pages);
	put_u64(o, "swapouts", r->swapouts);
}

static void
json_programs(const struct machine_result *res, cJSON *o)
{
	cJSON *list = cJSON_AddArrayToObject(o, "programs"), *e;

	for (uint32_t i = 0; i < res->nprograms; i++) {
		e = cJSON_CreateObject();
		cJSON_AddItemToArray(list, e);
		json_program(&res->programs[i], e);
	}
}

static void
json_enosys(const struct machine_result *res, cJSON *o)
{
	cJSON *list = cJSON_AddArrayToObject(o, "enosys"), *e;

	for (uint32_t i = 0; i < res->nenosys; i++) {
		e = cJSON_CreateObject();
		cJSON_AddItemToArray(list, e);
		put_u64(e, "number", (uint64_t)res->enosys[i].number);
		cJSON_AddStringToObject(e, "name", res->enosys[i].name);
		put_u64(e, "count", res->enosys[i].count);
	}
}

/* cJSON's tabs as blanks, so that line tools find `"key": value`. */
static void
write_spaced(const char *text, FILE *f)
{
	bool colon = false;

	for (; *text != '\0'; text++) {
		if (*text == '\t')
			fputs(colon ? " " : "  ", f);
		else
			fputc(*text, f);
		colon = *text == ':';
	}
	fputc('\n', f);
}

static int
write_file(const char *path, const char *text, struct sim_err *err)
{
	struct outfile out;
	int error;

	error = outfile_open(&out, path, "--json", err);
	if (error != 0)
		return (error);
	write_spaced(text, out.f);
	return (outfile_commit(&out, err));
}

int
summary_json(struct machine *m, const struct machine_config *mc,
    const struct machine_result *res, struct sim_err *err)
{
	cJSON *o = cJSON_CreateObject();
	char *text;
	int error = 0;

	json_result(o, mc, res);
	json_paging(m, mc, o);
	json_disks(m, mc, o);
	if (mc->nspecs != 0)
		json_programs(res, o);
	json_enosys(res, o);
	if (mc->db_path[0] != '\0')
		cJSON_AddStringToObject(o, "database", mc->db_path);
	text = cJSON_Print(o);
	cJSON_Delete(o);
	if (text == NULL)
		return (sim_err_set(err, ENOMEM, "out of memory"));
	if (mc->json_path[0] != '\0')
		error = write_file(mc->json_path, text, err);
	else
		write_spaced(text, stderr);
	free(text);
	return (error);
}
