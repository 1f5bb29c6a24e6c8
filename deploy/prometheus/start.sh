#!/bin/sh
# Starts Prometheus in its container: the files beside this one with PRONTO_CELL in the place of cell1, written to memory.
set -eu
HERE=${HERE:-/etc/prometheus}
CONF=${CONF:-/tmp}

case ${PRONTO_CELL:-} in
  "" | *[!A-Za-z0-9_.-]*) printf 'prometheus-start: PRONTO_CELL is not set, or no name of a cell\n' >&2; exit 2 ;;
esac
sed "s/replacement: cell1/replacement: $PRONTO_CELL/" "$HERE/prometheus.yml" > "$CONF/prometheus.yml"
cp "$HERE/alerts.yml" "$CONF/alerts.yml"
exec prometheus --config.file="$CONF/prometheus.yml" "$@"
