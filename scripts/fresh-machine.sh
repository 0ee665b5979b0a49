#!/usr/bin/env bash
# Proves the two commands of the README on a fresh machine: a minimal Debian 12 root with git, certificates and Node 20
# with npm, no compiler and no python. As root and as an ordinary user, each in a clone of its own, by these names:
#   start   npm start until it says "parley ready", then Ctrl-C, after which nothing may be left running
#   call    npm start, and from a second shell the call that stands in the README: every turn answered, call.wav written
#   test    npm test
# Needs root, mmdebstrap, and a Node >= 20 with npm on this machine to copy.
# Usage: scripts/fresh-machine.sh [--reuse] [start|call|test]...   With --reuse the root of the time before is taken, if
# there is one; clones and what npm keeps are new all the same.
set -euo pipefail

project=$(cd "$(dirname "$0")/.." && pwd)
reuse=
if [ "${1-}" = --reuse ]; then reuse=yes; shift; fi
proofs=("$@")
[ $# -gt 0 ] || proofs=(start call test)
for proof in "${proofs[@]}"; do
  case $proof in start|call|test) ;; *) echo "fresh-machine: there is no proof $proof" >&2; exit 1 ;; esac
done
root=${PARLEY_FRESH_ROOT:-/var/tmp/parley-fresh-machine}

[ "$(id -u)" = 0 ] || { echo "fresh-machine: a root folder can be made by root only; run it with sudo." >&2; exit 1; }
command -v mmdebstrap >/dev/null || { echo "fresh-machine: mmdebstrap is missing: apt-get install mmdebstrap" >&2; exit 1; }

unmount() { for each in proc dev/shm dev/pts dev; do mountpoint -q "$root/$each" && umount -l "$root/$each"; done; return 0; }
# Whatever a proof that failed has left running ends with it.
clean_up() {
  local pid
  for pid in $(running_within); do kill -KILL "$pid" 2>/dev/null || true; done
  unmount
}
trap clean_up EXIT

