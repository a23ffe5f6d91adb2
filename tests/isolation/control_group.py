"""A control group of the test's own, as systemd gives one to every service."""

from __future__ import annotations

import itertools
import os
import shlex
from pathlib import Path


class Unavailable(Exception):
    pass


def mount() -> Path:
    """Where this machine's version 2 hierarchy is: beside the older ones, or alone."""
    for line in Path("/proc/self/mounts").read_text().splitlines():
        _, place, kind, *_ = line.split()
        if kind == "cgroup2":
            return Path(place)
    raise Unavailable("no hierarchy of version 2 is mounted")


class ControlGroup:
    """In a slice of its own, like system.slice/bot.service."""

    _numbers = itertools.count(1)

    def __init__(self, service: str = "bot.service") -> None:
        self.mount = mount()
        self.name = f"chipgate-{os.getpid()}-{next(self._numbers)}.slice/{service}"
        self.make()

    def make(self) -> None:
        try:
            (self.mount / self.name).mkdir(parents=True)
        except OSError as error:
            raise Unavailable(f"no control group can be made: {error}") from error

    def close(self) -> None:
        group = self.mount / self.name
        while group != self.mount:
            group.rmdir()
            group = group.parent

    @property
    def joining(self) -> list[str]:
        """In front of a command: it runs in the group."""
        procs = shlex.quote(str(self.mount / self.name / "cgroup.procs"))
        return ["sh", "-c", f'echo $$ >{procs} && exec "$@"', "joining"]

    @property
    def alone(self) -> list[str]:
        """In front of nft, which looks for groups in /sys/fs/cgroup, where systemd has this hierarchy alone."""
        there = self.mount == Path("/sys/fs/cgroup")
        bind = "" if there else f"mount --bind {self.mount} /sys/fs/cgroup && "
        return ["unshare", "--mount", "sh", "-c", f'{bind}exec "$@"', "alone"]
