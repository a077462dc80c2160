#!/usr/bin/env bash
# The fastest binary: compiled twice, the second time by a profile of what the first one did under load.
# Needs llvm-profdata of the LLVM that rustc has. Takes some half an hour on two cores.
set -euo pipefail
cd "$(dirname "$0")/.."

read -r host llvm < <(rustc -vV | awk '/^host:/ {host = $2} /^LLVM version:/ {split($3, v, "."); print host, v[1]}')
profdata="$(rustc --print sysroot)/lib/rustlib/$host/bin/llvm-profdata"
[ -x "$profdata" ] || profdata="$(command -v "llvm-profdata-$llvm" || true)"
if [ -z "$profdata" ]; then
    echo "llvm-profdata of LLVM $llvm is missing: rustup component add llvm-tools, or the package llvm-$llvm" >&2
    exit 1
fi

work="$PWD/target/profiled"
build() { # with a target named, what runs at compile time is compiled without the flags
    RUSTFLAGS="$1" cargo build --profile dist --locked --target "$host" --target-dir "$work/$2"
}

rm -rf "$work/raw"
build "-Cprofile-generate=$work/raw" first
cargo bench --locked --bench otlp -- --spawn "$work/first/$host/dist/dendro" --engine sled,fjall --spans 10000
"$profdata" merge -o "$work/dendro.profdata" "$work/raw"
build "-Cprofile-use=$work/dendro.profdata" second
mkdir -p target/dist
cp "$work/second/$host/dist/dendro" target/dist/dendro
echo "target/dist/dendro"
