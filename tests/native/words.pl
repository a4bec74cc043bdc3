use strict;
use warnings;
# Hashes of arrays, regular expressions, sorting, string repetition.
my (%by, %seen);
while (<>) {
	next unless /^([0-9a-f]+) (\d+) line (\d+) of the (\w+) ([0-9a-f]+)$/;
	push @{ $by{$2} }, [ hex($1), $3 ];
	$seen{$5}++;
}
for my $k (sort { $a <=> $b } keys %by) {
	next if $k % 7;
	my @l = sort { $a->[0] <=> $b->[0] || $a->[1] <=> $b->[1] } @{ $by{$k} };
	print "$k: ", join(",", map { sprintf("%x/%d", @$_) } @l), "\n";
}
my $s = join("", sort keys %seen);
print length($s), " ", unpack("%32C*", $s x 20), "\n";
