/* Semantics 4: mprotect and munmap over holes. */
#include "guest.h"

#define RW (PROT_READ | PROT_WRITE)

static void
rights(const char *what, char *p, size_t n)
{
	printf("%s:", what);
	for (size_t i = 0; i < n; i++) {
		int r = try_read(p + i * PAGE), w;
		const char *rs = signal_name(r);

		w = try_write(p + i * PAGE, 1);
		printf(" %s/%s", rs, signal_name(w));
	}
	printf("\n");
}

int
main(void)
{
	char *p = anon(8 * PAGE, RW);

	catch_faults();
	memset(p, 1, 8 * PAGE);
	say("make a hole", munmap(p + 3 * PAGE, PAGE));
	say("protect over it", mprotect(p + PAGE, 5 * PAGE, PROT_READ));
	rights("after", p, 8);
	say("protect beginning in it", mprotect(p + 3 * PAGE, 2 * PAGE,
	    PROT_READ));
	rights("after", p, 8);
	say("protect to none", mprotect(p + 5 * PAGE, PAGE, PROT_NONE));
	rights("after", p, 8);
	say("back to rw", mprotect(p + 5 * PAGE, PAGE, RW));
	printf("contents stayed: %d\n", p[5 * PAGE + 1]);
	say("munmap of a hole", munmap(p + 3 * PAGE, PAGE));
	say("munmap over a hole", munmap(p + 2 * PAGE, 3 * PAGE));
	rights("after", p, 8);
	say("munmap all", munmap(p, 8 * PAGE));
	say("munmap all again", munmap(p, 8 * PAGE));
	say_fault("read", try_read(p));
	/* write only is readable on x86, none is nothing */
	p = anon(PAGE, PROT_WRITE);
	rights("write only", p, 1);
	p = anon(PAGE, PROT_NONE);
	rights("none", p, 1);
	/* code */
	p = anon(PAGE, RW);
	p[0] = (char)0xc3;
	guest_signo = 0;
	if (sigsetjmp(guest_jmp, 1) == 0)
		((void (*)(void))(void *)p)();
	say_fault("run what may not be run", guest_signo);
	printf("address exact: %d\n", guest_addr == p);
	say("make it code", mprotect(p, PAGE, PROT_READ | PROT_EXEC));
	guest_signo = 0;
	if (sigsetjmp(guest_jmp, 1) == 0)
		((void (*)(void))(void *)p)();
	say_fault("run it", guest_signo);
	return (0);
}
