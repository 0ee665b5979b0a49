#!/usr/bin/env bash
# Proves deploy/systemd/parley.service: verifies it, tells how exposed it is, then boots a minimal Debian 12 whose systemd runs
# it, and calls through it: the first start, a crash, a graceful stop, a stop that runs out of time. Needs root, mmdebstrap and
# systemd-nspawn (Debian's systemd-container), a Node >= 20 with npm, and the default ports free; else others in
# the environment (SIP_TCP_PORT ...). Usage: scripts/prove-systemd.sh
set -euo pipefail

project=$(cd "$(dirname "$0")/.." && pwd)
unit=deploy/systemd/parley.service
root=${PARLEY_SYSTEMD_ROOT:-/var/tmp/parley-systemd}

say() { echo "prove-systemd: $*"; }
[ "$(id -u)" = 0 ] || { say "a machine can be booted by root only; run it with sudo." >&2; exit 1; }
for each in mmdebstrap:mmdebstrap systemd-nspawn:systemd-container; do
  command -v "${each%:*}" >/dev/null || { say "${each%:*} is missing: apt-get install ${each#*:}" >&2; exit 1; }
done

machine=
shut_down() {
  if [ -n "$machine" ] && kill -0 "$machine" 2>/dev/null; then
    kill -TERM "$machine"
    wait "$machine" || true
  fi
  machine=
}
clean_up() { shut_down; rm -rf "$root" "$root.log"; }
trap clean_up EXIT

make_root() {
  rm -rf "$root"
  # The machine's own package sources, so that no mirror is named here.
  local sources
  sources=$(find /etc/apt/sources.list.d -name 'debian.sources' -print -quit)
  mmdebstrap --quiet --variant=minbase --include=systemd,systemd-sysv,ca-certificates bookworm "$root" "${sources:-/etc/apt/sources.list}"
  # How this machine reaches the outside.
  cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
  cp -L /etc/apt/apt.conf.d/*proxy* "$root/etc/apt/apt.conf.d/" 2>/dev/null || true
}

# As the README says.
install_parley() {
  chroot "$root" useradd --system --home-dir /var/lib/parley --shell /usr/sbin/nologin parley
  git clone --quiet --no-hardlinks "$project" "$root/opt/parley"
  npm --prefix "$root/opt/parley" ci --omit=dev --no-audit --no-fund --loglevel=error
  install -D --mode 600 /dev/null "$root/etc/parley/parley.env"
}

boot() {
  systemd-nspawn --quiet --register=no --keep-unit --resolv-conf=copy-host --boot --directory="$root" >"$root.log" 2>&1 &
  machine=$!
  for _ in $(seq 60); do
    init=$(pgrep --parent "$machine" || true)
    [ -n "$init" ] && [ -S "/proc/$init/root/run/systemd/private" ] && return
    sleep 0.5
  done
  tail "$root.log" >&2
  return 1
}

say "makes a Debian 12 ..."
make_root
install_parley
[ -z "$(chroot "$root" systemd-analyze verify "/opt/parley/$unit" 2>&1 | tee /dev/stderr)" ]
say "systemd-analyze verify has nothing to say"
say "$(chroot "$root" systemd-analyze security --offline=yes "/opt/parley/$unit" | tail -1 | sed 's/^[^A-Za-z]*//')"
boot
cd "$project"
PATH=$project/node_modules/.bin:$PATH node scripts/prove-systemd.ts "$init"
clean_up
trap - EXIT
say "proven, and nothing is left behind"