make_root() {
  echo "fresh-machine: making a minimal Debian 12 root ..."
  unmount
  rm -rf "$root"
  # The machine's own package sources, so that no mirror is named here.
  local sources
  sources=$(find /etc/apt/sources.list.d -name 'debian.sources' -print -quit)
  mmdebstrap --quiet --variant=minbase --include=git,ca-certificates bookworm "$root" "${sources:-/etc/apt/sources.list}"
  # Node as its maker ships it: one program and npm beside it.
  install -D "$(readlink -f "$(command -v node)")" "$root/usr/bin/node"
  mkdir -p "$root/usr/lib/node_modules"
  cp -a "$(readlink -f "$(npm root -g)")/npm" "$root/usr/lib/node_modules/"
  ln -s ../lib/node_modules/npm/bin/npm-cli.js "$root/usr/bin/npm"
  ln -s ../lib/node_modules/npm/bin/npx-cli.js "$root/usr/bin/npx"
  # How this machine reaches the outside: names, certificates, and npm's settings for all users.
  cp -L /etc/resolv.conf /etc/hosts "$root/etc/"
  cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
  [ -f /usr/etc/npmrc ] && install -D /usr/etc/npmrc "$root/usr/etc/npmrc"
  cp -L /etc/apt/sources.list.d/debian.sources "$root/etc/apt/sources.list.d/" 2>/dev/null || true
  cp -L /etc/apt/apt.conf.d/*proxy* "$root/etc/apt/apt.conf.d/" 2>/dev/null || true
  chroot "$root" useradd --create-home --shell /bin/bash caller
  for absent in gcc cc make python3 asterisk docker; do
    ! chroot "$root" which "$absent" >/dev/null || { echo "fresh-machine: $absent is there, this is no minimal root" >&2; exit 1; }
  done
}

mount_root() {
  mount -t proc proc "$root/proc"
  mount --rbind /dev "$root/dev" && mount --make-rslave "$root/dev"
}

# A clean environment: nothing of this machine's but what a login gives, and the certificates of its network.
within() { # user, command
  chroot "$root" /usr/bin/env -i HOME="$(home_of "$1")" USER="$1" LANG=C.UTF-8 PATH=/usr/local/bin:/usr/bin:/bin \
    NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt \
    setpriv --reuid "$1" --regid "$1" --init-groups bash -euc "cd ~/parley && $2"
}
home_of() { [ "$1" = root ] && echo /root || echo "/home/$1"; }

clone() { # user
  local home
  home="$root$(home_of "$1")"
  rm -rf "$home/parley" "$home/.npm" "$home/.cache"
  git clone --quiet --no-hardlinks "$project" "$home/parley"
  chroot "$root" chown -R "$1:$1" "$(home_of "$1")/parley"
}

start() { # user
  local log=$root/tmp/start-$1.log
  # Job control gives it a process group of its own, as a terminal does: Ctrl-C reaches all of it.
  set -m
  within "$1" 'exec npm start' >"$log" 2>&1 &
  gateway=$!
  set +m
  for _ in $(seq 300); do
    grep -q '^parley ready' "$log" && break
    kill -0 $gateway 2>/dev/null || break
    sleep 1
  done
  grep '^parley ready' "$log" || { echo "fresh-machine: npm start as $1 was never ready:" >&2; cat "$log" >&2; exit 1; }
}

stop() { # user
  kill -INT -- -$gateway
  for _ in $(seq 60); do
    [ -z "$(running_within)" ] && return
    sleep 0.5
  done
  echo "fresh-machine: left running after Ctrl-C of npm start as $1:" >&2
  for pid in $(running_within); do tr '\0' ' ' <"/proc/$pid/cmdline"; echo; done >&2
  exit 1
}

# Whatever has the new root for its root.
running_within() {
  local pid
  for pid in /proc/[0-9]*; do
    [ "$(readlink "$pid/root" 2>/dev/null)" != "$root" ] || echo "${pid#/proc/}"
  done
}

prove_start() { # user
  start "$1"
  stop "$1"
  echo "fresh-machine: npm start as $1: ready, and nothing left after Ctrl-C"
}

prove_call() { # user
  local command log=$root/tmp/call-$1.log wav
  command=$(sed -n 's/^\$ \(npm run call -- .*\)/\1/p' "$project/README.md" | head -n 1)
  wav="$root$(home_of "$1")/parley/call.wav"
  rm -f "$wav"
  start "$1"
  within "$1" "$command" 2>&1 | tee "$log" || { echo "fresh-machine: $command as $1 FAILED" >&2; exit 1; }
  # The greeting alone is enough for its exit status: here every sentence has to be answered.
  grep -Eq '^turns +([0-9]+) of \1 answered$' "$log" || { echo "fresh-machine: as $1 not every turn was answered" >&2; exit 1; }
  [ "$(channels_of "$wav")" = 2 ] || { echo "fresh-machine: as $1 no call.wav of two channels was written" >&2; exit 1; }
  stop "$1"
  echo "fresh-machine: npm run call as $1: answered and written, and nothing left after Ctrl-C"
}

channels_of() { [ ! -s "$1" ] || od -An -tu2 -j22 -N2 "$1" | tr -d ' '; } # wav

prove_test() { # user
  within "$1" 'npm test' || { echo "fresh-machine: npm test as $1 FAILED" >&2; exit 1; }
  echo "fresh-machine: npm test as $1: passed"
}

if [ -n "$reuse" ] && [ -d "$root/home/caller" ]; then unmount; else make_root; fi
mount_root
for user in root caller; do
  clone "$user"
  for proof in "${proofs[@]}"; do "prove_$proof" "$user"; done
done
echo "fresh-machine: proven as root and as an ordinary user: ${proofs[*]}"
