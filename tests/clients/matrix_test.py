#!/usr/bin/env python3
"""The failure matrix: every fault of the simulator × real clients, straight and through a forwarder in user space.

CHIPGATE_WRITE_MATRIX=1 writes docs/failure-matrix.md instead of comparing; CHIPGATE_MATRIX_ROWS=regex runs some rows."""

from __future__ import annotations

import concurrent.futures
import os
import re
import shutil
import sys
import tempfile
import time
import unittest
from pathlib import Path
from typing import Any

sys.dont_write_bytecode = True
import drivers
import failures
import stack
from failures import COLUMNS, GAVE_UP, HANGS, REACHES, SERVED, Column, Outcome, Row
sys.path.insert(0, str(drivers.HERE.parent / "integration"))
import life  # noqa: E402
import wire  # noqa: E402

# Clients without a limit of their own are given this one.
LIMIT_SECONDS = 45
# Longer than any promise, and than Baileys 7 needs to give up a dead socket.
HANG_SECONDS = 60.0
COLUMN = {column.name: column for column in COLUMNS}
# A browser on a busy machine takes its time to open a page, and then to use it.
BEGIN_SECONDS = 180.0
TALK_SECONDS = 60.0
# Rows that run at the same time: most of their time is waiting.
AT_ONCE = 8


def told(column: Column, answer: stack.Line) -> str:
    """A client's own words, short."""
    error = str(answer.get("error", ""))
    if not error:
        return SERVED if answer["status"] == 200 else str(answer["status"])
    if re.search(r"timeout of \d+ ms|Client\.Timeout|curl: \(28\)", error):
        return GAVE_UP
    if column.driver == "chromium":
        found = re.search(r"net::(ERR_\w+)", error)
        return found[1] if found else error[:40]
    if column.driver == "curl":
        found = re.search(r"curl: \((\d+)\)", error)
        status = re.search(r"response (\d+)", error)
        return f"exit {found[1] if found else '?'}" + (f" ({status[1]})" if status else "")
    return error.rsplit(": ", 1)[-1].replace("|", " ")[:60]


class Provider:
    """A simulator and the authority that it is trusted by."""

    def __init__(self, folder: Path, targets: list[str]) -> None:
        self.authority = folder / f"authority-{next(stack.NUMBERS)}.pem"
        self.process, self.listening = stack.gateway_sim(*stack.credentials(), "--ca-out", self.authority, *targets)
        self.api = wire.Simulator(self.listening["api"])


class World:
    """A chipgate for every cell of a row, so that what one client meets is nobody else's doing."""

    def __init__(self, row: Row, provider: Provider, folder: Path) -> None:
        self.row, self.provider, self._folder = row, provider, folder
        self._processes: list[stack.Process] = []
        self._operators: list[life.Operator] = []

    def open(self) -> None:
        self._folder.mkdir()
        if self.row.fault:
            self.provider.api.ask("PUT", "/faults", self.row.fault)
        self.ports: dict[tuple[str, str], int] = {}
        for reach in REACHES:
            opened = {column.name: self._gate(self._folder / f"{reach}-{number}", reach)
                      for number, column in enumerate(COLUMNS)}
            if reach == "forwarded":
                opened = self._forward(opened)
            self.ports |= {(reach, column): port for column, port in opened.items()}

    def _gate(self, folder: Path, reach: str) -> int:
        folder.mkdir()
        kind = self.row.gateway
        settings = stack.configuration(f"{kind}://{self.provider.listening[kind]}", ["chip"], workers=1)
        settings |= self.row.settings
        settings["listen"] = {"behind_userland_proxy": reach == "forwarded"}
        if kind == "https":
            settings["gateway"]["tls"] = {"ca_file": str(self.provider.authority)}
        gate, ports, admin = stack.chipgate(settings, folder, environment={"CHIPGATE_TEST_PASSWORD": stack.PASSWORD})
        self._processes.append(gate)
        self._operators.append(life.Operator(admin, (folder / "chipgate.token").read_text().strip()))
        return int(ports["chip"])

    def _forward(self, opened: dict[str, int]) -> dict[str, int]:
        command = [sys.executable, "-B", drivers.HERE / "forwarder.py", *map(str, opened.values())]
        process = stack.Process("forwarder", command)
        self._processes.append(process)
        says = process.require(process.out, lambda line: "forwards" in line, "where it listens")
        return {column: int(says["forwards"][str(port)]) for column, port in opened.items()}

    def act(self) -> None:
        assert self.row.act
        path, body = self.row.act
        if path == failures.RELEASE:
            for operator in self._operators:
                operator.released("chip")
        elif path == "/sessions/end":
            for session in self.provider.api.ask("GET", "/sessions")["sessions"]:
                self.provider.api.ask("DELETE", f"/sessions/{session['session']}?tunnels={body['tunnels']}")
        else:
            self.provider.api.ask("POST", path, body)

    def stop(self) -> None:
        for process in reversed(self._processes):
            process.stop()
            process.check_sanitizers()


