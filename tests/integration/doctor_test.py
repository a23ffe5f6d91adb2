#!/usr/bin/env python3
"""The doctor finds what is wrong with a host, and nothing on a healthy one."""

from __future__ import annotations

import email.utils
import json
import time
import unittest
from pathlib import Path
from typing import Any

import rig
import scripted
import wire
from ports import PortBlock
from wire import stack

FINE, WRONG, BAD_CONFIGURATION = 0, 1, 64
Found = dict[str, dict[str, str]]


def ephemeral() -> tuple[int, int]:
    first, last = Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()
    return int(first), int(last)


class Doctor(rig.RigTest):
    def setUp(self) -> None:
        super().setUp()
        self.block = PortBlock()
        self.addCleanup(self.block.close)

    def chips(self, connect: str = "on_start") -> list[stack.Line]:
        return [{"id": chip, "port": self.block.first + 1 + i, "connect": connect} for i, chip in enumerate(("alpha", "beta"))]

    def examine(self, configuration: stack.Line, *arguments: str) -> tuple[int, Found]:
        """By the names of its checks; each is there once."""
        path = self.folder / "doctor.yaml"
        path.write_text(json.dumps(configuration))
        done = self.run_chipgate("doctor", "--config", path, "--json", *arguments)
        self.assertEqual(done.stderr, "")
        self.assertNotIn(stack.PASSWORD, done.stdout)
        told = json.loads(done.stdout)
        self.assertEqual(told["ok"], done.returncode == FINE, told)
        found = {finding["what"]: finding for finding in told["findings"]}
        self.assertEqual(len(found), len(told["findings"]), told)
        for finding in told["findings"]:
            if finding["health"] in ("wrong", "warning"):
                self.assertTrue(finding["evidence"] and finding["fix"], finding)
        return done.returncode, found

    def wrong(self, found: Found) -> set[str]:
        return {what for what, finding in found.items() if finding["health"] == "wrong"}

    def resting(self, endpoint: str, **settings: Any) -> stack.Line:
        """A configuration without a chipgate that runs."""
        return self.configuration([endpoint], []) | {"chips": self.chips(), "ledger": {"path": "resting.db"}} | settings

    def running(self, **settings: Any) -> stack.Line:
        """A chipgate, and its configuration with the control port that it got."""
        self.sim = self.provider()
        written = self.configuration([f"http://{self.sim.http}"], []) | {"chips": self.chips()} | settings
        gate = rig.Gate(*stack.chipgate(written, self.folder, None, rig.SECRETS))
        self.addCleanup(gate.end)
        return written | {"admin": {"listen": f"127.0.0.1:{gate.admin}"}}

    def test_a_healthy_host_is_fine(self) -> None:
        status, found = self.examine(self.running(), "--host-ip", "192.0.2.1")
        self.assertEqual(status, FINE, found)
        self.assertEqual({what for what, finding in found.items() if finding["health"] != "fine"} - {"clock"}, set(), found)
        for what in ("configuration", "ports", "descriptors", "ledger", "admin_exposed", "gateway", "gateway_sticky",
                     "exit_is_host", "clock", "running", "silent_chips", "duplicates"):
            self.assertIn(what, found)

    def test_people_get_a_table(self) -> None:
        configuration = self.resting(f"http://{self.provider().http}")
        done = self.run_chipgate("doctor", "--config", self.write(configuration))
        self.assertEqual((done.returncode, done.stderr), (FINE, ""), done.stdout)
        self.assertRegex(done.stdout, r"\AHEALTH +CHECK +EVIDENCE\n")
        self.assertRegex(done.stdout, r"\nfine +gateway_sticky +http://\S+: session 1 leaves by ")
        self.assertRegex(done.stdout, r"\nunknown +running +")

    def test_a_port_in_the_ephemeral_range_is_named_with_its_sysctl(self) -> None:
        port = ephemeral()[0] + 7
        configuration = self.resting(f"http://{self.provider().http}", chips=[{"id": "alpha", "port": port}])
        status, found = self.examine(configuration)
        self.assertEqual((status, self.wrong(found)), (WRONG, {"ports"}), found)
        self.assertIn(str(port), found["ports"]["evidence"])
        self.assertIn("net.ipv4.ip_local_reserved_ports=", found["ports"]["fix"])

    def test_a_gateway_that_is_not_there_is_named(self) -> None:
        status, found = self.examine(self.resting("http://127.0.0.1:1"))
        self.assertEqual((status, self.wrong(found)), (WRONG, {"gateway"}), found)
        self.assertIn("gateway_refused", found["gateway"]["evidence"])

    def test_an_authority_that_holds_no_certificate_is_a_finding_beside_the_others(self) -> None:
        (self.folder / "no-ca.pem").write_text("not a certificate\n")
        configuration = self.resting("https://127.0.0.1:1")
        configuration["gateway"]["tls"] = {"ca_file": "no-ca.pem"}
        status, found = self.examine(configuration)
        self.assertEqual((status, self.wrong(found)), (WRONG, {"gateway"}), found)
        self.assertIn("no-ca.pem", found["gateway"]["evidence"])
        self.assertIn("ledger", found)

    def test_an_echo_that_is_down_is_no_fault_of_the_gateway(self) -> None:
        sim = self.provider()
        sim.fault("origin", "status", status=503)
        status, found = self.examine(self.resting(f"http://{sim.http}"))
        self.assertEqual((status, self.wrong(found)), (WRONG, {"echoes"}), found)
        self.assertEqual(found["gateway"]["health"], "fine", found)

    def test_one_exit_that_is_gone_is_asked_once_more(self) -> None:
        # The page and the CONNECT to it fail once.
        pages = iter([None, None, "127.20.0.1", "127.20.0.2", "127.20.0.1"])

        def flaky(client: wire.Client) -> None:
            client.through(b"\r\n\r\n")
            page = next(pages)
            if page is None:
                client.send(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
            else:
                client.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(page), page.encode()))

        gateway = scripted.Gateway()
        self.addCleanup(gateway.close)
        gateway.script = flaky
        echo = {"enabled": False, "echoes_v4": ["http://one.sim/"]}
        status, found = self.examine(self.resting(gateway.endpoint, verify=echo))
        self.assertEqual((status, self.wrong(found)), (FINE, set()), found)
        self.assertEqual(found["gateway_sticky"]["health"], "fine", found)

    def test_without_echoes_nothing_is_known_of_the_gateway(self) -> None:
        sim = self.provider()
        nothing = {"enabled": False, "echoes_v4": []}
        status, found = self.examine(self.resting(f"http://{sim.http}", verify=nothing))
        self.assertEqual((status, found["gateway"]["health"]), (FINE, "unknown"), found)
        done = self.run_chipgate("prove", "--config", self.folder / "doctor.yaml")
        self.assertEqual(done.returncode, WRONG)
        self.assertIn("NOT PROVED: no echoes are configured", done.stdout)

    def test_a_gateway_that_is_not_sticky_is_named(self) -> None:
        sim = self.provider("--lifetime", "1ms")
        sim.fault("origin", "slow", delay_ms=20)
        status, found = self.examine(self.resting(f"http://{sim.http}"))
        self.assertEqual((status, self.wrong(found)), (WRONG, {"gateway_sticky"}), found)

    def test_an_exit_that_is_the_hosts_own_is_named(self) -> None:
        sim = self.provider("--pool", "2")
        status, found = self.examine(self.resting(f"http://{sim.http}"), "--host-ip", "127.20.0.1", "--host-ip", "127.20.0.2")
        self.assertEqual((status, self.wrong(found)), (WRONG, {"exit_is_host"}), found)

    def test_a_silent_chip_is_named_and_one_with_a_tunnel_is_not(self) -> None:
        configuration = self.running()
        with wire.tunnel(self.block.first + 1, f"{rig.EXIT_PAGE}:80"):
            status, found = self.examine(configuration, "--silent-for", "0")
        self.assertEqual((status, self.wrong(found)), (WRONG, {"silent_chips"}), found)
        self.assertIn("beta (port", found["silent_chips"]["evidence"])
        self.assertNotIn("alpha", found["silent_chips"]["evidence"])

    def test_nobody_is_silent_while_the_gateway_is_down(self) -> None:
        configuration = self.running()
        self.sim.process.stop()
        status, found = self.examine(configuration, "--silent-for", "0")
        self.assertEqual((status, self.wrong(found)), (WRONG, {"gateway"}), found)
        self.assertEqual(found["silent_chips"]["health"], "unknown", found)
        self.assertNotIn("else release", found["silent_chips"]["fix"])

    def test_a_chip_without_an_assignment_is_not_silent(self) -> None:
        status, found = self.examine(self.running(chips=self.chips("manual")), "--silent-for", "0")
        self.assertEqual((status, found["silent_chips"]["health"]), (FINE, "fine"), found)

    def test_a_ledger_that_nobody_can_write_is_named(self) -> None:
        configuration = self.resting(f"http://{self.provider().http}", ledger={"path": "absent/chipgate.db"})
        status, found = self.examine(configuration)
        self.assertEqual((status, self.wrong(found)), (WRONG, {"ledger"}), found)
        self.assertIn("absent", found["ledger"]["evidence"])

    def test_a_clock_that_is_off_is_a_warning(self) -> None:
        exits = iter(["127.20.0.1", "127.20.0.2", "127.20.0.1"])

        def an_hour_ago(client: wire.Client) -> None:
            client.through(b"\r\n\r\n")
            page = next(exits).encode()
            date = email.utils.formatdate(time.time() - 3600, usegmt=True).encode()
            client.send(b"HTTP/1.1 200 OK\r\nDate: %b\r\nContent-Length: %d\r\n\r\n%b" % (date, len(page), page))

        gateway = scripted.Gateway()
        self.addCleanup(gateway.close)
        gateway.script = an_hour_ago
        status, found = self.examine(self.resting(gateway.endpoint))
        self.assertEqual((status, found["clock"]["health"]), (FINE, "warning"), found)
        self.assertRegex(found["clock"]["evidence"], r"36\d\d s ahead")

    def test_a_broken_configuration_is_the_one_finding(self) -> None:
        path = self.write("gateway: {endpoint: nowhere}\n")
        done = self.run_chipgate("doctor", "--config", path, "--json")
        self.assertEqual(done.returncode, BAD_CONFIGURATION)
        (finding,) = json.loads(done.stdout)["findings"]
        self.assertEqual((finding["what"], finding["health"]), ("configuration", "wrong"))
        self.assertIn("endpoint", finding["evidence"])

    def test_an_option_that_is_none_is_said(self) -> None:
        path = self.write(self.resting("http://127.0.0.1:1"))
        for arguments in (("--host-ip", "example.com"), ("--silent-for", "10")):
            with self.subTest(arguments):
                done = self.run_chipgate("doctor", "--config", path, *arguments)
                self.assertEqual(done.returncode, BAD_CONFIGURATION)
                self.assertIn(arguments[1], done.stderr)


if __name__ == "__main__":
    unittest.main()
