"""Ports that nobody else on this host is given."""

from __future__ import annotations

import itertools
import os
import socket

SLOTS = 100


class PortBlock:
    """A hundred ports below those that the kernel gives to clients, for chips that are added by the API, and the last one
    for what has to be found again after a restart. The first one is bound as long as the block is held, so that no other
    test has the same."""

    SIZE = 100

    def __init__(self) -> None:
        for slot in itertools.islice(itertools.count(os.getpid()), SLOTS):
            self.first = 10_000 + slot % SLOTS * self.SIZE
            try:
                self._held = socket.create_server(("127.0.0.1", self.first))
                return
            except OSError:
                pass
        raise AssertionError("no block of ports is free")

    @property
    def range(self) -> str:
        """As the configuration wants it."""
        return f"{self.first + 1}-{self.fixed - 1}"

    @property
    def fixed(self) -> int:
        return self.first + self.SIZE - 1

    def close(self) -> None:
        self._held.close()
