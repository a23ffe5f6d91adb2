#!/usr/bin/env python3
"""curl, driven by jobs: a command for each."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import jobs
from jobs import Job

AUTHORITY = sys.argv[1]
# What is killed is curl itself, so it does not outlive this program.
GUARD = ["setpriv", "--pdeathsig", "KILL", "--"] if shutil.which("setpriv") else []


def curl(job: Job, *arguments: str, body: bytes | None = None) -> bytes:
    done = subprocess.run([*GUARD, "curl", "-sS", "--cacert", AUTHORITY, "-x", job["proxy"], "--max-time",
                           str(job.get("limit", 0)), *arguments], input=body, capture_output=True)
    if done.returncode != 0:
        raise RuntimeError(done.stderr.decode().strip())
    return done.stdout


def page(job: Job) -> Job:
    body, status = curl(job, "-w", "\n%{http_code}", job["url"]).decode().rsplit("\n", 1)
    return {"status": int(status), "body": body}


def upload(job: Job) -> Job:
    return {"body": curl(job, "--data-binary", "@-", job["url"], body=jobs.pattern(job["bytes"])).decode()}


def download(job: Job) -> Job:
    data = curl(job, job["url"])
    return {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def together(job: Job) -> Job:
    count = len(job["urls"])
    with tempfile.TemporaryDirectory() as folder:
        outputs = [Path(folder) / str(number) for number in range(count)]
        pairs = [part for output, url in zip(outputs, job["urls"]) for part in ("-o", str(output), url)]
        curl(job, "--parallel", "--parallel-immediate", "--parallel-max", str(count), *pairs)
        return {"bodies": [output.read_text() for output in outputs]}


jobs.serve({"page": page, "upload": upload, "download": download, "together": together})
