#!/bin/sh
# Make the database the first time, as the official image does, then serve it.
set -eu
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  printf %s "$POSTGRES_PASSWORD" > /tmp/password
  initdb --auth=scram-sha-256 --username="$POSTGRES_USER" --pwfile=/tmp/password >/dev/null
  rm /tmp/password
  echo "host all all all scram-sha-256" >> "$PGDATA/pg_hba.conf"
  export PGPASSWORD="$POSTGRES_PASSWORD" PGUSER="$POSTGRES_USER" PGHOST=/tmp
  pg_ctl -w start -o "-c listen_addresses= -k /tmp" >/dev/null
  createdb "$POSTGRES_DB"
  for file in /docker-entrypoint-initdb.d/*.sql; do psql -q -d "$POSTGRES_DB" -f "$file"; done
  pg_ctl -w -m fast stop >/dev/null
  unset PGPASSWORD PGUSER PGHOST
fi
exec postgres -c listen_addresses='*' -k /tmp
