#!/bin/sh
# Makes the secrets that docker-compose.yml mounts, at random, once. Existing ones are kept.
# Compose mounts a secret with the owner and mode of its file, and the vault refuses a passphrase that others may read:
# so each file belongs to the user of the container that reads it, and this script must run as root (or with sudo).
set -eu
cd "$(dirname "$0")/../.."
umask 077
mkdir -p secrets
make() { # name, uid that reads it
  if [ ! -s "secrets/$1" ]; then
    head -c 32 /dev/urandom | base64 | tr '+/' '-_' | tr -d '=\n' > "secrets/$1"
  fi
  chown "$2:$2" "secrets/$1"
  chmod 0400 "secrets/$1"
}

# The superuser's is read by PostgreSQL (999, by its group) and by the one-shot migration (10001).
make database-superuser 10001
chgrp 999 secrets/database-superuser
chmod 0440 secrets/database-superuser
for name in database-owner database-cms database-vault database-ca vault-passphrase ca-passphrase; do
  make "$name" 10001
done
chmod 0711 secrets
echo "The secrets are in $(pwd)/secrets."
