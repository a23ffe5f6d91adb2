#!/usr/bin/env python3
"""The alert rules by Prometheus' own judgement: that they are rules, and what they say of made-up series."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]
SKIPPED = 77


def promtool(*arguments: str | Path, folder: Path = HERE) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["promtool", *map(str, arguments)], cwd=folder, capture_output=True, text=True, timeout=60,
                          stdin=subprocess.DEVNULL)


class Alerts(unittest.TestCase):
    def test_they_are_rules(self) -> None:
        done = promtool("check", "rules", REPOSITORY / "dashboards/alerts.yml")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_they_fire_when_they_should_and_only_then(self) -> None:
        done = promtool("test", "rules", "alerts_test.yml")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_a_rule_that_lets_duplicates_pass_is_found_out(self) -> None:
        """The test above is one that can fail."""
        written = (REPOSITORY / "dashboards/alerts.yml").read_text(encoding="utf-8")
        for right, wrong in (("chipgate_exit_ip_duplicates > 0", "chipgate_exit_ip_duplicates > 2"), ("[15m]) > 0", "[15m]) > 1")):
            self.assertIn(right, written)
            with tempfile.TemporaryDirectory() as made:
                folder = Path(made)
                (folder / "dashboards").mkdir()
                (folder / "tests/dashboards").mkdir(parents=True)
                (folder / "dashboards/alerts.yml").write_text(written.replace(right, wrong), encoding="utf-8")
                shutil.copy(HERE / "alerts_test.yml", folder / "tests/dashboards")
                done = promtool("test", "rules", "alerts_test.yml", folder=folder / "tests/dashboards")
                self.assertNotEqual(done.returncode, 0, wrong)


if __name__ == "__main__":
    if shutil.which("promtool") is None:
        print("no promtool: Debian has it in the package prometheus")
        sys.exit(SKIPPED)
    unittest.main()
