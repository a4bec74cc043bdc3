# vmops.s: a tiny static program that does what its arguments say with memory
# and prints a checksum of what it found there. Its ELF header is written out
# by hand, so that every assembler makes the same bytes:
#
#	as -o vmops.o vmops.s && objcopy -O binary -j .text vmops.o vmops
#
# vmops in this folder is the result; the golden logs are made with it, and no
# compiler has a say in them. Commands, each one argument, in order:
#
#	mN	map N pages of private zero-filled memory; all others use it
#	fN	the same, but a shared mapping of the new file "golden.dat"
#	wN	N times: write every page, upwards
#	bN	N times: write every page, downwards
#	rN	N accesses to random pages, every fourth a write
#	dN cN lN uN gN	madvise DONTNEED, COLD; mlock, munlock; munmap: the
#		first N pages
#	iN	madvise WILLNEED: the first N pages
#	pN	sleep for N milliseconds
	.text
base:
	.set	org, 0x400000
	.byte	0x7f, 'E', 'L', 'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0
	.short	2, 62			# ET_EXEC, EM_X86_64
	.long	1
	.quad	org + (start - base)	# e_entry
	.quad	phdr - base, 0		# e_phoff, e_shoff
	.long	0
	.short	64, 56, 1, 64, 0, 0
phdr:
	.long	1, 5			# PT_LOAD, R X
	.quad	0, org, org, end - base, end - base, 4096

start:
	mov	(%rsp), %rbp		# argc
	lea	16(%rsp), %r12		# &argv[1]
	mov	$0x9e3779b97f4a7c15, %rax
	mov	%rax, %rbx		# random state
	xor	%r15, %r15		# checksum
	xor	%r13, %r13		# the memory
	xor	%r14, %r14		# its pages
next:
	dec	%rbp
	jle	finish
	mov	(%r12), %rsi
	add	$8, %r12
	movzbl	(%rsi), %r8d		# the command
	xor	%r9, %r9		# its number
digit:
	inc	%rsi
	movzbl	(%rsi), %eax
	sub	$'0', %eax
	jb	run
	imul	$10, %r9, %r9
	add	%rax, %r9
	jmp	digit
run:
	cmp	$'m', %r8b
	je	do_map
	cmp	$'f', %r8b
	je	do_file
	cmp	$'w', %r8b
	je	do_write
	cmp	$'b', %r8b
	je	do_back
	cmp	$'r', %r8b
	je	do_random
	cmp	$'p', %r8b
	je	do_sleep
	mov	%r13, %rdi		# the rest: a range of pages
	mov	%r9, %rsi
	shl	$12, %rsi
	cmp	$'d', %r8b
	je	do_dontneed
	cmp	$'c', %r8b
	je	do_cold
	cmp	$'i', %r8b
	je	do_willneed
	cmp	$'l', %r8b
	je	do_lock
	cmp	$'u', %r8b
	je	do_unlock
	cmp	$'g', %r8b
	je	do_unmap
	mov	$2, %edi
	jmp	quit

do_map:
	mov	$0x22, %r10d		# MAP_PRIVATE | MAP_ANONYMOUS
	mov	$-1, %r8
	jmp	map
do_file:
	lea	name(%rip), %rdi
	mov	$0x242, %esi		# O_RDWR | O_CREAT | O_TRUNC
	mov	$0600, %edx
	mov	$2, %eax		# open
	syscall
	test	%rax, %rax
	js	failed
	mov	%rax, %rdi
	mov	%rax, %r8
	mov	%r9, %rsi
	shl	$12, %rsi
	mov	$77, %eax		# ftruncate
	push	%r8
	syscall
	pop	%r8
	test	%rax, %rax
	js	failed
	mov	$1, %r10d		# MAP_SHARED
map:
	mov	%r9, %r14
	xor	%edi, %edi
	mov	%r9, %rsi
	shl	$12, %rsi
	mov	$3, %edx		# PROT_READ | PROT_WRITE
	xor	%r9, %r9
	mov	$9, %eax		# mmap
	syscall
	cmp	$-4096, %rax
	ja	failed
	mov	%rax, %r13
	jmp	next

# Page %rcx: fold its word into the checksum; write a new one.
touch:
	mov	%rcx, %rdi
	shl	$12, %rdi
	mov	%rcx, %rax
	and	$511, %eax
	lea	(%rdi,%rax,8), %rdi
	add	%r13, %rdi
	mov	(%rdi), %rax
	rol	$7, %r15
	add	%rax, %r15
	ret
store:
	lea	1(%rax,%rcx), %rax
	mov	%rax, (%rdi)
	ret

do_write:
	test	%r9, %r9
	jz	next
	xor	%ecx, %ecx
1:	call	touch
	call	store
	inc	%rcx
	cmp	%r14, %rcx
	jb	1b
	dec	%r9
	jmp	do_write
do_back:
	test	%r9, %r9
	jz	next
	mov	%r14, %rcx
1:	dec	%rcx
	call	touch
	call	store
	test	%rcx, %rcx
	jnz	1b
	dec	%r9
	jmp	do_back
do_random:
	test	%r9, %r9
	jz	next
	mov	%rbx, %rax		# xorshift64
	shl	$13, %rax
	xor	%rax, %rbx
	mov	%rbx, %rax
	shr	$7, %rax
	xor	%rax, %rbx
	mov	%rbx, %rax
	shl	$17, %rax
	xor	%rax, %rbx
	mov	%rbx, %rax
	shr	$8, %rax
	xor	%edx, %edx
	div	%r14
	mov	%rdx, %rcx
	call	touch
	test	$3, %bl
	jnz	1f
	call	store
1:	dec	%r9
	jmp	do_random

do_sleep:
	mov	%r9, %rax
	xor	%edx, %edx
	mov	$1000, %ecx
	div	%rcx
	imul	$1000000, %rdx, %rdx
	push	%rdx			# tv_nsec
	push	%rax			# tv_sec
	mov	%rsp, %rdi
	xor	%esi, %esi
	mov	$35, %eax		# nanosleep
	syscall
	add	$16, %rsp
	jmp	next

do_dontneed:
	mov	$4, %edx
	jmp	advise
do_cold:
	mov	$20, %edx
	jmp	advise
do_willneed:
	mov	$3, %edx
advise:
	mov	$28, %eax		# madvise
	jmp	call
do_lock:
	mov	$149, %eax		# mlock
	jmp	call
do_unlock:
	mov	$150, %eax		# munlock
	jmp	call
do_unmap:
	mov	$11, %eax		# munmap
call:
	syscall
	test	%rax, %rax
	jns	next
failed:
	neg	%eax
	mov	%eax, %edi
	jmp	quit

finish:
	sub	$24, %rsp		# 16 digits and a newline
	mov	%rsp, %rdi
	mov	$16, %ecx
1:	rol	$4, %r15
	mov	%r15d, %eax
	and	$15, %eax
	cmp	$10, %eax
	jb	2f
	add	$('a' - '0' - 10), %eax
2:	add	$'0', %eax
	mov	%al, (%rdi)
	inc	%rdi
	dec	%ecx
	jnz	1b
	movb	$'\n', (%rdi)
	mov	$1, %edi
	mov	%rsp, %rsi
	mov	$17, %edx
	mov	$1, %eax		# write
	syscall
	xor	%edi, %edi
quit:
	mov	$60, %eax		# exit
	syscall
name:
	.asciz	"golden.dat"
end:
