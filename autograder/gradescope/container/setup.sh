#!/bin/bash
# Gradescope runs this once, as root, when it builds the image: Python, what grading this problem imports, and a test run.
#   AUTOGRADER_DIR        the folder with source/; /autograder if not set
#   AUTOGRADER_NO_SYSTEM  if set: installs no system package and makes no user (for a test run outside of a container)
#   TORCH_INDEX           where PyTorch comes from; its own index of CPU builds if not set, pip's configuration if empty
set -euo pipefail
base="${AUTOGRADER_DIR:-/autograder}"
source="$base/source"
torch_index="${TORCH_INDEX-https://download.pytorch.org/whl/cpu}"
export DEBIAN_FRONTEND=noninteractive PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
unset PYTHONDONTWRITEBYTECODE PYTHONPATH

say() { echo "setup: $*"; }

# A released Python of version 3.11 or newer that can make environments.
find_python() {
    local name
    for name in python3 python3.13 python3.12 python3.11; do
        if "$name" -c 'import sys, venv, ensurepip
sys.exit(sys.version_info < (3, 11) or sys.version_info.releaselevel != "final")' 2>/dev/null; then
            command -v "$name"
            return 0
        fi
    done
    return 1
}

from_apt() {
    [ -z "${AUTOGRADER_NO_SYSTEM:-}" ] && command -v apt-get >/dev/null && apt-get install -y -qq --no-install-recommends "$@"
}

chmod 0700 "$source"
if ! python=$(find_python); then
    [ -n "${AUTOGRADER_NO_SYSTEM:-}" ] || apt-get update -qq || true
    from_apt python3-venv || true
    python=$(find_python) || { from_apt python3.12-venv || from_apt python3.11-venv || true; }
    python=$(find_python) || python=""
fi
if [ -z "$python" ]; then
    say "no released Python 3.11 or newer here; installing one with uv"
    python3 -m venv "$base/uv"
    "$base/uv/bin/python" -m pip install -q uv
    UV_PYTHON_INSTALL_DIR="$base/python" UV_CACHE_DIR="$base/uv/cache" "$base/uv/bin/uv" python install -q 3.12
    python=$(UV_PYTHON_INSTALL_DIR="$base/python" "$base/uv/bin/uv" python find 3.12)
    rm -rf "$base/uv"
fi

say "environment with $("$python" --version)"
"$python" -m venv "$base/venv"
bin="$base/venv/bin"
say "$(tr '\n' ' ' < "$source/torch.txt")"
# Not compiled: the test run below compiles what grading imports, which is a fraction of it.
"$bin/python" -m pip install -q --no-compile --no-deps ${torch_index:+--index-url "$torch_index"} -r "$source/torch.txt"
say "other packages that grading imports"
"$bin/python" -m pip install -q --no-compile -r "$source/requirements.txt" -c "$source/constraints.txt"
cp -r "$source/packages" "$base/packages"  # installing writes files into the folder
"$bin/python" -m pip install -q --no-compile --no-deps "$base/packages/homework" "$base/packages/autograder"
rm -rf "$base/packages"
if "$bin/python" -m pip list --format=freeze | grep -qi '^nvidia-'; then
    say "PyTorch installed CUDA packages; set TORCH_INDEX to an index of CPU builds"
    exit 1
fi
"$bin/python" -c 'import pyseccomp' 2>/dev/null || from_apt libseccomp2 || say "libseccomp is not available; the sandbox is weaker without it"

# An account that owns nothing, to check what other users can read here.
nobody=65534
if [ -z "${AUTOGRADER_NO_SYSTEM:-}" ]; then
    id -u student >/dev/null 2>&1 || useradd --no-create-home --shell /usr/sbin/nologin student
    nobody=$(id -u student)
    rm -rf /var/lib/apt/lists/*
fi
mkdir -p "$base/results"
chmod 0700 "$source" "$base/results"
as_student() { setpriv --reuid="$nobody" --regid="$nobody" --clear-groups "$@"; }
if [ "$(id -u)" = 0 ]; then
    as_student "$bin/python" -I -c 'import homework, numpy' || { say "student code cannot read $base/venv"; exit 1; }
    if as_student ls "$source" "$base/results" >/dev/null 2>&1; then
        say "student code can read $source or $base/results"
        exit 1
    fi
fi

say "grading the solution once"
"$bin/python" -I -m autograder.gradescope.runner --preflight "$base"
say "done, $(du -sm "$base/venv" | cut -f1) MB"
