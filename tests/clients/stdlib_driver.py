#!/usr/bin/env python3
"""Python's standard library, driven by jobs: urllib where it is enough, http.client otherwise."""

from __future__ import annotations

import hashlib
import http.client
import socket
import urllib.parse
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import jobs
from jobs import Job


def opener(job: Job) -> urllib.request.OpenerDirector:
    return urllib.request.build_opener(urllib.request.ProxyHandler({"https": job["proxy"]}))


def page(job: Job) -> Job:
    with opener(job).open(job["url"]) as answer:
        return {"status": answer.status, "body": answer.read().decode()}


def upload(job: Job) -> Job:
    proxy, url = urllib.parse.urlsplit(job["proxy"]), urllib.parse.urlsplit(job["url"])
    connection = http.client.HTTPSConnection(str(proxy.hostname), proxy.port)
    connection.set_tunnel(str(url.hostname), 443)
    connection.request("POST", url.path, jobs.pattern(job["bytes"]))
    return {"body": connection.getresponse().read().decode()}


def download(job: Job) -> Job:
    with opener(job).open(job["url"]) as answer:
        data = answer.read()
    return {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def together(job: Job) -> Job:
    with ThreadPoolExecutor(len(job["urls"])) as pool:
        answers = pool.map(lambda url: page({**job, "url": url}), job["urls"])
        return {"bodies": [answer["body"] for answer in answers]}


def half_close(job: Job) -> Job:
    proxy = urllib.parse.urlsplit(job["proxy"])
    connection = http.client.HTTPConnection(str(proxy.hostname), proxy.port)
    connection.set_tunnel(job["host"], job["port"])
    connection.connect()
    connection.sock.sendall(job["message"].encode())
    connection.sock.shutdown(socket.SHUT_WR)
    answer = b""
    while data := connection.sock.recv(65536):
        answer += data
    return {"answer": answer.decode()}


jobs.serve({"page": page, "upload": upload, "download": download, "together": together, "half_close": half_close})
