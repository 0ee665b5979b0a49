#!/usr/bin/env bash
# Proves what only root can: between two network namespaces, joined by a cable and by nothing else,
#   the firewall   a real call through the rules of `npm run firewall`; strangers stay out of Parley's ports, and only of those
#   the NAT        the external address is told over TCP, also where LOCAL_NETWORKS does not name this machine's own
#   the lock       a second gateway on the same STATE_DIR is refused in another network namespace
# and on a file system of 8 MB
#   the full disk  the test of test/e2e/gateway/surroundings.test.ts, with a disk that is filled in earnest.
# Needs root, ip and nft (apt-get install iproute2 nftables). Usage: scripts/root-proofs.sh
set -euo pipefail
cd "$(dirname "$0")/.."

[ "$(id -u)" = 0 ] || { echo "root-proofs: only root can make network namespaces; run it with sudo." >&2; exit 1; }
for tool in ip nft; do
  command -v $tool >/dev/null || { echo "root-proofs: $tool is missing: apt-get install iproute2 nftables" >&2; exit 1; }
done

here=parley-here-$$ there=parley-there-$$
scratch=$(mktemp -d)
gateway=

stop_gateway() {
  [ -z "$gateway" ] || { kill "$gateway" 2>/dev/null && wait "$gateway"; } || true
  gateway=
}

cleanup() {
  stop_gateway
  ip netns delete "$here" 2>/dev/null || true
  ip netns delete "$there" 2>/dev/null || true
  mountpoint -q "$scratch/small" && umount -l "$scratch/small"
  rm -rf "$scratch"
}
trap cleanup EXIT

say() { echo "root-proofs: $*"; }
fail() { echo "root-proofs: FAILED: $*" >&2; exit 1; }
within() { ip netns exec "$@"; }

# The far end has addresses of Twilio's ranges; nothing leads out of the two namespaces.
lay_cable() {
  ip netns add "$here"
  ip netns add "$there"
  ip link add parley-cable netns "$here" type veth peer name parley-cable netns "$there"
  for each in "$here" "$there"; do ip -n "$each" link set lo up; ip -n "$each" link set parley-cable up; done
  ip -n "$here" address add 192.0.2.1/24 dev parley-cable
  for address in 192.0.2.2/24 54.172.60.1/32 168.86.128.9/32 198.51.100.9/32; do
    ip -n "$there" address add $address dev parley-cable
  done
  ip -n "$here" route add default via 192.0.2.2
}

parley() { # namespace, further settings
  local namespace=$1
  shift
  exec ip netns exec "$namespace" env STATE_DIR="$scratch/state" ASTERISK_CACHE="$PWD/.parley/asterisk" SIP_ALLOW=none AGENT_ENGINE=scripted \
    HTTP_HOST=0.0.0.0 DRAIN_SECONDS=1 BUSINESS_FILE="$scratch/business.yaml" "$@" node scripts/parley.mjs src/main.ts
}

start_gateway() { # further settings
  printf 'name: Proof\ngreeting: "[tone 440 600ms]"\n' >"$scratch/business.yaml"
  parley "$here" "$@" >"$scratch/log" 2>&1 &
  gateway=$!
  for _ in $(seq 240); do
    grep -q '^parley ready' "$scratch/log" && return
    kill -0 $gateway 2>/dev/null || break
    sleep 0.5
  done
  cat "$scratch/log" >&2
  fail "the gateway did not become ready"
}

load_rules() { SIP_ALLOW=none npm run --silent firewall | within "$here" nft -f -; }
probe() { within "$there" node scripts/parley.mjs scripts/probe.ts "$@" || fail "$*"; }

prove_firewall() {
  within "$here" nft add table inet other
  probe called-from=198.51.100.9 expect=refused
  load_rules
  load_rules
  probe called-from=54.172.60.1 sound-from=168.86.128.9 expect=answered
  # The sound of a stranger does not come in: the agent hears nothing.
  probe called-from=54.172.60.1 sound-from=198.51.100.9 expect=unheard
  probe called-from=198.51.100.9 expect=unreachable
  probe called-from=198.51.100.9 transport=udp expect=unreachable
  probe page-from=198.51.100.9
  within "$here" nft delete table inet parley
  [ "$(within "$here" nft list tables)" = "table inet other" ] || fail "another table than parley's was touched"
  probe called-from=198.51.100.9 expect=refused
  say "the firewall lets Twilio in and strangers nowhere near, and goes as it came"
}

prove_nat() {
  stop_gateway
  start_gateway EXTERNAL_ADDRESS=203.0.113.7 LOCAL_NETWORKS=127.0.0.0/8
  probe told-to=54.172.60.1 expect=203.0.113.7
  say "whoever calls from beyond the NAT is told the external address"
}

prove_lock() {
  (parley "$there") >"$scratch/second" 2>&1 && fail "two gateways run on one STATE_DIR"
  grep -q 'Another Parley is running' "$scratch/second" || { cat "$scratch/second" >&2; fail "refused for another reason"; }
  say "a second gateway on the same STATE_DIR is refused in another network namespace"
}

prove_full_disk() {
  mkdir "$scratch/small"
  mount -t tmpfs -o size=8m parley "$scratch/small"
  TMPDIR="$scratch/small" PARLEY_SMALL_DISK=1 PATH="$PWD/node_modules/.bin:$PATH" \
    vitest run --project e2e test/e2e/gateway/surroundings.test.ts -t 'full disk' || fail "the full disk"
  say "on a full disk calls go on, and nothing is missing later"
}

node scripts/parley.mjs scripts/fetch-asterisk.ts
lay_cable
start_gateway
prove_lock
prove_firewall
prove_nat
prove_full_disk
say "all proven"
