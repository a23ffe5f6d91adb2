"""A client under test as a program: jobs come as JSON lines, and each is answered by a line with its id."""

from __future__ import annotations

import json
import sys
import threading
import time
from typing import Any, Callable

Job = dict[str, Any]
# What media are made of; the tests know it by heart.
PATTERN = bytes(range(251))


def pattern(count: int) -> bytes:
    return (PATTERN * (count // len(PATTERN) + 1))[:count]


def serve(tasks: dict[str, Callable[[Job], Job]]) -> None:
    """Says that it is ready, then runs each job as it comes, all at the same time, until stdin ends. `at`, in seconds of
    Unix time, is when it was answered."""
    printing = threading.Lock()

    def run(job: Job) -> None:
        started = time.monotonic()
        try:
            answer = tasks[job["task"]](job)
        except Exception as error:  # whatever a client throws is what the test asks about
            answer = {"error": f"{type(error).__name__}: {error}"}
        line = json.dumps({"id": job["id"], "at": time.time(), "seconds": time.monotonic() - started, **answer})
        with printing:
            print(line, flush=True)

    print(json.dumps({"event": "ready"}), flush=True)
    for text in sys.stdin:
        threading.Thread(target=run, args=(json.loads(text),), daemon=True).start()
