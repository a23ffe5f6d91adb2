#!/usr/bin/env python3
"""The example of docs/backend.md, word for word."""

from __future__ import annotations

import os
import re
import unittest
import unittest.mock
import urllib.error
import urllib.parse
from typing import Any

import life
import rig
from wire import stack

PAGE = stack.REPOSITORY / "docs/backend.md"
LONGEST = 40


def example() -> str:
    blocks = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    assert len(blocks) == 1, "the page has one example"
    return str(blocks[0])


class Backend(life.LifeTest):
    def setUp(self) -> None:
        super().setUp()
        self.api = self.live()
        environment = {"CHIPGATE_API": f"http://127.0.0.1:{self.gate.admin}",
                       "CHIPGATE_TOKEN_FILE": str(self.folder / "token")}
        self.names: dict[str, Any] = {}
        with unittest.mock.patch.dict(os.environ, environment):
            exec(compile(example(), str(PAGE), "exec"), self.names)

    def number(self, chip: str) -> Any:
        return self.names["Number"](chip)

    def exit_by(self, proxy_url: str) -> str:
        return rig.exit_of(int(urllib.parse.urlsplit(proxy_url).port or 0))

    def test_it_is_short(self) -> None:
        self.assertLessEqual(len(example().splitlines()), LONGEST)

    def test_a_number_lives_by_it(self) -> None:
        number = self.number("5511999990001")
        proxy = number.before_session()
        first = self.exit_by(proxy)
        tunnel = self.client(number.chip)
        number.on_disconnect()
        self.assert_cut(tunnel)
        self.assertEqual(self.api.state(number.chip), "released")

        proxy = number.before_session()
        second = self.exit_by(proxy)
        self.assertNotEqual(first, second)
        number.on_ban()
        self.assertEqual([one["exit_ip"] for one in self.api.get("denied")["denied"]], [second])
        number.on_delete()
        self.api.expect(404, "GET", f"chips/{number.chip}")
        self.assertEqual([row["release_reason"] for row in self.api.history(f"chip={number.chip}")], ["released"] * 2)

    def test_a_late_disconnect_ends_nothing(self) -> None:
        number = self.number("5511999990002")
        number.before_session()
        late = number.assignment
        number.on_disconnect()
        number.before_session()
        now, number.assignment = number.assignment, late
        number.on_disconnect()
        self.assertEqual(self.api.chip(number.chip)["assignment"]["id"], now)

    def test_a_number_that_never_started_is_deleted(self) -> None:
        number = self.number("5511999990003")
        number.on_delete()
        self.api.expect(404, "GET", f"chips/{number.chip}")

    def test_no_session_starts_without_an_address(self) -> None:
        self.silence_looks()
        number = self.number("5511999990004")
        impatient = self.names["ask"]

        def ask(method: str, path: str, body: Any = None) -> Any:
            return impatient(method, path.replace("wait=60s", "wait=100ms"), body)
        self.names["ask"] = ask
        with self.assertRaises((RuntimeError, urllib.error.HTTPError)):
            number.before_session()


if __name__ == "__main__":
    unittest.main()
