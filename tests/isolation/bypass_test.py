#!/usr/bin/env python3
"""The rules that ship in config/ make it impossible to go round a chip's port: the clients' user gets its exit through
chipgate and is refused everything else at once; other users notice nothing."""

from __future__ import annotations

import ctypes
import functools
import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

sys.dont_write_bytecode = True
import control_group
import documented
import namespaces
import world
from recipe import CLIENTS, DIRECT, OPEN_PORT, OTHERS, Attempt, Ended, Recipe, escape, stack

WATCHDOG_SECONDS = 120
RULES = stack.REPOSITORY / "config/bypass.nft"
SERVICE = stack.REPOSITORY / "config/bypass-service.sh"
NETNS = stack.REPOSITORY / "config/bypass-netns.sh"
HERE = "10.78.0.1"
# Debian's, up to where an administrator adds to it.
FIREWALL = """#!/usr/sbin/nft -f

flush ruleset

table inet filter {
	chain output {
		type filter hook output priority filter;
	}
}
"""


class ByUser(Recipe):
    def setUp(self) -> None:
        super().setUp()
        self.chipgate_starts()

    def nft(self, *arguments: str | Path) -> str:
        done = subprocess.run([*self.world.inside.prefix, "nft", *map(str, arguments)], capture_output=True, text=True, timeout=20)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    @property
    def named_ports(self) -> str:
        return "{" + ",".join(str(port) for port in self.ports.values()) + "}"

    def take_on(self) -> None:
        self.nft("-D", f"clients={CLIENTS}", "-D", f"ports={self.named_ports}", "-f", RULES)

    def refused(self) -> list[int]:
        """How many packets the rules say that they refused: of TCP, and of all else."""
        listed = json.loads(self.nft("--json", "list", "table", "inet", "chipgate_bypass"))["nftables"]
        expressions = [part for item in listed for part in item.get("rule", {}).get("expr", ())]
        return [part["counter"]["packets"] for part in expressions if "counter" in part]

    def tried(self, user: int, attempts: dict[str, Attempt]) -> dict[str, Ended]:
        ended = escape(user, list(attempts.values()), self.world.inside.prefix)
        return dict(zip(attempts, ended, strict=True))

    def exits(self) -> dict[str, Attempt]:
        return {chip: ["exit", "127.0.0.1", port] for chip, port in self.ports.items()}

    def assert_gets_out(self, user: int) -> None:
        for name, (told, _) in self.tried(user, DIRECT).items():
            with self.subTest(name, user=user):
                self.assertIn(told, ("open", "answered"))

    def test_without_the_rules_everything_gets_out(self) -> None:
        """What is refused below is there to be reached."""
        self.assert_gets_out(CLIENTS)

    def test_the_clients_user_reaches_chips_and_nothing_else(self) -> None:
        self.take_on()
        self.assert_own_exits(self.tried(CLIENTS, self.exits()))
        self.world.recorder.take()
        self.world.names.take()
        self.assert_refused(self.tried(CLIENTS, DIRECT | {"the control port": ["tcp", "127.0.0.1", self.admin]}))

    def test_other_users_are_not_touched(self) -> None:
        self.take_on()
        self.assert_gets_out(OTHERS)
        self.assert_own_exits(self.tried(OTHERS, self.exits()))

    def leak_to(self, address: str) -> socket.socket:
        """On a thread of its own, whose sockets are the clients' from here on."""
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        ctypes.CDLL(None).setfsuid(CLIENTS)
        made = socket.socket(family)
        made.settimeout(20)
        made.connect((address, OPEN_PORT))
        return made

    def test_a_leak_that_is_open_already_ends_also_where_the_other_side_speaks_first(self) -> None:
        pairs = []
        for address, listener in self.outside.items():
            leak = self.world.inside.call(functools.partial(self.leak_to, address))
            self.addCleanup(leak.close)
            server, _ = listener.accept()
            self.addCleanup(server.close)
            pairs.append((leak, server))
        self.take_on()
        self.world.recorder.take()
        for leak, server in pairs:
            server.sendall(b"a message comes in")
            with self.assertRaises(OSError) as ended:
                for _ in range(100):
                    leak.sendall(b"and is answered")
                    leak.recv(100)
            self.assertNotIsInstance(ended.exception, TimeoutError)
        self.assert_nothing_on_the_wire()

    def test_rules_that_stand_already_are_replaced(self) -> None:
        self.take_on()
        self.take_on()
        told, _ = self.tried(CLIENTS, {"TCP": DIRECT["TCP"]})["TCP"]
        self.assertEqual(told, "ECONNREFUSED")
        listed = self.nft("list", "ruleset")
        self.assertEqual(listed.count("goto clients"), 1, listed)

    def test_whatever_flushes_the_rule_set_lets_clients_out(self) -> None:
        """Which is why the page has nftables load the rules."""
        self.take_on()
        self.nft("flush", "ruleset")
        self.assert_gets_out(CLIENTS)

    def test_a_reload_of_the_firewall_takes_the_rules_on_again(self) -> None:
        """As the page has it at the end of /etc/nftables.conf, with the file where it says."""
        etc = self.folder / "etc"
        documented.install(etc)
        firewall = self.folder / "nftables.conf"
        firewall.write_text(FIREWALL + documented.firewall(etc, CLIENTS, self.named_ports))
        for load in ("at boot", "again"):
            with self.subTest(load):
                self.nft("-f", firewall)
                self.assert_own_exits(self.tried(CLIENTS, self.exits()))
                self.world.recorder.take()
                self.world.names.take()
                self.assert_refused(self.tried(CLIENTS, DIRECT))

    def test_tcp_and_all_else_that_was_refused_are_counted_apart(self) -> None:
        self.take_on()
        self.tried(CLIENTS, {"QUIC": DIRECT["QUIC"]})
        tcp, others = self.refused()
        self.assertEqual(tcp, 0)
        self.assertGreater(others, 0)
        self.tried(CLIENTS, {"TCP": DIRECT["TCP"]})
        self.assertEqual(self.refused(), [1, others])


