"""chipgate and gateway-sim as real processes on ports that the kernel chooses, for tests in Python.

Every wait is bounded, and every process that was started here is ended by its own id."""

from __future__ import annotations

import itertools
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import unittest
import urllib.request
from pathlib import Path
from typing import Any, Callable, IO

REPOSITORY = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("CHIPGATE_BUILD_DIR", REPOSITORY / "build/release"))
READY_SECONDS = 20.0
STOP_SECONDS = 5.0
# chipgate may drain for 8 s, and a sanitizer has its own work at the end.
CLEAN_STOP_SECONDS = 20.0
# What a sanitizer says of a build that has one.
SANITIZER = re.compile(r"ERROR: AddressSanitizer|ERROR: LeakSanitizer|runtime error:|WARNING: ThreadSanitizer")

Line = dict[str, Any]


def built_with_sanitizers() -> bool:
    cache = BUILD / "CMakeCache.txt"
    return cache.exists() and any(line.startswith("CHIPGATE_SANITIZE") and not line.endswith("=")
                                  for line in cache.read_text().splitlines())


# Such a build is several times slower, and keeps what it has freed.
SANITIZED = built_with_sanitizers()
# How much more memory may have grown in such a build than in one that is shipped.
MEMORY_FACTOR = 10 if SANITIZED else 1
# chipgate answers every client within its connect budget of 15 s; the rest is for a busy machine, and a slow build.
ANSWER_SECONDS = 25.0 if SANITIZED else 16.0


class Lines:
    """The lines of a stream, kept; JSON objects where they are."""

    def __init__(self, stream: IO[str]) -> None:
        self._changed = threading.Condition()
        self._lines: list[Line] = []
        self._ended = False
        threading.Thread(target=self._read, args=(stream,), daemon=True).start()

    def _read(self, stream: IO[str]) -> None:
        with stream:
            for text in stream:
                try:
                    line = json.loads(text)
                except json.JSONDecodeError:
                    line = None
                with self._changed:
                    self._lines.append(line if isinstance(line, dict) else {"text": text.rstrip("\n")})
                    self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def all(self) -> list[Line]:
        with self._changed:
            return list(self._lines)

    def whole(self, seconds: float) -> list[Line]:
        """All lines of a stream that ends."""
        with self._changed:
            self._changed.wait_for(lambda: self._ended, seconds)
            return list(self._lines)

    def first(self, fits: Callable[[Line], bool], seconds: float) -> Line | None:
        """The first line that fits, or None where none came in time or the stream ended without one."""
        deadline = time.monotonic() + seconds
        seen = 0
        with self._changed:
            while True:
                for line in self._lines[seen:]:
                    if fits(line):
                        return line
                seen = len(self._lines)
                left = deadline - time.monotonic()
                if self._ended or left <= 0:
                    return None
                self._changed.wait(left)


