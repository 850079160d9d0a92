#!/bin/sh
# MLflow's tracking server over PostgreSQL, with its own artifact store.
set -eu
if [ "$POSTGRES_PASSWORD" = change-me ] && [ "${BIND:-127.0.0.1}" != 127.0.0.1 ]; then
  echo "docker/.env: POSTGRES_PASSWORD is the example's, and BIND=$BIND opens the server to others; choose a password," \
       "or set BIND=127.0.0.1" >&2
  exit 1
fi
exec mlflow server --host 0.0.0.0 --port 5000 --workers "${MLFLOW_WORKERS:-2}" \
  --backend-store-uri "postgresql://harness:$POSTGRES_PASSWORD@postgres/mlflow" \
  --artifacts-destination /artifacts --serve-artifacts \
  --allowed-hosts "mlflow:5000,localhost:*,127.0.0.1:*${ALLOWED_HOSTS:+,$ALLOWED_HOSTS}"
