#!/bin/bash
# Exits with 0 when the feeder answers /healthz with 200. Bash's /dev/tcp, so that the image needs no HTTP client.
# osprey-feeder-healthcheck [PORT]
port=${1:-${OSPREY_FEEDER_METRICS_LISTEN##*:}}
exec 3<>"/dev/tcp/127.0.0.1/${port:-2112}" || exit 1
printf 'GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' >&3
IFS=' ' read -r -t 4 _ status _ <&3 || exit 1
[ "$status" = 200 ]
