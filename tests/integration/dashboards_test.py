#!/usr/bin/env python3
"""Whatever the dashboard shows and the alerts ask for is in a scrape of a chipgate that has lived a little."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import unittest
import urllib.request

import life
import rig
import wire
from wire import stack

sys.path.insert(0, str(stack.REPOSITORY / "tests/architecture"))
import dashboards  # noqa: E402


class Dashboards(life.LifeTest):
    def lived(self) -> set[str]:
        """The metrics of a chipgate that has carried, refused, moved and been refused; without what a histogram adds."""
        api = self.live()
        port = int(api.put("alpha", quota={"month": 10_000_000})["port"])
        api.connect("alpha")
        self.client("alpha").close()
        wire.until(lambda: self.gate.metric("chipgate_tunnels_closed_total", chip="alpha", reason="client_closed"), "the end")
        self.sim.fault("connect", "status", status=407)
        rig.refusal(port)
        api.put("beta")
        api.act("beta", "connect", wait="0s")
        wire.until(lambda: self.gate.metric("chipgate_gateway_breaker_open"), "the account is refused")
        return {name.split("{")[0] for name in stack.metrics(self.gate.admin)}

    def test_every_metric_that_is_named_is_there(self) -> None:
        folder = stack.REPOSITORY / "dashboards"
        shown = list(dashboards.expressions(json.loads((folder / "chipgate.json").read_text())))
        asked = dashboards.rules((folder / "alerts.yml").read_text())
        self.assertGreater(min(len(shown), len(asked)), 10)
        there = self.lived()
        for query in shown + asked:
            for name in dashboards.metrics_in(query):
                with self.subTest(metric=name, query=query):
                    self.assertIn(name, there)

    @unittest.skipUnless(shutil.which("promtool"), "no promtool")
    def test_promtool_finds_no_fault_with_a_scrape(self) -> None:
        self.lived()
        with urllib.request.urlopen(f"http://127.0.0.1:{self.gate.admin}/metrics", timeout=5) as answer:
            done = subprocess.run(["promtool", "check", "metrics"], input=answer.read(), capture_output=True, timeout=60)
        self.assertEqual((done.returncode, done.stdout + done.stderr), (0, b""))


if __name__ == "__main__":
    unittest.main()
