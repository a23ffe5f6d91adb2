#!/usr/bin/env python3
"""./run as a visitor meets it: the table, the lines to try, and nothing left behind."""

from __future__ import annotations

import fcntl
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
import stack  # noqa: E402

CHIPS = 3
START_SECONDS = 40.0
STOP_SECONDS = 15.0
SKIPPED = 77


def free_ports(count: int) -> int:
    """The first of several ports in a row that nobody listens on, below those that the kernel hands out."""
    for _ in range(100):
        first = random.randrange(21000, 29000)
        try:
            for port in range(first, first + count):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", port))
            return first
        except OSError:
            continue
    raise AssertionError("no free ports")


class Demo(unittest.TestCase):
    def setUp(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="chipgate-demo-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.first = free_ports(CHIPS + 1)

    def start(self, **environment: str) -> stack.Process:
        command = [stack.REPOSITORY / "run", "--no-build", "--first-port", self.first, "--admin-port", self.first + CHIPS]
        process = stack.Process("run", command, {"CHIPGATE_RUN_DIR": str(self.folder), **environment})
        self.addCleanup(process.stop, STOP_SECONDS)
        return process

    def ready(self, process: stack.Process) -> str:
        process.require(process.out, lambda line: "Ctrl-C" in line.get("text", ""), "how to stop it", START_SECONDS)
        return "\n".join(line.get("text", "") for line in process.out.all())

    def assert_complained(self, process: stack.Process, of: str) -> None:
        """A program that has ended may have said more than was read of it yet."""
        self.assertIn(of, "".join(line.get("text", "") for line in process.err.whole(stack.STOP_SECONDS)))

    def exits(self, printed: str) -> list[str]:
        return re.findall(rf"^demo-\d +\d+ +chip-demo-\d-\d+ +(\S+)$", printed, re.MULTILINE)

    def listening(self) -> list[int]:
        found = []
        for port in range(self.first, self.first + CHIPS + 1):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    found.append(port)
        return found

    def test_without_settings(self) -> None:
        for name in ("mine.log", "mine.json"):
            (self.folder / name).touch()
        process = self.start()
        printed = self.ready(process)
        for name in ("mine.log", "mine.json"):
            self.assertTrue((self.folder / name).exists(), name)
        exits = self.exits(printed)
        self.assertEqual(len(set(exits)), CHIPS, printed)

        lines = re.findall(r"^  (curl -x .*)$", printed, re.MULTILINE)
        self.assertEqual(len(lines), 3, printed)
        for line, exit_address in zip(lines, exits):
            for _ in range(2):
                done = subprocess.run(["bash", "-c", f"{line} -sS --max-time 16"], cwd=stack.REPOSITORY,
                                      capture_output=True, text=True, timeout=30)
                self.assertEqual(done.stdout.strip(), exit_address, f"{line}: {done.stderr}")
        commands = re.findall(r"^  (\S+/chipgate .*)$", printed, re.MULTILINE)
        self.assertEqual(len(commands), 2, printed)
        for line in commands:  # in a shell without the account
            done = subprocess.run(["bash", "-c", line], cwd=stack.REPOSITORY, capture_output=True, text=True, timeout=30)
            self.assertEqual((done.returncode, done.stderr), (0, ""), line)
            self.assertIn("demo-1" if "demo-1" in line else "3: 3 active", done.stdout)

        process.signal(signal.SIGINT)
        self.assertEqual(process.wait(STOP_SECONDS), 128 + signal.SIGINT)
        self.assertEqual(self.listening(), [])

        again = self.start()  # over its own files
        self.ready(again)

    def test_a_stop_leaves_tunnels_the_time_that_chipgate_gives_them(self) -> None:
        process = self.start()
        self.ready(process)
        log = self.folder / "chipgate.log"
        with socket.create_connection(("127.0.0.1", self.first), timeout=STOP_SECONDS) as client:
            client.sendall(b"CONNECT open.sim:7 HTTP/1.1\r\nHost: open.sim:7\r\n\r\n")
            self.assertIn(b" 200 ", client.recv(1000))
            process.signal(signal.SIGTERM)
            deadline = time.monotonic() + STOP_SECONDS
            while '"draining"' not in log.read_text() and time.monotonic() < deadline:
                time.sleep(0.05)
            client.sendall(b"still here")
            self.assertEqual(client.recv(1000), b"still here")
            self.assertEqual(process.wait(2 * STOP_SECONDS), 128 + signal.SIGTERM)
        self.assertIn('"stopped"', log.read_text())  # it was not killed

    def test_nothing_outlives_a_kill(self) -> None:
        process = self.start()
        self.ready(process)
        self.assertEqual(len(self.listening()), CHIPS + 1)
        process.signal(signal.SIGKILL)
        process.wait(STOP_SECONDS)
        deadline = time.monotonic() + STOP_SECONDS
        while self.listening() and time.monotonic() < deadline:
            time.sleep(0.1)
        self.assertEqual(self.listening(), [])

    def test_a_gateway_with_an_account(self) -> None:
        simulator, addresses = stack.gateway_sim(*stack.credentials())
        self.addCleanup(simulator.stop_cleanly)
        account = {"SMARTPROXY_ENDPOINT": addresses["http"], "SMARTPROXY_USERNAME": stack.USERNAME}

        process = self.start(**account, SMARTPROXY_PASSWORD=stack.PASSWORD)
        printed = self.ready(process)
        self.assertIn("PROVED", printed)
        self.assertEqual(len(set(self.exits(printed))), CHIPS, printed)
        for file in self.folder.iterdir():
            self.assertNotIn(stack.PASSWORD.encode(), file.read_bytes(), file)
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        self.assertTrue(children)
        for child in children:
            self.assertNotIn(stack.PASSWORD.encode(), Path(f"/proc/{child}/cmdline").read_bytes())
        process.signal(signal.SIGINT)
        process.wait(STOP_SECONDS)

        process = self.start(**account, SMARTPROXY_PASSWORD="another")
        self.assertEqual(process.wait(START_SECONDS), 1)
        self.assert_complained(process, "did not prove itself")
        self.assertEqual(self.listening(), [])

    def test_a_taken_port_is_named(self) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", self.first + 1))
            taken.listen()
            # The files of the run that has the port.
            for name in ("chipgate.log", "simulator.json"):
                (self.folder / name).write_text("of another run")
            process = self.start()
            self.assertEqual(process.wait(START_SECONDS), 1)
        self.assert_complained(process, f"Port {self.first + 1} is taken")
        self.assertEqual({file.name: file.read_text() for file in self.folder.iterdir()},
                         {"chipgate.log": "of another run", "simulator.json": "of another run"})

    def test_a_folder_that_another_run_has_is_left_alone(self) -> None:
        (self.folder / "chipgate.log").write_text("of another run")
        with (self.folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            process = self.start()
            self.assertEqual(process.wait(START_SECONDS), 1)
        self.assert_complained(process, "CHIPGATE_RUN_DIR=")
        self.assertEqual((self.folder / "chipgate.log").read_text(), "of another run")

    def test_the_accounts_ledger_outlives_a_demo(self) -> None:
        ledger = self.folder / "chipgate.db"
        ledger.write_text("of an account")
        process = self.start()
        self.ready(process)
        process.signal(signal.SIGINT)
        process.wait(STOP_SECONDS)
        self.assertEqual(ledger.read_text(), "of an account")

    def test_a_configuration_that_run_did_not_write_is_kept(self) -> None:
        mine = self.folder / "chipgate.yaml"
        mine.write_text("gateway: {}\n")
        process = self.start()
        self.assertEqual(process.wait(START_SECONDS), 1)
        self.assert_complained(process, "would be lost")
        self.assertEqual(mine.read_text(), "gateway: {}\n")


if __name__ == "__main__":
    if stack.BUILD.resolve() != stack.REPOSITORY / "build/release":
        print("skipped: ./run runs what is in build/release")
        sys.exit(SKIPPED)
    for name in ("SMARTPROXY_ENDPOINT", "SMARTPROXY_USERNAME", "SMARTPROXY_PASSWORD", "SMARTPROXY_PRESET"):
        os.environ.pop(name, None)
    unittest.main(verbosity=2)
