#!/usr/bin/env perl
# Converts lines to messages after their length (u32be), and back, for tools without framing.
use strict;
use warnings;
binmode STDIN;
binmode STDOUT;
if ($ARGV[0] eq 'frame') {
	while (my $line = <STDIN>) {
		chomp $line;
		print pack('N/a*', $line);
	}
} else {
	while (read(STDIN, my $prefix, 4)) {
		read(STDIN, my $message, unpack('N', $prefix));
		print $message, "\n";
	}
}
close STDOUT or die "close: $!\n";
