# Associative arrays, string building, sorting by hand, number formatting.
{
	words[$1] += $2
	tail[$2] = tail[$2] substr($1, 1, 4)
	total += length($0)
}
END {
	n = asorti(words, keys)
	for (i = 1; i <= n; i += 17)
		printf "%s %d\n", keys[i], words[keys[i]]
	m = asorti(tail, tkeys)
	for (i = 1; i <= m; i += 5)
		print tkeys[i], length(tail[tkeys[i]]), substr(tail[tkeys[i]], 1, 60)
	print n, m, total
}
