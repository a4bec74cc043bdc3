/*
 * smc.c: a guest program that rewrites its own code: between calls, across a
 * page end, and in the very block that is running. Prints a checksum.
 */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

static unsigned
call(const void *code)
{
	unsigned (*f)(void);

	memcpy(&f, &code, sizeof(f));
	return (f());
}

int
main(void)
{
	/* mov $imm, %eax; ret */
	unsigned char value[] = { 0xb8, 0, 0, 0, 0, 0xc3 };
	/* xor %eax, %eax; movb $imm, 3(%rip): the add's; nop; add; ret */
	unsigned char own[] = { 0x31, 0xc0, 0xc6, 0x05, 3, 0, 0, 0, 0, 0x90,
		0x83, 0xc0, 0x01, 0xc3 };
	unsigned char *p = mmap(NULL, 8192, PROT_READ | PROT_WRITE | PROT_EXEC,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned long sum = 0;

	for (int i = 0; i < 3000; i++) {
		unsigned char *at = p + 4096 - i % 40;

		memcpy(value + 1, &i, sizeof(i));
		memcpy(at, value, sizeof(value));
		sum = sum * 31 + call(at);
		own[8] = (unsigned char)(i & 0x7f);
		at = p + 512 + i % 3 * 64;
		memcpy(at, own, sizeof(own));
		sum = sum * 31 + call(at);
	}
	printf("%lx\n", sum);
	return (0);
}