class Cell:
    """One client that meets one fault."""

    def __init__(self, row: Row, reach: str, column: Column, driver: drivers.Driver, port: int) -> None:
        self.row, self.reach, self.column, self._driver = row, reach, column, driver
        proxy = f"{column.scheme}://127.0.0.1:{port}"
        if column.is_baileys:
            self._job = driver.begin(task="login", proxy=proxy)
            return
        number = next(stack.NUMBERS)
        self._path = f"/wait/{number}" if row.waits else f"/page/{number}"
        self._job = driver.begin(task="page", proxy=proxy, url=f"https://{drivers.WHATSAPP}{self._path}", limit=LIMIT_SECONDS,
                                 any_certificate=row.by_target)

    def await_begin(self) -> None:
        """Of a browser, which may have a queue of pages to open."""
        if self.column.driver == "chromium" and not self._driver.line(self._job, BEGIN_SECONDS, ("began",)):
            raise AssertionError(f"{self.column.name} never began; {self._driver.process.said()}")
        self._await_outcome()

    def await_talk(self, whatsapp: drivers.Whatsapp) -> None:
        """Until its tunnel is open and its request is where it was sent to."""
        if self.column.is_baileys:
            found = self._driver.line(self._job, TALK_SECONDS, ("upgraded",))
        else:
            found = whatsapp.asked(self._path, TALK_SECONDS)
        if found is None:
            raise AssertionError(f"{self.column.name} never talked in {self.row.name}")
        self._await_outcome()

    def _await_outcome(self) -> None:
        self._hangs_at = time.monotonic() + max(HANG_SECONDS, self.row.seconds)

    def outcome(self, acted: float | None) -> Outcome:
        """Where the fault came later, by the simulator's acting at a Unix time, the clock starts then."""
        line = self._last_line()
        if line is None:
            return Outcome(HANGS, HANG_SECONDS)
        seconds = max(line["at"] - acted, 0.0) if acted else line["seconds"]
        if not self.column.is_baileys:
            return Outcome(told(self.column, line), seconds)
        return Outcome(SERVED if line["event"] == "upgraded" else str(line.get("code")), seconds)

    def _last_line(self) -> stack.Line | None:
        left = max(self._hangs_at - time.monotonic(), 0.0)
        if not self.column.is_baileys:
            return self._driver.line(self._job, left)
        events = ("close",) if self.row.waits else ("upgraded", "close")
        line = self._driver.line(self._job, left, events)
        self._driver.begin(task="end", of=self._job)
        return line


class Matrix(unittest.TestCase):
    def setUp(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="chipgate-test-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.whatsapp = drivers.Whatsapp(self.folder)
        self.addCleanup(self.whatsapp.process.stop)
        wanted = re.compile(os.environ.get("CHIPGATE_MATRIX_ROWS", ""))
        rows = [row for row in failures.ROWS if wanted.search(row.name)]
        # Who waits longest begins first.
        self.rows = sorted(rows, key=lambda row: -failures.longest(row, failures.read()))
        # Where the simulator is the target, clients have to trust its authority from their start.
        self.targets = {row.name: Provider(self.folder, []) for row in rows if row.by_target}
        for target in self.targets.values():
            self.addCleanup(target.process.stop_cleanly)
            self.whatsapp.trust_also(target.authority)
        self.drivers = {}
        for kind in dict.fromkeys(column.driver for column in COLUMNS):
            self.drivers[kind] = drivers.start(kind, self.whatsapp, self.folder)
            self.addCleanup(self.drivers[kind].stop)

    def run_row(self, row: Row) -> failures.Cells:
        provider = self.targets.get(row.name) or Provider(self.folder, self.whatsapp.mapping())
        world = World(row, provider, self.folder / f"row-{next(stack.NUMBERS)}")
        try:
            world.open()
            # A browser needs longest to begin, and the others' own clocks run when they have begun.
            browsers = self.begin(world, [column for column in COLUMNS if column.driver == "chromium"])
            cells = browsers + self.begin(world, [column for column in COLUMNS if column.driver != "chromium"])
            acted = None
            if row.act:
                acted = time.time()
                world.act()
            return {(cell.reach, row.name, cell.column.name): cell.outcome(acted) for cell in cells}
        finally:
            world.stop()
            if not row.by_target:
                provider.process.stop_cleanly()

    def begin(self, world: World, columns: list[Column]) -> list[Cell]:
        cells = [Cell(world.row, reach, column, self.drivers[column.driver], world.ports[reach, column.name])
                 for reach in REACHES for column in columns]
        for cell in cells:
            cell.await_begin()
        if world.row.act:
            for cell in cells:
                cell.await_talk(self.whatsapp)
        return cells

    def measured(self) -> failures.Cells:
        """Every row. What is worse than the page has it, and breaks no promise, is measured once more when nothing else
        runs here: it may be this machine's work, or a race (bytes behind a 200 come with it, or a moment later)."""
        cells: failures.Cells = {}
        # A process dies with the thread that started it, so the threads outlive every row.
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            for found in pool.map(self.run_row, self.rows):
                cells |= found
        before = failures.read()
        for row in self.rows:
            worse = {key for key, now in cells.items() if key[1] == row.name and key in before and
                     failures.complaint(COLUMN[key[2]], before[key], now) and
                     not failures.broken_promise(row, COLUMN[key[2]], now)}
            if worse:
                cells |= {key: now for key, now in self.run_row(row).items() if key in worse}
        return cells

    def test_no_cell_is_worse_than_the_page_has_it(self) -> None:
        cells = self.measured()
        before = failures.read()
        if os.environ.get("CHIPGATE_WRITE_MATRIX"):
            before |= {key: failures.settled(before.get(key), now) for key, now in cells.items()}
            failures.write(before)
        rows = {row.name: row for row in self.rows}
        listed = []
        for key, now in cells.items():
            self.assertTrue(key in before, f"the page lacks {key}; CHIPGATE_WRITE_MATRIX=1 writes it")
            column = COLUMN[key[2]]
            wrong = failures.broken_promise(rows[key[1]], column, now) or failures.complaint(column, before[key], now)
            if wrong:
                listed.append(f"{', '.join(key)}: {wrong}")
        self.assertFalse(listed, "\n" + "\n".join(listed))


if __name__ == "__main__":
    drivers.require_clients("chromium", "go")
    unittest.main(verbosity=2)
