"""Network namespaces: for root, and for anybody whom the kernel lets have a user namespace."""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import unittest
from pathlib import Path
from typing import Callable, NoReturn, Sequence, TypeVar

T = TypeVar("T")

CLONE_NEWNET = 0x40000000
SKIPPED = 77
# Mounts the files of a folder over those of /etc, for one process and its children, and becomes that process.
WITH_FILES = 'for f in "$1"/*; do mount --bind "$f" "/etc/${f##*/}" || exit 1; done; shift; exec "$@"'
OWN_USERS = ["unshare", "--user", "--map-root-user", "--mount"]
SUDO = ["sudo", "-n", "env"]


class NotAllowed(Exception):
    """This machine lets us make no namespaces."""


def run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=20)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout


def become_root(ways: Sequence[list[str]] = (OWN_USERS, SUDO)) -> None:
    """Starts this program anew as the root of a user namespace, or by sudo, where it is not root."""
    if os.geteuid() == 0:
        return
    again = [sys.executable, "-B", *sys.argv]
    kept = [f"{name}={value}" for name, value in os.environ.items() if name.startswith("CHIPGATE_")]
    for way in ways:
        command = [*way, *kept] if way is SUDO else way
        if shutil.which(command[0]) and subprocess.run([*command, "true"], capture_output=True).returncode == 0:
            become([*command, *again])
    raise NotAllowed("not root, no user namespaces for others, and no sudo without a password")


def become(command: list[str]) -> NoReturn:
    sys.stdout.flush()
    os.execvp(command[0], command)


class Namespace:
    """A network namespace with files of its own in /etc. A process holds it that dies with us, so nothing stays."""

    def __init__(self) -> None:
        self._etc = Path(tempfile.mkdtemp(prefix="chipgate-etc-"))
        self._holder = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "--", "unshare", "--net", "sh", "-c", "echo made; exec sleep infinity"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert self._holder.stdout and self._holder.stderr
        try:
            if not self._holder.stdout.readline():
                raise NotAllowed(self._holder.stderr.read().strip())
            self._where = f"/proc/{self._holder.pid}/ns/net"
            self._enter = ["nsenter", f"--net={self._where}"]
            self.ip("link", "set", "lo", "up")
        except BaseException:
            self.close()
            raise

    @property
    def pid(self) -> int:
        """A process inside, by which others name the namespace."""
        return self._holder.pid

    @property
    def prefix(self) -> list[str]:
        """What makes a command one inside."""
        if not any(self._etc.iterdir()):
            return self._enter
        return [*self._enter, "unshare", "--mount", "sh", "-c", WITH_FILES, "sh", str(self._etc)]

    def ip(self, *arguments: str) -> None:
        run(*self._enter, "ip", *arguments)

    def set_file(self, name: str, text: str) -> None:
        """Of /etc, as the processes inside see it."""
        if Path("/etc", name).exists():
            (self._etc / name).write_text(text)

    def call(self, function: Callable[[], T]) -> T:
        """Calls it on a thread inside: a socket stays in the namespace where it was made."""
        result: list[T] = []
        errors: list[BaseException] = []

        def inside() -> None:
            libc = ctypes.CDLL(None, use_errno=True)
            with open(self._where) as namespace:
                if libc.setns(namespace.fileno(), CLONE_NEWNET) != 0:
                    errors.append(OSError(ctypes.get_errno(), "setns"))
                    return
            try:
                result.append(function())
            except BaseException as error:  # it is the caller's
                errors.append(error)

        thread = threading.Thread(target=inside, daemon=True)
        thread.start()
        thread.join()
        if errors:
            raise errors[0]
        return result[0]

    def close(self) -> None:
        self._holder.kill()
        self._holder.wait()
        for stream in (self._holder.stdout, self._holder.stderr):
            if stream:
                stream.close()
        shutil.rmtree(self._etc, ignore_errors=True)


def run_tests(check: Callable[[], object], watchdog_seconds: int) -> NoReturn:
    """The tests of the main module, where `check` raises no NotAllowed. Elsewhere they are skipped, or have failed where
    somebody relies on them."""
    try:
        check()
    except NotAllowed as reason:
        required = bool(os.environ.get("CHIPGATE_REQUIRE_ISOLATION"))
        print(f"{'failed' if required else 'skipped'}: {reason}")
        sys.exit(1 if required else SKIPPED)

    def watchdog(*_: object) -> None:
        raise TimeoutError(f"still not done after {watchdog_seconds} s")

    signal.signal(signal.SIGALRM, watchdog)
    signal.signal(signal.SIGTERM, watchdog)
    signal.alarm(watchdog_seconds)
    unittest.main(module="__main__", verbosity=2)
    raise AssertionError("unittest.main has ended the program")
