#!/bin/sh
# Starts Alertmanager in its container: whom to tell comes from the environment, and becomes its configuration in memory.
#
# Environment, one of the two at least: an alert that reaches nobody is none.
#   ALERT_WEBHOOK_URL   gets every alert as JSON (a chat, a pager, a ticket system)
#   ALERT_EMAIL_TO      gets every alert as mail, from ALERT_EMAIL_FROM through ALERT_SMARTHOST (host:port), with the password
#                       ALERT_SMTP_PASSWORD of the user ALERT_SMTP_USER where it asks for one
# A `page` is told again every 30 minutes while it lasts, a `ticket` every 12 hours.
set -eu
umask 077
CONF=${CONF:-/tmp/alertmanager.yml}

fail() { printf 'alertmanager-start: %s\n' "$*" >&2; exit 2; }

# quoted VALUE: as a YAML text
quoted() { printf "'%s'" "$(printf %s "$1" | sed "s/'/''/g")"; }

[ -n "${ALERT_WEBHOOK_URL:-}${ALERT_EMAIL_TO:-}" ] || fail "set ALERT_WEBHOOK_URL or ALERT_EMAIL_TO: alerts would reach nobody"
case "${ALERT_WEBHOOK_URL:-}${ALERT_EMAIL_TO:-}${ALERT_EMAIL_FROM:-}${ALERT_SMARTHOST:-}${ALERT_SMTP_USER:-}${ALERT_SMTP_PASSWORD:-}" in *"
"*) fail "a setting has more than one line" ;; esac
if [ -n "${ALERT_EMAIL_TO:-}" ]; then
  [ -n "${ALERT_EMAIL_FROM:-}" ] && [ -n "${ALERT_SMARTHOST:-}" ] || fail "ALERT_EMAIL_TO needs ALERT_EMAIL_FROM and ALERT_SMARTHOST"
fi
{
  cat <<END
route:
  receiver: people
  group_by: [cell, alertname]
  group_wait: 10s
  group_interval: 1m
  repeat_interval: 12h
  routes: [{matchers: ['severity="page"'], repeat_interval: 30m}]
inhibit_rules:
  # who does not answer need not be told to be unready, too
  - source_matchers: ['alertname="ServiceDown"']
    target_matchers: ['alertname=~"ServiceNotReady|ServiceRestarts"']
    equal: [cell, service]
receivers:
  - name: people
END
  if [ -n "${ALERT_WEBHOOK_URL:-}" ]; then
    printf '    webhook_configs: [{url: %s, send_resolved: true}]\n' "$(quoted "$ALERT_WEBHOOK_URL")"
  fi
  if [ -n "${ALERT_EMAIL_TO:-}" ]; then
    printf '    email_configs:\n      - to: %s\n        from: %s\n        smarthost: %s\n        send_resolved: true\n' \
      "$(quoted "$ALERT_EMAIL_TO")" "$(quoted "$ALERT_EMAIL_FROM")" "$(quoted "$ALERT_SMARTHOST")"
    if [ -n "${ALERT_SMTP_USER:-}" ]; then
      printf '        auth_username: %s\n        auth_password: %s\n' \
        "$(quoted "$ALERT_SMTP_USER")" "$(quoted "${ALERT_SMTP_PASSWORD:-}")"
    fi
  fi
} > "$CONF"
unset ALERT_WEBHOOK_URL ALERT_SMTP_PASSWORD
exec "${ALERTMANAGER:-alertmanager}" --config.file="$CONF" --cluster.listen-address= "$@"
