#!/usr/bin/env bash
# Run a command with a Docker engine, and with images to build on: engine.sh COMMAND [ARG ...]
# Where an engine answers, it is used as it is, with the official images. Else, as root on Debian, a private engine is started, with stand-ins made of
# Debian's packages. Where neither can be had, the reason is said and nothing is claimed.
set -euo pipefail
cd "$(dirname "$0")"
skip() { echo "SKIPPED, the containers were not tested: $*"; exit 0; }

if docker info >/dev/null 2>&1; then exec "$@"; fi
[ "$(id -u)" = 0 ] || skip "no Docker engine answers, and only root can start one"
command -v apt-get >/dev/null || skip "no Docker engine answers, and without apt-get none can be installed"
if ! command -v dockerd docker-compose mmdebstrap >/dev/null; then
  export DEBIAN_FRONTEND=noninteractive
  apt-get -qq -o DPkg::Lock::Timeout=120 update
  apt-get -qq -o DPkg::Lock::Timeout=120 install -y --no-install-recommends docker.io docker-compose mmdebstrap >/dev/null \
    || skip "Debian's docker.io, docker-compose and mmdebstrap can't be installed"
fi
export PATH=/usr/bin:$PATH DOCKER_BUILDKIT=1 COMPOSE_DOCKER_CLI_BUILD=1
work=$(mktemp -d)
export DOCKER_HOST=unix://$work/docker.sock
dockerd --data-root "$work/data" --exec-root "$work/run" --pidfile "$work/pid" -H "$DOCKER_HOST" >"$work/log" 2>&1 &
engine=$!
trap 'kill $engine 2>/dev/null || true; wait $engine || true; rm -rf "$work"' EXIT
for _ in $(seq 150); do
  docker info >/dev/null 2>&1 && break
  kill -0 $engine 2>/dev/null || skip "a Docker engine does not start here: $(tail -1 "$work/log")"
  sleep 0.2
done
docker info >/dev/null 2>&1 || skip "a Docker engine does not answer within 30 s: $(tail -1 "$work/log")"

bash base.sh
docker build -q -t stand-in-postgres -f postgres.Dockerfile . >/dev/null
export BASE_IMAGE=stand-in-python POSTGRES_IMAGE=stand-in-postgres
"$@"
