# Sourced by quickstart.sh and test.sh: makes .venv in the repository root and installs the package there.
#
#   PYTHON=python3.12 bash scripts/test.sh     which interpreter makes .venv (default: python3)

# Make .venv if it is missing or broken, and install the package unless it is there already.
#   $1  what to install, as pip's argument: "." or ".[dev]"
# "Already" means that the stamp in .venv names this very pyproject.toml and at least these extras.
prepare_venv() {
  # Every step has its own way out: `set -e` is off inside a function whose status the caller looks at.
  local wanted="$1" python="${PYTHON:-python3}" stamp=.venv/installed-from hash
  if ! .venv/bin/python -c "" 2>/dev/null; then
    require_python "$python"
    echo "making .venv with $python"
    "$python" -m venv --clear .venv || return
  fi
  hash=$(.venv/bin/python -c "import hashlib; print(hashlib.sha256(open('pyproject.toml', 'rb').read()).hexdigest())") || return
  if is_installed "$stamp" "$hash" "$wanted"; then
    echo "packages are up to date in .venv"
    return 0
  fi
  echo "installing $wanted into .venv (takes minutes the first time)"
  rm -f "$stamp"
  .venv/bin/python -m pip install --quiet --disable-pip-version-check --editable "$wanted" || return
  echo "$hash $wanted" >"$stamp"
}

# True if the stamp $1 says that $3 was installed from the pyproject.toml with hash $2; ".[dev]" includes ".".
is_installed() {
  [ -f "$1" ] || return 1
  local have
  have=$(cat "$1")
  [ "$have" = "$2 $3" ] || [ "$have" = "$2 .[dev]" ]
}

require_python() {
  if ! command -v "$1" >/dev/null 2>&1; then
    echo "error: there is no $1 here; install Python 3.10 or newer, or name one: PYTHON=python3.12 bash $0" >&2
    exit 1
  fi
  if ! "$1" -c "import sys; sys.exit(sys.version_info < (3, 10))"; then
    echo "error: $1 is $("$1" --version 2>&1); Python 3.10 or newer is needed, name one: PYTHON=python3.12 bash $0" >&2
    exit 1
  fi
  if ! "$1" -c "import ensurepip, venv" 2>/dev/null; then
    echo "error: $1 has no venv module; install it (Debian, Ubuntu: apt install python3-venv) and run this again" >&2
    exit 1
  fi
}
