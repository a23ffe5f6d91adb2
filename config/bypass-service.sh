#!/bin/sh
# Nothing but chipgate for a service: the rules of bypass.nft (which must be beside this), by control group.
#
#   bypass-service.sh system.slice/bot.service 20001-20050
#
# The group must exist, and the rules know it by its number: a service that is started anew is another one. So this goes
# into the unit, before its first program:
#
#   ExecStartPre=+/etc/chipgate/bypass-service.sh system.slice/bot.service 20001-20050
#
# A flush of the rule set, such as a reload of nftables.service, takes the rules away: restart the service after it.
#
# Every service has a table of its own: inet chipgate_bypass_system_slice_bot_service
set -eu

[ $# -eq 2 ] || { sed -n '2,13s/^# \{0,1\}//p' "$0" >&2; exit 64; }
group=${1#/}
level=$(printf '%s\n' "$group" | tr / '\n' | wc -l)
table=chipgate_bypass_$(printf %s "$group" | tr -c 'a-zA-Z0-9' _)
# An instance's slice may have a \x2d in its name, which sed would read.
quoted=$(printf %s "$group" | sed 's/[\\&|]/\\&/g')
# Not in a pipe, where nft would take an empty text for rules if this failed.
rules=$(sed -e "s|meta skuid \$clients|socket cgroupv2 level $level \"$quoted\"|" \
  -e "s|chipgate_bypass|$table|" "$(dirname "$0")/bypass.nft")
case $rules in
  *"socket cgroupv2"*) printf '%s\n' "$rules" | nft -D ports="$2" -f - ;;
  *) echo "bypass-service.sh: these are not the rules that this knows: $(dirname "$0")/bypass.nft" >&2; exit 1 ;;
esac
