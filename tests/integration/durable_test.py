#!/usr/bin/env python3
"""What the kernel was told in which order: nothing is promised to anybody before it is on the disk."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import unittest
from dataclasses import dataclass

import life
import wire
from wire import stack

SKIPPED = 77
CALLS = "fsync,fdatasync,write,writev,pwrite64,sendto,sendmsg,read,readv,recvfrom,recvmsg"
# "1234  1700000000.123456 sendto(7<TCP:[...]>, "HTTP/1.1 200 ...", ...) = 39", perhaps in two halves.
WHOLE = re.compile(r"^(\d+)\s+[\d.]+ (\w+)\((.*)\s+= (-?\d+)")
BEGUN = re.compile(r"^(\d+)\s+[\d.]+ (\w+)\((.*) <unfinished \.\.\.>$")
RESUMED = re.compile(r"^(\d+)\s+[\d.]+ <\.\.\. (\w+) resumed>(.*)\s+= (-?\d+)")


@dataclass
class Call:
    name: str
    words: str
    began: int  # its line in the trace, and the one in which it had returned
    ended: int


def calls(trace: str) -> list[Call]:
    """Those that succeeded, in the order of their beginning."""
    found: list[Call] = []
    open_calls: dict[str, Call] = {}
    for number, line in enumerate(trace.splitlines()):
        if begun := BEGUN.match(line):
            open_calls[begun[1]] = Call(begun[2], begun[3], number, number)
        elif resumed := RESUMED.match(line):
            call = open_calls.pop(resumed[1], None)
            if call is not None and int(resumed[4]) >= 0:
                found.append(Call(call.name, call.words + resumed[3], call.began, number))
        elif (whole := WHOLE.match(line)) and int(whole[4]) >= 0:
            found.append(Call(whole[2], whole[3], number, number))
    return sorted(found, key=lambda call: call.began)


def ptrace_is_possible() -> bool:
    """strace itself must be there: only a kernel or a container that forbids tracing is a reason to skip."""
    return subprocess.run(["strace", "-o", "/dev/null", "true"], stderr=subprocess.DEVNULL).returncode == 0


class Durable(life.LifeTest):
    def trace_of(self, act: object) -> list[Call]:
        """What chipgate says to the kernel meanwhile."""
        path = self.folder / "trace"
        pid = self.gate.process.pid
        tracer = stack.Process("strace", ["strace", "-f", "-ttt", "-yy", "-s", "256", "-e", f"trace={CALLS}", "-o", path,
                                          "-p", str(pid)])
        self.addCleanup(tracer.stop)
        # One line for all threads.
        tracer.require(tracer.err, lambda line: "attached" in str(line), "that it has attached")
        act()  # type: ignore[operator]
        tracer.signal(signal.SIGINT)
        tracer.wait(stack.STOP_SECONDS)
        return calls(path.read_text())

    def carries(self, port: int) -> None:
        """An echo, not just the 200: that is heard before the call that sends it has returned, and what has not returned
        when the tracer goes is not in the trace."""
        with wire.tunnel(port, "alpha.sim:7") as client:
            client.send(b"x").exactly(1)

    def test_the_wal_is_synced_before_a_session_leaves_and_before_a_client_is_admitted(self) -> None:
        # While a client is held, another look is begun beside one that has not answered within retry_min: not here, where
        # the tracer makes one slow and the test follows it alone.
        api = self.live(draws={"retry_min": "5s", "retry_max": "5s"})
        port = int(api.put("alpha", connect="on_demand")["port"])
        trace = self.trace_of(lambda: self.carries(port))
        exit_ip, = self.exits_of("alpha")

        def only(fits: object, what: str) -> Call:
            found = [call for call in trace if fits(call)]  # type: ignore[operator]
            self.assertEqual(len(found), 1, f"{what}: {found}")
            return found[0]
        synced = [call for call in trace if call.name in ("fsync", "fdatasync") and "ledger.db-wal" in call.words]
        written = [call for call in trace if call.name == "pwrite64" and "ledger.db-wal" in call.words]
        sent = ("write", "writev", "sendto", "sendmsg")
        look = only(lambda call: call.name in sent and any(f"GET http://{host}" in call.words for host in life.LOOKS),
                    "the look")
        answered = only(lambda call: call.name not in sent and exit_ip + r"\n" in call.words, "the look's answer")
        admitted = only(lambda call: call.name in sent and f"127.0.0.1:{port}->" in call.words
                        and '"HTTP/1.1 200' in call.words, "the client's 200")

        def assert_on_disk(after: int, before: int, what: str) -> None:
            """A page of the log was written and synced, both in between."""
            pages = [page for page in written if page.began > after]
            self.assertTrue(any(page.ended < sync.began and sync.ended < before for page in pages for sync in synced),
                            what)
        assert_on_disk(-1, look.began, "the session left before it was on the disk")
        assert_on_disk(answered.ended, admitted.began, "the client was admitted before the row was on the disk")


if __name__ == "__main__":
    if not ptrace_is_possible():
        print("this kernel lets nobody trace")
        sys.exit(SKIPPED)
    unittest.main()
