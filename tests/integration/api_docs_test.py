#!/usr/bin/env python3
"""Every example of docs/api.md that is marked `run` does what the page says, against a real chipgate."""

from __future__ import annotations

import os
import re
import subprocess
import unittest
from typing import NamedTuple

import rig
from ports import PortBlock
from wire import stack

PAGE = stack.REPOSITORY / "docs/api.md"
MARKED = re.compile(r"^<!-- run: (?P<expected>.+?) -->\n```sh\n(?P<script>.*?)^```$", re.MULTILINE | re.DOTALL)
TOKEN = "a-token-of-the-documentation-test"


class Example(NamedTuple):
    line: int
    expected: str
    script: str


def examples(text: str) -> list[Example]:
    """The marked blocks, each with what its output must contain."""
    return [Example(text.count("\n", 0, match.start()) + 1, match["expected"], match["script"])
            for match in MARKED.finditer(text)]


class ApiDocumentation(rig.RigTest):
    def test_every_marked_example_works(self) -> None:
        found = examples(PAGE.read_text())
        provider = self.provider()
        ports = PortBlock()
        self.addCleanup(ports.close)
        gate = self.gate(f"http://{provider.http}", ["alpha"], admin={"listen": "127.0.0.1:0", "token": TOKEN}, listen={"ports": ports.range},
                         verify={"echoes_v4": ["http://exit-ip.sim/", "http://second.exit-ip.sim/"]})
        environment = {**os.environ, "CHIPGATE": f"http://127.0.0.1:{gate.admin}", "TOKEN": TOKEN}
        for example in found:
            with self.subTest(line=example.line):
                done = subprocess.run(["bash", "-euo", "pipefail", "-c", example.script], env=environment, text=True,
                                      capture_output=True, stdin=subprocess.DEVNULL, timeout=60)
                said = f"docs/api.md:{example.line}: {done.stdout}{done.stderr}"
                self.assertEqual(done.returncode, 0, said)
                self.assertIn(example.expected, done.stdout, said)

    def test_every_mark_stands_before_an_example(self) -> None:
        text = PAGE.read_text()
        self.assertEqual(len(examples(text)), text.count("<!-- run"))
        self.assertGreater(len(examples(text)), 15)


if __name__ == "__main__":
    unittest.main()
