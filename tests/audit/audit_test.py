#!/usr/bin/env python3
"""The audit itself: once where only looks can see a move, once where every reply names the exit."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
import audit  # noqa: E402
from world import Plan  # noqa: E402

# Another one is another life: CHIPGATE_AUDIT_SEED=7.
SEED = int(os.environ.get("CHIPGATE_AUDIT_SEED", "1"))
# Where the log and the ledger of a run stay that failed.
KEPT = Path(os.environ.get("CHIPGATE_BUILD_DIR", tempfile.gettempdir())) / "audit"


class Audit(unittest.TestCase):
    def assert_clean(self, plan: Plan) -> audit.Result:
        folder = Path(tempfile.mkdtemp(prefix="chipgate-audit-"))
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        result = audit.run(plan, folder)
        print(result.text(), flush=True)
        if result.violations:
            shutil.rmtree(KEPT, ignore_errors=True)
            shutil.copytree(folder, KEPT)
        self.assertEqual(result.violations, [], f"{len(result.violations)} violations; evidence in {KEPT}")
        return result

    def test_where_only_looks_see_a_move(self) -> None:
        result = self.assert_clean(Plan(seed=SEED))
        self.assertGreaterEqual(result.figures["kills"], 20)

    def test_where_every_reply_names_the_exit(self) -> None:
        result = self.assert_clean(Plan(seed=SEED + 1, reply_headers=True))
        self.assertGreaterEqual(result.figures["kills"], 20)
        self.assertEqual(result.figures["exposure"], "none")


if __name__ == "__main__":
    unittest.main()
