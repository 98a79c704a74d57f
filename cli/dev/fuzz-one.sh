#!/usr/bin/env bash
# fuzz-one.sh FUZZER CORPUS SECONDS: runs one libFuzzer binary for a bounded time.
# The tracked corpus is only read; what the run finds goes to a temporary folder. A crash leaves
# its input under the build tree and prints its path. Called by `meson test --suite fuzz`.
# SPDX-License-Identifier: Apache-2.0

set -euo pipefail

fuzzer=$1 corpus=$2 seconds=$3
found=$(mktemp -d)
trap 'rm -rf "$found"' EXIT

seeds=()
[[ ! -d $corpus ]] || seeds=("$corpus")
dictionary=()
[[ ! -f $corpus.dict ]] || dictionary=("-dict=$corpus.dict")

"$fuzzer" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
	-artifact_prefix="$fuzzer.crash-" "${dictionary[@]}" "$found" "${seeds[@]}"
