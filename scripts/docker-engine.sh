#!/usr/bin/env bash
# A Docker engine of its own, for a machine that has none and reaches no image registry: Debian's packages unpacked into a
# folder, nothing installed; debian:forky-slim made of Debian's packages; and Caddy. Sourced by prove-docker.sh, which sets
# $engine (the folder) and calls start_engine and stop_engine. Needs root, mmdebstrap, and a Debian with apt.

unpack_packages() { # target folder, packages of this machine's Debian
  local target=$1 downloads=$engine/downloads
  shift
  mkdir -p "$downloads" "$target"
  # Not as the unprivileged user of apt, who may not write here.
  (cd "$downloads" && apt-get --quiet --quiet -o APT::Sandbox::User=root download "$@")
  for each in "$downloads"/*.deb; do dpkg-deb --extract "$each" "$target"; done
  rm -r "$downloads"
}

# The mirror this machine's own apt uses, so that none is named here.
debian_mirror() {
  apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' 'Component: main' | head -1
}

make_base_root() {
  local root=$engine/forky
  mmdebstrap --quiet --variant=minbase --include=ca-certificates --aptopt='Acquire::Check-Valid-Until "false"' \
    forky "$root" "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $(debian_mirror) forky main"
  # How this machine reaches the outside: a proxy, certificates, npm's settings for all users.
  cp -L /etc/apt/apt.conf.d/*proxy* "$root/etc/apt/apt.conf.d/" 2>/dev/null || true
  cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/machine.crt"
  [ ! -f /usr/etc/npmrc ] || install -D /usr/etc/npmrc "$root/usr/etc/npmrc"
  # As Debian's own image does: a layer that is not finished is thrown away, so nothing is flushed file by file; and nothing of
  # apt's caches stays in one.
  echo force-unsafe-io >"$root/etc/dpkg/dpkg.cfg.d/docker-apt-speedup"
  echo 'DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb /var/cache/apt/*.bin"; };' >"$root/etc/apt/apt.conf.d/docker-clean"
  echo 'Acquire::Check-Valid-Until "false";' >"$root/etc/apt/apt.conf.d/99-snapshot"
}

# Compose and buildx are newer in forky, and stand on their own.
unpack_plugins() {
  local root=$engine/forky
  cp -L /etc/resolv.conf "$root/etc/resolv.conf"
  chroot "$root" sh -euc 'cd /tmp && apt-get -qq update && apt-get -qq -o APT::Sandbox::User=root download docker-compose docker-buildx'
  for each in "$root"/tmp/*.deb; do dpkg-deb --extract "$each" "$engine/plugins"; done
  rm "$root"/tmp/*.deb
  mkdir -p "$engine/config/cli-plugins"
  ln -s "$engine"/plugins/usr/libexec/docker/cli-plugins/* "$engine/config/cli-plugins/"
}

start_engine() {
  # A socket's path ends at 107 characters: this one stays short.
  export DOCKER_HOST=unix://$engine/docker.sock DOCKER_CONFIG=$engine/config
  mkdir -p "$engine"
  unpack_packages "$engine/debian" docker.io containerd runc libdevmapper1.02.1 caddy
  export PATH=$engine/debian/usr/sbin:$engine/debian/usr/bin:$PATH
  make_base_root
  unpack_plugins
  LD_LIBRARY_PATH=$(echo "$engine"/debian/lib/*-linux-gnu) dockerd --iptables=false --bridge=none \
    --data-root "$engine/data" --exec-root "$engine/run" --pidfile "$engine/dockerd.pid" --host "$DOCKER_HOST" \
    >"$engine/dockerd.log" 2>&1 &
  for _ in $(seq 60); do
    docker version >/dev/null 2>&1 && break
    sleep 0.5
  done
  docker version --format 'docker {{.Server.Version}}' || { tail "$engine/dockerd.log" >&2; return 1; }
  tar -C "$engine/forky" --exclude='./var/lib/apt/lists/*' -c . |
    docker import --change 'ENV NODE_EXTRA_CA_CERTS=/etc/ssl/certs/machine.crt' - debian:forky-slim
}

stop_engine() {
  [ -f "$engine/dockerd.pid" ] || return 0
  local pid
  pid=$(cat "$engine/dockerd.pid")
  kill "$pid"
  while kill -0 "$pid" 2>/dev/null; do sleep 0.2; done
  # Of the machine's own network, and left mounted.
  umount --lazy "$engine"/run/netns/* 2>/dev/null || true
  rm -rf "$engine"
}
