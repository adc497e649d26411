#!/usr/bin/env bash
# Instructions per applied command by size, counted by callgrind inside `measured_apply` alone.
# Usage: benches/callgrind.sh [ordinary|hostile] [commands] [sizes...]
set -euo pipefail
cd "$(dirname "$0")/.."
population=${1:-ordinary}
commands=${2:-20000}
shift $(( $# < 2 ? $# : 2 ))
sizes=("$@")
[ ${#sizes[@]} -gt 0 ] || sizes=(1000 10000 100000)
command -v valgrind >/dev/null || { echo "valgrind is not installed: it comes in the package of that name" >&2; exit 1; }
cargo build --release --quiet -p centralita-benches
binary=$(cargo metadata --no-deps --format-version 1 | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')/release/apply
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
first=
for agents in "${sizes[@]}"; do
  json=$folder/$agents.json
  valgrind --tool=callgrind --toggle-collect='*measured_apply*' --callgrind-out-file="$folder/$agents.out" \
    "$binary" --json --only "$population" --agents "$agents" --commands "$commands" >"$json" 2>"$folder/log"
  instructions=$(sed -n 's/^\(summary\|totals\): \([0-9]*\).*/\2/p' "$folder/$agents.out" | tail -1)
  # Counted are the measured commands, those of the warm-up (a tenth) and those of the picky agent.
  applied=$(sed -n 's/.*"applied": \([0-9]*\).*/\1/p' "$json" | tail -1)
  each=$((instructions / applied))
  [ -n "$first" ] || first=$each
  echo "$population, $agents agents: $each instructions a command ($applied commands), $(awk "BEGIN{printf \"%.2f\", $each/$first}") times the smallest"
done
