#!/usr/bin/env bash
# Proves Parley in containers with a real engine: builds the images from a fresh clone, brings them up, makes calls through
# them, restarts, kills and freezes what is there, stops gracefully, and leaves nothing behind. Uses the engine of this
# machine, or makes one of its own (docker-engine.sh). Needs root, and the default ports free; else others in the environment
# (SIP_TCP_PORT ...). Usage: scripts/prove-docker.sh
set -euo pipefail

project=$(cd "$(dirname "$0")/.." && pwd)
work=${PARLEY_DOCKER_FOLDER:-/var/tmp/parley-docker}
engine=$work/engine
source "$project/scripts/docker-engine.sh"

say() { echo "prove-docker: $*"; }
[ "$(id -u)" = 0 ] || { say "an engine can be run by root only; run it with sudo." >&2; exit 1; }

clean_up() {
  [ ! -d "$work/clone" ] || (cd "$work/clone" && docker compose --file docker-compose.yml --file prove.yml down --volumes --rmi local >/dev/null 2>&1) || true
  stop_engine
  rm -rf "$work"
}
trap clean_up EXIT
rm -rf "$work"
mkdir -p "$work"

if docker version >/dev/null 2>&1; then
  say "uses the engine of this machine"
else
  command -v mmdebstrap >/dev/null || { say "mmdebstrap is missing: apt-get install mmdebstrap" >&2; exit 1; }
  say "makes an engine of Debian's packages ..."
  start_engine
fi

git clone --quiet --no-hardlinks "$project" "$work/clone"
# An engine without a bridge reaches the outside only through the machine's own network.
cat >"$work/clone/prove.yml" <<'YAML'
services:
  asterisk: { build: { network: host } }
  database: { build: { network: host } }
  gateway: { build: { network: host } }
YAML
cd "$project"
PATH=$project/node_modules/.bin:$PATH node scripts/prove-docker.ts "$work/clone"
clean_up
trap - EXIT
say "proven, and nothing is left behind"
