#!/bin/sh
# A network namespace for clients whose only way out is chipgate: it has loopback, one wire to this host, and no route.
#
#   bypass-netns.sh up PORTS      make it; PORTS as nft writes them, such as 20001-20050
#   bypass-netns.sh down          take it away
#   ip netns exec clients setpriv --reuid bot --regid bot --init-groups node bot.js
#
# chipgate listens on this host's end of the wire, so its configuration says:
#
#   listen:
#     address: 10.78.0.1
#     allow_clients: [10.78.0.2]
#
# and clients are pointed at http://10.78.0.1:20001. A client needs another user than root, who could leave.
set -eu

clients=${CLIENTS_NAMESPACE:-clients}
here=10.78.0.1
there=10.78.0.2

# The wire before its rules: without them it leads to all that listens here.
down() {
  ip link delete chipgate0 2>/dev/null || true
  nft delete table inet chipgate_netns 2>/dev/null || true
  ip netns delete "$clients" 2>/dev/null || true
}

up() {
  down
  ip netns add "$clients"
  ip link add chipgate0 type veth peer name eth0 netns "$clients"
  # Before the wire carries anything: of this host the clients see the chips' ports alone, and nothing is passed on.
  nft -D ports="$1" -f - <<'RULES'
table inet chipgate_netns {
  chain input {
    type filter hook input priority filter - 10; policy accept;
    iifname != "chipgate0" accept
    ct direction reply ct state established accept
    ip saddr 10.78.0.2 ip daddr 10.78.0.1 tcp dport $ports accept
    meta l4proto tcp reject with tcp reset
    reject with icmpx admin-prohibited
  }
  chain forward {
    type filter hook forward priority filter - 10; policy accept;
    iifname "chipgate0" reject with icmpx admin-prohibited
  }
}
RULES
  # Neither end gets an IPv6 address of its own making.
  sysctl -qw net.ipv6.conf.chipgate0.disable_ipv6=1 2>/dev/null || true
  ip address add "$here/30" dev chipgate0
  ip link set chipgate0 up
  ip netns exec "$clients" sysctl -qw net.ipv6.conf.eth0.disable_ipv6=1 2>/dev/null || true
  ip -n "$clients" link set lo up
  ip -n "$clients" address add "$there/30" dev eth0
  ip -n "$clients" link set eth0 up
}

case ${1:-} in
  up) up "${2:?which ports, such as 20001-20050}" ;;
  down) down ;;
  *) echo "usage: $0 up PORTS | down" >&2; exit 64 ;;
esac
