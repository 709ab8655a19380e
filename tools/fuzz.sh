#!/bin/sh
# Runs every fuzz target for some seconds, or those named: tools/fuzz.sh SECONDS [TARGET...]
set -eu
cd "$(dirname "$0")/.."
seconds=${1:-60}
[ $# -gt 0 ] && shift
cargo +nightly fuzz --version >/dev/null 2>&1 || {
	echo "cargo-fuzz not found: rustup toolchain install nightly && cargo install cargo-fuzz" >&2
	exit 2
}
cargo run -q --locked -p tradecore-fuzzing --example write_seeds -- fuzz/corpus
[ $# -gt 0 ] || set -- $(cargo +nightly fuzz list)
for target; do
	echo "fuzz: $target, $seconds s"
	# No input may take more than 64 MiB at once: lengths that a message claims are not believed.
	cargo +nightly fuzz run "$target" -- -max_total_time="$seconds" -max_len=4096 -timeout=10 \
		-rss_limit_mb=2048 -malloc_limit_mb=64 -print_final_stats=1
done