class Process:
    """A child whose output is read as lines. It dies with its parent."""

    def __init__(self, name: str, command: list[str | Path], environment: dict[str, str] | None = None,
                 prefix: list[str] | None = None, stdin: int = subprocess.DEVNULL) -> None:
        self.name = name
        guard = ["setpriv", "--pdeathsig", "KILL", "--"] if shutil.which("setpriv") else []
        self._child = subprocess.Popen(
            [*(prefix or []), *guard, *map(str, command)], env={**os.environ, **(environment or {})}, text=True,
            stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert self._child.stdout and self._child.stderr
        self.out = Lines(self._child.stdout)
        self.err = Lines(self._child.stderr)
        self._told_to_end = False

    @property
    def pid(self) -> int:
        return self._child.pid

    def signal(self, number: int) -> None:
        self._child.send_signal(number)

    def running(self) -> bool:
        return self._child.poll() is None

    def require(self, lines: Lines, fits: Callable[[Line], bool], what: str, seconds: float = READY_SECONDS) -> Line:
        line = lines.first(fits, seconds)
        if line is None:
            raise AssertionError(f"{self.name} did not say {what} within {seconds:g} s; it said:\n{self.said()}")
        return line

    def said(self) -> str:
        return "\n".join(json.dumps(line) for line in (self.out.all() + self.err.all())[-40:])

    def wait(self, seconds: float) -> int:
        return self._child.wait(seconds)

    def stop(self, seconds: float = STOP_SECONDS) -> int:
        if self.running():
            self._told_to_end = True
            # A stopped process hears nothing else but SIGKILL. First, because it also takes back a stop that has not been
            # heard yet, and with one LeakSanitizer holds a program that ends.
            self._child.send_signal(signal.SIGCONT)
            self._child.terminate()
        try:
            return self.wait(seconds)
        except subprocess.TimeoutExpired:
            self._child.kill()
            return self._child.wait(seconds)

    def stop_cleanly(self) -> None:
        """Ends a program that must still be there, unless stop() was called before, go on its own, and have given no
        sanitizer a reason to speak."""
        alive = self.running() or self._told_to_end
        status = self.stop(CLEAN_STOP_SECONDS)
        if not alive or status != 0:
            before = "" if alive else "ended before it was told to, "
            raise AssertionError(f"{self.name} {before}exited with {status} and said:\n{self.said()}")
        self.check_sanitizers()

    def check_sanitizers(self) -> None:
        """Of a program that has ended, in whatever way: no sanitizer had a reason to speak."""
        if any(SANITIZER.search(str(line)) for line in self.err.whole(STOP_SECONDS)):
            raise AssertionError(f"{self.name} said:\n{self.said()}")


def gateway_sim(*arguments: str | Path, prefix: list[str] | None = None) -> tuple[Process, Line]:
    """The simulator, and the addresses that it says it listens on."""
    process = Process("gateway-sim", [BUILD / "gateway-sim", *arguments], prefix=prefix)
    try:
        return process, process.require(process.out, lambda line: line.get("ready") is True, "that it is ready")
    except BaseException:
        process.stop()
        raise


def chipgate(configuration: Line, folder: Path, prefix: list[str] | None = None,
             environment: dict[str, str] | None = None) -> tuple[Process, dict[str, int], int]:
    """chipgate over a configuration, its port of every chip, and the port of its admin server."""
    # One ledger serves one process, and what it keeps is another test's business.
    configuration.setdefault("ledger", {"path": f"{next(NUMBERS)}.db"})
    path = folder / "chipgate.yaml"
    path.write_text(json.dumps(configuration, indent=2))  # JSON is YAML
    process = Process("chipgate", [BUILD / "chipgate", "serve", "--config", path], environment, prefix)
    try:
        process.require(process.err, lambda line: line.get("event") == "ready", "that it is ready")
        # Whatever is drawn at the start is drawn before a test begins.
        awaited = {chip["id"] for chip in configuration.get("chips", []) if chip.get("connect") == "on_start"}

        def all_assigned(line: Line) -> bool:
            if line.get("event") == "assigned":
                awaited.discard(line["chip"])
            return not awaited

        process.require(process.err, all_assigned, "that every chip has its assignment")
        ports = {line["chip"]: int(line["port"]) for line in process.err.all() if line.get("event") == "port_open"}
        admin = next(int(line["port"]) for line in process.err.all() if line.get("event") == "admin_open")
        return process, ports, admin
    except BaseException:
        process.stop()
        raise


def configuration(endpoint: str, chips: list[str], **more: Any) -> Line:
    """What a test mostly needs: some chips behind one endpoint, assigned at the start. Exits are not looked at, so that
    whatever plays the gateway sees the test's clients alone; tests of looks switch them on."""
    return {
        "gateway": {"preset": "smartproxy", "endpoints": [endpoint], "username": "tester",
                    "password": "${CHIPGATE_TEST_PASSWORD}"},
        "chips": [{"id": chip, "port": 0, "connect": "on_start"} for chip in chips],
        "verify": {"enabled": False},
        "log": {"format": "json"},
        "admin": {"listen": "127.0.0.1:0"},
        **more,
    }


NUMBERS = itertools.count(1)
USERNAME = "tester"
PASSWORD = "p:w/%40 of a test"


def credentials() -> list[str]:
    """The simulator's arguments that fit configuration()."""
    return ["--username", USERNAME, "--password", PASSWORD]


def metrics(admin: int) -> dict[str, float]:
    """Every sample of a scrape by its name with labels."""
    with urllib.request.urlopen(f"http://127.0.0.1:{admin}/metrics", timeout=5) as answer:
        text = answer.read().decode()
    samples = (line.rsplit(" ", 1) for line in text.splitlines() if line and not line.startswith("#"))
    return {name: float(value) for name, value in samples}


class StackTest(unittest.TestCase):
    """A simulator and a chipgate for all tests of a class; both are stopped whatever happens."""

    chips = ["alpha", "beta"]

    @classmethod
    def simulator_arguments(cls) -> list[str]:
        return []

    @classmethod
    def settings(cls) -> Line:
        """What the configuration has beside chips and gateway."""
        return {}

    @classmethod
    def setUpClass(cls) -> None:
        cls.folder = Path(tempfile.mkdtemp(prefix="chipgate-test-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.prepare()
        cls.simulator, cls.sim = gateway_sim("--http", "127.0.0.1:0", "--api", "127.0.0.1:0", *credentials(),
                                             "--ca-out", cls.folder / "sim-ca.pem", *cls.simulator_arguments())
        cls.addClassCleanup(cls.simulator.stop_cleanly)
        settings = configuration(f"http://{cls.sim['http']}", cls.chips, **cls.settings())
        cls.gate, cls.ports, cls.admin = chipgate(settings, cls.folder,
                                                  environment={"CHIPGATE_TEST_PASSWORD": PASSWORD})
        cls.addClassCleanup(cls.gate.stop_cleanly)

    @classmethod
    def prepare(cls) -> None:
        """What must be there before the simulator starts."""

    def fault(self, fault: Line) -> None:
        """Something that goes wrong at the simulator from now on."""
        request = urllib.request.Request(f"http://{self.sim['api']}/faults", json.dumps(fault).encode(), method="POST")
        with urllib.request.urlopen(request, timeout=5):
            pass

    def curl(self, *arguments: str | Path) -> str:
        """curl's output; the test fails where curl does."""
        done = subprocess.run(["curl", "-sS", "--fail", "--max-time", str(int(ANSWER_SECONDS)), "--cacert",
                               str(self.folder / "sim-ca.pem"), *map(str, arguments)],
                              capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=2 * ANSWER_SECONDS)
        self.assertEqual(done.returncode, 0, f"curl: {done.stderr}\n{self.gate.said()}")
        return done.stdout.strip()

    def exit_of(self, chip: str, *arguments: str | Path) -> str:
        return self.curl("-x", f"http://127.0.0.1:{self.ports[chip]}", *arguments, "http://exit-ip.sim/")
