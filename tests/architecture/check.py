#!/usr/bin/env python3
"""Rules about the source tree that no compiler knows. Each prints `file:line: what is wrong` and is proved to catch
a violation by self_test.py.

    check.py            every rule
    check.py RULE...    some of them
    check.py --list     their names
"""

import argparse
import sys
from pathlib import Path
from typing import Callable, Iterator

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))
from dashboards import dashboard  # noqa: E402
from image import image  # noqa: E402
from layering import declared, dialing, layers, resolving  # noqa: E402
from text import format, length, top_level, words  # noqa: E402
from tree import REPOSITORY, Finding  # noqa: E402

RULES: dict[str, Callable[[Path], Iterator[Finding]]] = {
    rule.__name__: rule for rule in (layers, declared, dialing, resolving, format, words, top_level, length, dashboard, image)}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("rules", nargs="*", metavar="RULE", help="of " + " ".join(RULES))
    parser.add_argument("--root", type=Path, default=REPOSITORY)
    parser.add_argument("--list", action="store_true")
    arguments = parser.parse_args()
    if arguments.list:
        print("\n".join(RULES))
        return 0
    if unknown := [rule for rule in arguments.rules if rule not in RULES]:
        parser.error(f"no such rule: {', '.join(unknown)}")
    failed = False
    for name in arguments.rules or RULES:
        for finding in RULES[name](arguments.root.resolve()):
            print(f"{finding} [{name}]")
            failed = True
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
