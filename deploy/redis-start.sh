#!/bin/sh
# Starts Redis in its container with a user per service: deploy/redis/users.acl.in and the passwords of the environment
# become its list of users, in memory and as hashes, then it runs.
#
# Environment: PRONTO_CELL, whose keys they may touch, and, all required, each another one: REDIS_CONTROLLER_PASSWORD
#   REDIS_RECEIVER_PASSWORD REDIS_BOT_PASSWORD REDIS_TEXT_PASSWORD REDIS_BROWSER_PASSWORD
#   REDIS_OPERATOR_PASSWORD (people, and `pronto retention`)
set -eu
umask 077
FORM=${FORM:-/opt/pronto/redis/users.acl.in}
USERS=${USERS:-/tmp/users.acl}

fail() { printf 'redis-start: %s\n' "$*" >&2; exit 2; }

case ${PRONTO_CELL:-} in "" | *[!A-Za-z0-9_.-]*) fail "PRONTO_CELL is not set, or no name of a cell" ;; esac
sed "s/@CELL@/$PRONTO_CELL/g" "$FORM" > "$USERS"
for user in CONTROLLER RECEIVER BOT TEXT BROWSER OPERATOR; do
  eval "password=\${REDIS_${user}_PASSWORD:-}"
  [ "${#password}" -ge 16 ] || fail "REDIS_${user}_PASSWORD is not set, or shorter than 16 characters"
  # it stands in a URL as well
  case $password in *[!A-Za-z0-9_.~-]*) fail "REDIS_${user}_PASSWORD may have letters, digits and _ . ~ - only" ;; esac
  hash=$(printf %s "$password" | sha256sum | cut -c1-64)
  ! grep -q "$hash" "$USERS" || fail "REDIS_${user}_PASSWORD is another user's too"
  sed -i "s/@$user@/$hash/" "$USERS"
  unset "REDIS_${user}_PASSWORD"
done
exec redis-server --aclfile "$USERS" "$@"
