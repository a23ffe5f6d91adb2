"""What a dashboard shows and what an alert asks for has to exist."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Iterator

from tree import Finding, files


def metric_families(root: Path) -> dict[str, tuple[str, set[str]]]:
    """name -> (type, labels), as the metrics table has them."""
    table = (root / "include/chipgate/telemetry/metrics.hpp").read_text(encoding="utf-8")
    rows = re.findall(r'\bX\((\w+),\s*(counter|gauge|histogram),\s*"([^"]*)"', table)
    return {name: (kind, {label for label in labels.split(",") if label}) for name, kind, labels in rows}


def expressions(node: object) -> Iterator[str]:
    """Every query of a dashboard that was read as JSON."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key in {"expr", "query", "definition"} and isinstance(value, str):
                yield value
            else:
                yield from expressions(value)
    elif isinstance(node, list):
        for value in node:
            yield from expressions(value)


def rules(text: str) -> list[str]:
    """Every expression of a file of alerts, each on one line: they are read without a YAML parser, which is no part of
    Python."""
    return re.findall(r"^\s*(?:-\s+)?expr:\s*(.*)$", text, re.MULTILINE)


def metrics_in(query: str) -> list[str]:
    return list(dict.fromkeys(re.findall(r"\b(?:chipgate|process)_\w+", query)))


def dashboard(root: Path) -> Iterator[Finding]:
    """Every metric and label that a dashboard or an alert names exists, and a counter is never shown raw."""
    families = metric_families(root)
    anywhere = {"job", "instance", "le"}
    for path in files(root, "dashboards", suffixes=(".json", ".yml")):
        text = (root / path).read_text(encoding="utf-8")

        def at(piece: str) -> int:
            place = text.find(json.dumps(piece)[1:-1])
            return text.count("\n", 0, max(place, 0)) + 1

        try:
            queries = rules(text) if path.suffix == ".yml" else list(expressions(json.loads(text)))
        except json.JSONDecodeError as error:
            yield Finding(path, error.lineno, f"not JSON: {error.msg}")
            continue
        if not queries:
            yield Finding(path, 1, "shows nothing")
        for query in queries:
            if re.match(r"[|>]|$", query):
                yield Finding(path, at("expr: " + query), "an alert's expression stands on one line")
            labels = set(anywhere)
            for name in metrics_in(query):
                family = name
                if family not in families:
                    family = re.sub(r"_(bucket|sum|count)$", "", name)
                    if families.get(family, ("",))[0] != "histogram":
                        yield Finding(path, at(query), f"{name} is in no row of the metrics table")
                        continue
                kind, own = families[family]
                labels |= own
                increasing = kind in {"counter", "histogram"}
                if increasing and not re.search(rf"\b(i?rate|increase|label_values)\s*\([^()]*\b{name}\b", query):
                    yield Finding(path, at(query), f"{name} only ever grows; show its rate or increase")
            used = {label for group in re.findall(r"\b(?:by|without)\s*\(([^)]*)\)", query) for label in group.split(",")}
            used |= {label for group in re.findall(r"\{([^}]*)\}", query) for label in re.findall(r"(\w+)\s*[=!]", group)}
            if match := re.match(r"label_values\(.*,\s*(\w+)\)$", query):
                used.add(match[1])
            for label in sorted(label.strip() for label in used if label.strip()):
                if label not in labels:
                    yield Finding(path, at(query), f"no metric of this query has the label {label}")
