"""One script per published figure; each prints JSON. `make bench` runs them all."""
