# Sourced by the other scripts: makes a virtual environment if it is absent, `.venv` or $ENAS_VENV, and
# installs the package into it.

PROJECT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
VENV="${ENAS_VENV:-$PROJECT/.venv}"
BIN="$VENV/bin"

# prepare_environment [EXTRA]: installs when there is no environment yet, or setup.py has changed.
prepare_environment() {
  local extra="${1:-}" python="${PYTHON:-python3}" target stamp
  if ! "$BIN/python" -m pip --version >/dev/null 2>&1; then
    if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))'; then
      echo "enas_tf needs Python 3.10 or newer; set PYTHON to one. Found: $("$python" --version 2>&1)" >&2
      exit 2
    fi
    echo "Making the virtual environment $VENV ..." >&2
    "$python" -m venv "$VENV"
  fi
  target="$PROJECT${extra:+[$extra]}"
  stamp="$VENV/.installed${extra:+-$extra}"
  if ! cmp -s "$PROJECT/setup.py" "$stamp"; then
    echo "Installing enas_tf and what it needs (TensorFlow is large; a few minutes) ..." >&2
    "$BIN/python" -m pip install --quiet --disable-pip-version-check --editable "$target"
    cp "$PROJECT/setup.py" "$stamp"
    echo "Installed." >&2
  fi
}
