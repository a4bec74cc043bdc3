#include <stdio.h>
#include <stdlib.h>

#include "table.h"

int
main(int argc, char **argv)
{
	struct table *t = table_new();

	for (int round = 0; round < 100; round++)
		for (int i = 1; i < argc; i++)
			table_add(t, argv[i], round + strtol(argv[i], 0, 0));
	printf("%ld\n", table_sum(t));
	table_free(t);
	return (0);
}
