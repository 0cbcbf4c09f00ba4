#!/usr/bin/env bash
# All checks: ruff (lint and format), mypy, pytest. Makes .venv and installs the package with `dev` where needed.
#
#   bash scripts/test.sh                       everything but slow, gpu, real_data, docs, deploy, browser and commands
#   bash scripts/test.sh tests/data -k csv     arguments go to pytest
#   bash scripts/test.sh -m slow               a later -m replaces the selection
#   bash scripts/test.sh -n 0                  in one process, for a debugger
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source scripts/_venv.sh
# The tests' tensors are tiny, and on a busy machine several threads mostly wait for one another.
export OMP_NUM_THREADS="${OMP_NUM_THREADS:-1}"

# Run one step under a name and say how long it took; a failing step ends the script with its status.
step() {
  local name="$1" start=$SECONDS status=0
  shift
  echo "== $name"
  "$@" || status=$?
  if [ "$status" -ne 0 ]; then
    echo "== $name FAILED after $((SECONDS - start)) s" >&2
    exit "$status"
  fi
  echo "== $name ok, $((SECONDS - start)) s"
}

step "venv" prepare_venv ".[dev]"
step "ruff check" .venv/bin/python -m ruff check .
step "ruff format" .venv/bin/python -m ruff format --check .
step "mypy" .venv/bin/python -m mypy
# Two processes side by side. Each begins with a half of the tests, file by file, as those of a file share fixtures; the
# one that is through first takes over what the other has left.
step "pytest" .venv/bin/python -m pytest -n 2 --dist worksteal -m "not slow and not gpu and not real_data and not docs and not deploy and not browser and not commands" "$@"
echo "all checks passed in $SECONDS s"
