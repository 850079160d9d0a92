#!/bin/sh
# A spec alone means: run it. Anything else is a command of the harness, such as: reproduce RUN_ID
set -eu
case "${1:-}" in
  *.py | *.yaml | *.yml | *.json) set -- run "$@" ;;
esac
exec harness "$@"
