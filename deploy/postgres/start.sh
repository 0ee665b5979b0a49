#!/bin/sh
# Starts the database; the first time it is made beside and renamed, so that there is never half of it. It has no password:
# it is reached by its socket only, where the kernel tells who comes, and lets in the gateway's user and its own.
set -eu
data=/var/lib/parley-database/18
if [ ! -d "$data" ]; then
  rm -rf "$data.new"
  initdb --pgdata "$data.new" --username postgres --encoding UTF8 --locale C.UTF-8 --auth-local peer --auth-host reject
  printf 'create role parley login\ncreate database parley owner parley\n' | postgres --single -D "$data.new" postgres
  mv "$data.new" "$data"
fi
# A row in an error's details, or a statement, may hold what a caller said: neither stands in the log.
exec postgres -D "$data" -c listen_addresses= -c unix_socket_directories=/run/parley-database \
  -c log_error_verbosity=terse -c log_min_error_statement=panic
