#!/usr/bin/env bash
# Installs what the tests need and the machine lacks: a browser, Python 3 with venv, and cargo-deny. Does
# nothing the second time. Without cargo-nextest the tests run through cargo itself, so that is not installed.
set -euo pipefail

has() { command -v "$1" >/dev/null 2>&1; }

browser() {
  [ -n "${CHROMIUM:-}" ] && return
  for name in chromium chromium-browser google-chrome google-chrome-stable; do has "$name" && return; done
  if [ "$(id -u)" = 0 ] && has apt-get; then
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium
  else
    echo "The browser tests need Chromium: install it, or set CHROMIUM to its path." >&2
    exit 1
  fi
}

python() {
  # Debian keeps what makes a virtual environment in a package of its own.
  has python3 && python3 -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 10))' 2>/dev/null && return
  if [ "$(id -u)" = 0 ] && has apt-get; then
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq python3 python3-venv
  else
    echo "The tests of the examples and of OpenTelemetry need Python 3.10 or newer with venv: install it." >&2
    exit 1
  fi
}

browser
python
has cargo-deny || cargo install cargo-deny --locked
