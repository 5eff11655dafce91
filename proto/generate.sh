#!/usr/bin/env bash
# Writes the Python classes of every contract into proto/gen (or the folder given). Run through `make proto`.
set -euo pipefail
cd "$(dirname "$0")"
out=${1:-gen}
mkdir -p "$out"
python -m grpc_tools.protoc -I . --python_out="$out" --pyi_out="$out" --grpc_python_out="$out" \
  $(find kagamipb -name '*.proto' | LC_ALL=C sort)
