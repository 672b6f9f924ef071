#!/usr/bin/env bash
# Makes what the tests need beside Cargo, each once: tests/setup.sh node | python
# What is in place is left alone; two callers at once do not meet.
set -euo pipefail
cd "$(dirname "$0")"

say() { echo "tests/setup: $*" >&2; }

mkdir -p ../target
exec 9>"../target/.setup-${1:?node or python}.lock"
flock 9

case "$1" in
node)
  wanted=$(sha256sum node/package-lock.json | cut -d' ' -f1)
  if [ "$(cat node/node_modules/.tributary-lock 2>/dev/null)" != "$wanted" ]; then
    say "npm ci in tests/node (Stripe's SDK for Node)"
    (cd node && npm ci --loglevel=error >&2)
    echo "$wanted" >node/node_modules/.tributary-lock
  fi
  ;;
python)
  wanted=$(sha256sum python/requirements.txt | cut -d' ' -f1)
  if [ "$(cat .venv/.tributary-lock 2>/dev/null)" != "$wanted" ]; then
    say "pip install in tests/.venv (Stripe's SDK for Python, localstripe)"
    rm -rf .venv
    python3 -m venv .venv
    .venv/bin/pip install --quiet --disable-pip-version-check -r python/requirements.txt >&2
    echo "$wanted" >.venv/.tributary-lock
  fi
  ;;
*)
  say "unknown: $1"
  exit 2
  ;;
esac
