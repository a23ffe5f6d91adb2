#!/usr/bin/env python3
"""What chipgate says, in both forms, and that nothing which happens to its log stops traffic."""

from __future__ import annotations

import json
import os
import re
import signal
import unittest

import rig
import wire
from wire import stack

CHIP_PORT, ADMIN_PORT = 20_001, 20_000


class Logs(rig.RigTest):
    def setUp(self) -> None:
        super().setUp()
        self.sim = self.provider()

    def own_address(self) -> str:
        """An address of this test's own: where the log is lost, ports that the kernel chose could not be read."""
        return f"127.31.{os.getpid() >> 8 & 255}.{os.getpid() & 255}"

    def start(self, log: stack.Line, prefix: list[str] | None = None) -> rig.Gate:
        """A chipgate whose log the test cannot read, so that readiness is asked for."""
        address = self.own_address()
        configuration = self.configuration([f"http://{self.sim.http}"], [], log=log)
        configuration |= {"listen": {"address": address}, "admin": {"listen": f"{address}:{ADMIN_PORT}"},
                          "chips": [{"id": "alpha", "port": CHIP_PORT}]}
        process = stack.Process("chipgate", [stack.BUILD / "chipgate", "serve", "--config", self.write(configuration)],
                                rig.SECRETS, prefix)
        gate = rig.Gate(process, {"alpha": CHIP_PORT}, 0)
        self.addCleanup(gate.end)
        wire.until(lambda: self.answers(address), "readiness")
        return gate

    def answers(self, address: str) -> bool:
        try:
            with wire.Client(ADMIN_PORT, host=address) as client:
                return client.send(b"GET /readyz HTTP/1.0\r\n\r\n").answer().status == 200
        except OSError:
            return False

    @staticmethod
    def into(pipe: int) -> list[str]:
        """The prefix of a command whose stderr is this pipe."""
        return ["sh", "-c", f'exec "$@" 2>/proc/{os.getpid()}/fd/{pipe}', "sh"]

    def dropped(self) -> float:
        with wire.Client(ADMIN_PORT, host=self.own_address()) as client:
            text = client.send(b"GET /metrics HTTP/1.0\r\n\r\n").answer().body.decode()
        return float(re.search(r"^chipgate_log_dropped_total (\S+)$", text, re.MULTILINE)[1])

    def assert_serves(self, times: int = 20) -> None:
        for _ in range(times):
            for way in rig.WAYS:
                self.assertTrue(rig.exit_of(CHIP_PORT, way, self.own_address()))

    def test_a_line_for_every_tunnel_says_who_where_how_much_how_long_and_how_it_ended(self) -> None:
        gate = self.gate(f"http://{self.sim.http}")
        with wire.tunnel(gate.ports["alpha"], "counted.sim:7") as client:
            client.send(b"seven B").exactly(7)
        line = gate.line("tunnel", target="counted.sim:7")
        expected = {"level": "info", "chip": "alpha", "session": gate.session("alpha"), "protocol": "connect",
                    "endpoint": f"http://{self.sim.http}", "bytes_up": 7, "bytes_down": 7, "ended": "client_closed",
                    "fault": "nobody"}
        self.assertEqual({key: line.get(key) for key in expected}, expected)
        self.assertRegex(line["ts"], r"\A\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\Z")
        for stage in ("head_seconds", "connect_seconds", "reply_seconds", "open_seconds"):
            self.assertTrue(0 < line[stage] < stack.ANSWER_SECONDS, f"{stage} of {line}")

    def test_the_same_as_text(self) -> None:
        log = self.folder / "text.log"
        gate = self.start({"format": "text", "path": str(log)})
        self.assert_serves(1)
        pattern = (r"^\d{4}-\S+Z info tunnel chip=alpha session=chip-alpha-\d+ protocol=socks5 target=exit-ip\.sim:80 "
                   rf"endpoint=http://{re.escape(self.sim.http)} bytes_up=\d+ bytes_down=\d+ .* ended=\w+ fault=\w+$")
        wire.until(lambda: re.search(pattern, log.read_text(), re.MULTILINE), f"{pattern} in {log.read_text()}")
        self.assertEqual(gate.process.err.all(), [])

    def test_access_lines_may_be_switched_off(self) -> None:
        gate = self.gate(f"http://{self.sim.http}", log={"format": "json", "access": False})
        rig.exit_of(gate.ports["alpha"])
        gate.process.signal(signal.SIGTERM)
        self.assertEqual(gate.wait(), 0)
        self.assertEqual([line for line in gate.process.err.whole(5) if line.get("event") == "tunnel"], [])

    def test_a_hangup_makes_it_write_to_a_new_file(self) -> None:
        log, moved = self.folder / "chipgate.log", self.folder / "chipgate.log.1"
        gate = self.start({"format": "json", "path": str(log)})
        self.assert_serves(1)
        log.rename(moved)
        gate.process.signal(signal.SIGHUP)
        wire.until(lambda: log.exists(), "the new file")
        with wire.tunnel(CHIP_PORT, "after.sim:7", host=self.own_address()) as client:
            client.send(b"x").exactly(1)
        wire.until(lambda: "after.sim:7" in log.read_text(), "the line in the new file")
        self.assertNotIn("after.sim:7", moved.read_text())
        for line in moved.read_text().splitlines() + log.read_text().splitlines():
            json.loads(line)

    def test_another_signal_makes_it_write_to_a_new_file_and_reads_no_configuration(self) -> None:
        log, moved = self.folder / "chipgate.log", self.folder / "chipgate.log.1"
        gate = self.start({"format": "json", "path": str(log)})
        log.rename(moved)
        self.write("broken: [")
        gate.process.signal(signal.SIGUSR1)
        wire.until(lambda: log.exists(), "the new file")
        # What came of the configuration would stand before this line.
        with wire.tunnel(CHIP_PORT, "behind.sim:7", host=self.own_address()) as client:
            client.send(b"x").exactly(1)
        wire.until(lambda: "behind.sim:7" in log.read_text(), "the line in the new file")
        self.assertNotIn("config_not_reloaded", moved.read_text() + log.read_text())
        gate.process.signal(signal.SIGHUP)
        wire.until(lambda: "config_not_reloaded" in log.read_text(), "a hangup's error")

    def test_a_file_that_cannot_be_opened_again_is_said_and_the_old_one_goes_on(self) -> None:
        log = self.folder / "logs" / "chipgate.log"
        log.parent.mkdir()
        gate = self.start({"format": "json", "path": str(log)})
        kept = log.open()
        self.addCleanup(kept.close)
        log.unlink()
        log.parent.rmdir()
        gate.process.signal(signal.SIGHUP)
        said = ""

        def hear() -> bool:
            nonlocal said
            said += kept.read()
            return "log_not_reopened" in said

        wire.until(hear, "that the file cannot be opened")
        self.assert_serves(1)

    def test_a_full_disk_stops_no_traffic_and_is_counted(self) -> None:
        self.start({"format": "json", "path": "/dev/full"})
        self.assert_serves()
        self.assertGreater(self.dropped(), 0)

    def test_a_closed_stderr_stops_no_traffic_and_no_socket_takes_its_place(self) -> None:
        """The descriptor's number is free then, and the log may not end up in whatever gets it."""
        gate = self.start({"format": "json"}, ["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh"])
        self.assert_serves()
        standard = {os.readlink(f"/proc/{gate.process.pid}/fd/{descriptor}") for descriptor in range(3)}
        self.assertEqual(standard, {"/dev/null"})

    def test_a_reader_of_stderr_that_is_gone_stops_no_traffic(self) -> None:
        reading, writing = os.pipe()
        self.start({"format": "json"}, self.into(writing))
        os.close(writing)
        os.close(reading)
        self.assert_serves()

    def test_a_reader_of_stderr_that_stands_still_stops_no_traffic_and_no_stop(self) -> None:
        reading, writing = os.pipe()
        self.addCleanup(os.close, reading)
        os.set_blocking(writing, False)
        try:
            while True:
                os.write(writing, b"x" * 4096)
        except BlockingIOError:
            pass
        os.set_blocking(writing, True)
        gate = self.start({"format": "json"}, self.into(writing))
        os.close(writing)
        self.assert_serves()
        gate.process.signal(signal.SIGTERM)
        self.assertEqual(gate.wait(), 0)


if __name__ == "__main__":
    unittest.main()
