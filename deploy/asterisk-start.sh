#!/bin/sh
# Starts Asterisk in its container: asterisk_conf/ and the passwords of the environment become /etc/asterisk, then it runs.
#
# Environment:
#   ARI_PASSWORD         the controller's; required
#   SOFTPHONE_PASSWORD   of the SIP account `softphone`; empty: a new one that nobody is told, so that the account is closed
#   PRONTO_AWAY_PROMPT   what callers hear while the controller is away, without file extension  } all three: in place
#   PRONTO_ADVISER       the channel that rings at a hand-off                                    } of the value in
#   PRONTO_RING_S        for how many seconds it rings                                           } globals.conf
set -eu
umask 077
CONF=/opt/pronto/asterisk_conf
ETC=/etc/asterisk
LOG=/var/log/asterisk/messages

fail() { printf 'asterisk-start: %s\n' "$*" >&2; exit 2; }

# check NAME VALUE: a `;` begins a comment in Asterisk's files, a line break a new setting
check() {
  case $2 in *[!A-Za-z0-9_./+@:=\&~-]*) fail "$1 may have letters, digits and _ . / + @ : = & ~ - only" ;; esac
}

# put_global NAME VALUE: an empty VALUE leaves what the file says
put_global() {
  [ -n "$2" ] || return 0
  check "$1" "$2"
  grep -q "^$1 *=" "$ETC/globals.conf" || fail "globals.conf has no $1"
  sed -i "s|^$1 *=.*|$1 = $(printf %s "$2" | sed 's/&/\\&/g')|" "$ETC/globals.conf"
}

[ -n "${ARI_PASSWORD:-}" ] || fail "ARI_PASSWORD is not set"
SOFTPHONE_PASSWORD=${SOFTPHONE_PASSWORD:-$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')}
check ARI_PASSWORD "$ARI_PASSWORD"
check SOFTPHONE_PASSWORD "$SOFTPHONE_PASSWORD"

cp "$CONF"/*.conf "$ETC"/
# Asterisk looks for these too and writes an error line for each one that is missing
for name in acl ccss cel features manager pjproject udptl websocket_client; do
  [ -e "$ETC/$name.conf" ] || : > "$ETC/$name.conf"
done
printf 'password = %s\n' "$ARI_PASSWORD" > "$ETC/ari_password.conf"
printf 'password = %s\n' "$SOFTPHONE_PASSWORD" > "$ETC/softphone_password.conf"
put_global PRONTO_AWAY_PROMPT "${PRONTO_AWAY_PROMPT:-}"
put_global PRONTO_ADVISER "${PRONTO_ADVISER:-}"
put_global PRONTO_RING_S "${PRONTO_RING_S:-}"
# the folder is named after the processor
sed -i "s|^astmoddir *=>.*|astmoddir => $(echo /usr/lib/*/asterisk/modules)|" "$ETC/asterisk.conf"
unset ARI_PASSWORD SOFTPHONE_PASSWORD
# the user's group may read recordings and the log
umask 027

# notices, warnings and errors belong in the container's log as well
: >> "$LOG"
tail -n 0 -F "$LOG" 2>/dev/null &
# the file lies in memory: what was told already may go (Asterisk appends, so it goes on at the beginning)
( while sleep 300; do [ "$(stat -c %s "$LOG")" -lt 16777216 ] || : > "$LOG"; done ) &
exec asterisk -f -C "$ETC/asterisk.conf"
