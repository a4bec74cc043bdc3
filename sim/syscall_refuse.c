/*
 * syscall_refuse.c: calls that have a proper answer other than "not
 * implemented": file systems without extended attributes. Programs take it in
 * their stride.
 * Interface: syscall_int.h.
 */
#include "sim/syscall_int.h"

#define NO_XATTR(call)                  \
	int64_t sys_##call(struct sysctx *c) \
	{                               \
		(void)c;                \
		return (-EOPNOTSUPP);   \
	}

NO_XATTR(setxattr)
NO_XATTR(lsetxattr)
NO_XATTR(fsetxattr)
NO_XATTR(getxattr)
NO_XATTR(lgetxattr)
NO_XATTR(fgetxattr)
NO_XATTR(listxattr)
NO_XATTR(llistxattr)
NO_XATTR(flistxattr)
NO_XATTR(removexattr)
NO_XATTR(lremovexattr)
NO_XATTR(fremovexattr)
