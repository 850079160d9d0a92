#!/usr/bin/env bash
# Make stand-in-python, an image for tests only, of Debian's packages: it carries this machine's certificates and pip's settings.
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
settings=()
for file in /etc/ssl/certs/ca-certificates.crt /etc/pip.conf; do
  [ -f "$file" ] && settings+=(--customize-hook="upload $file $file")
done
TMPDIR=$scratch mmdebstrap --quiet --variant=minbase --include=ca-certificates,netbase,tzdata,python3,python3-pip,python3-venv \
  --aptopt='Acquire::Languages "none"' --dpkgopt=force-unsafe-io \
  --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/doc/*' \
  "${settings[@]}" --customize-hook='ln -s /usr/bin/python3 "$1/usr/local/bin/python"' bookworm "$scratch/root.tar"
docker import --change 'ENV LANG=C.UTF-8' --change 'CMD ["python3"]' "$scratch/root.tar" stand-in-python >/dev/null