class ByService(Recipe):
    """The same rules for a service in place of a user."""

    def setUp(self) -> None:
        super().setUp()
        try:
            self.service = control_group.ControlGroup()
        except control_group.Unavailable as why:
            self.skipTest(str(why))
        self.addCleanup(lambda: self.service.close())  # whichever it is by then
        self.chipgate_starts()

    def take_on(self) -> None:
        ports = ",".join(str(port) for port in self.ports.values())
        command = [*self.world.inside.prefix, *self.service.alone, SERVICE, self.service.name, f"{{{ports}}}"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=20)
        self.assertEqual(done.returncode, 0, done.stderr)

    def become(self, service: str) -> None:
        self.service.close()
        self.service = control_group.ControlGroup(service)

    def tried(self, attempts: dict[str, Attempt], prefix: list[str]) -> dict[str, Ended]:
        return dict(zip(attempts, escape(OTHERS, list(attempts.values()), [*self.world.inside.prefix, *prefix]), strict=True))

    def assert_gets_out(self, prefix: list[str]) -> None:
        for name, (told, _) in self.tried(DIRECT, prefix).items():
            with self.subTest(name):
                self.assertIn(told, ("open", "answered"))

    def test_the_service_reaches_chips_and_nothing_else_and_its_user_elsewhere_is_not_touched(self) -> None:
        self.take_on()
        exits: dict[str, Attempt] = {chip: ["exit", "127.0.0.1", port] for chip, port in self.ports.items()}
        self.assert_own_exits(self.tried(exits, self.service.joining))
        self.world.recorder.take()
        self.world.names.take()
        self.assert_refused(self.tried(DIRECT, self.service.joining))
        self.assert_gets_out([])

    def test_a_service_that_was_started_anew_is_another_group_until_the_rules_are_taken_on_again(self) -> None:
        """Which is why the recipe takes them on in the unit itself."""
        self.take_on()
        self.service.close()
        self.service.make()
        self.assert_gets_out(self.service.joining)
        self.take_on()
        self.world.recorder.take()
        self.world.names.take()
        self.assert_refused(self.tried(DIRECT, self.service.joining))


    def test_an_instance_is_in_a_slice_of_its_own_whose_name_may_have_a_backslash(self) -> None:
        self.become(r"system-my\x2dbot.slice/my-bot@1.service")
        self.take_on()
        self.world.recorder.take()
        self.world.names.take()
        self.assert_refused(self.tried(DIRECT, self.service.joining))
        self.assert_gets_out([])


class ByNamespace(Recipe):
    """The script makes its namespace in `inside`, which stands for the host."""

    PORTS = {"alpha": 20001, "beta": 20002}

    def setUp(self) -> None:
        super().setUp()
        # Where `ip netns` keeps its names is the machine's, so this has a /run of its own.
        command = f"mount -t tmpfs none /run && {NETNS} up 20001-20002 && echo up && exec sleep infinity"
        self.host = stack.Process("bypass-netns.sh", ["unshare", "--mount", "sh", "-c", command],
                                  prefix=self.world.inside.prefix)
        self.addCleanup(self.host.stop)
        self.host.require(self.host.out, lambda line: line.get("text") == "up", "that the namespace is up")
        self.chipgate_starts(chips=[{"id": chip, "port": port, "connect": "on_start"} for chip, port in self.PORTS.items()],
                             listen={"address": HERE, "allow_clients": ["10.78.0.2"]})

    def tried(self, attempts: dict[str, Attempt]) -> dict[str, Ended]:
        enter = ["nsenter", f"--target={self.host.pid}", "--mount", "--net", "ip", "netns", "exec", "clients"]
        return dict(zip(attempts, escape(CLIENTS, list(attempts.values()), enter), strict=True))

    def test_clients_reach_chips_and_nothing_else(self) -> None:
        self.assert_own_exits(self.tried({chip: ["exit", HERE, port] for chip, port in self.PORTS.items()}))
        self.world.recorder.take()
        self.world.names.take()
        of_the_host = {"another port of the host": ["tcp", HERE, 9310], "the host's resolver": ["udp", HERE, 53],
                       "the resolver on loopback": ["udp", "127.0.0.53", 53]}
        self.assert_refused(self.tried(DIRECT | of_the_host))


def check_possible() -> None:
    """Raises NotAllowed where there is nothing that could be tested with."""
    # Root's commands are not on everybody's path, and one's own user namespace has no second user.
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    namespaces.become_root([namespaces.SUDO, namespaces.OWN_USERS])
    if shutil.which("nft") is None:
        raise namespaces.NotAllowed("there is no nft command (nftables)")
    if not any(int(line.split()[2]) > max(CLIENTS, OTHERS) for line in Path("/proc/self/uid_map").read_text().splitlines()):
        raise namespaces.NotAllowed("this user namespace has no other users")
    tried = world.World()
    try:
        done = subprocess.run([*tried.inside.prefix, "nft", "list", "ruleset"], capture_output=True, text=True)
        if done.returncode != 0:
            raise namespaces.NotAllowed(f"the kernel has no nf_tables: {done.stderr.strip()}")
    finally:
        tried.close()


if __name__ == "__main__":
    namespaces.run_tests(check_possible, WATCHDOG_SECONDS)
