#!/usr/bin/env bash
# Regenerates steer/v1 from protos/. The tools are pinned old on purpose: generated code loads on
# newer runtimes, never on older ones.
set -euo pipefail
cd "$(dirname "$0")/.."
python -m grpc_tools.protoc -Iprotos \
  --python_out=. --pyi_out=. --grpc_python_out=. --mypy_grpc_out=. \
  protos/steer/v1/*.proto
