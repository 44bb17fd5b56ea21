"""What the gate costs, against what one would write without it: `make bench`."""
