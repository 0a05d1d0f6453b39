#!/bin/sh
# Runs every target for so many seconds (60), one after the other, from the saved corpus on; new inputs go to found/TARGET.
set -u
cd "$(dirname "$0")" || exit 2
cargo build --release || exit 2
target=$(cargo metadata --no-deps --format-version 1 | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')
status=0
for corpus in corpus/*; do
    name=${corpus#corpus/}
    mkdir -p "found/$name"
    if "$target"/*/release/"$name" -max_total_time="${1:-60}" -timeout=20 -rss_limit_mb=1024 -dict=tables.dict \
        -artifact_prefix="found/$name-" "found/$name" "$corpus" >"found/$name.log" 2>&1; then
        echo "$name: $(grep DONE "found/$name.log")"
    else
        echo "$name: FAILED, see tests/fuzz/found/$name.log"
        status=1
    fi
done
exit $status
