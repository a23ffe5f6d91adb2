#!/usr/bin/env python3
"""A TCP forwarder in user space such as docker-proxy: copies both ways, and a reset on one side is a close on the other.

  forwarder.py PORT...      listens once for each, and says where as one JSON line"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys

PIECE = 65536


async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Until the end or the reset; the other side hears of either in the same way."""
    with contextlib.suppress(OSError):
        while data := await reader.read(PIECE):
            writer.write(data)
            await writer.drain()
    with contextlib.suppress(OSError):
        writer.write_eof()


async def serve(port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        to_reader, to_writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        writer.close()
        return
    await asyncio.gather(copy(reader, to_writer), copy(to_reader, writer))
    for one in (writer, to_writer):
        one.close()


async def main(ports: list[int]) -> None:
    listening = {}
    for port in ports:
        server = await asyncio.start_server(lambda r, w, port=port: serve(port, r, w), "127.0.0.1", 0)
        listening[port] = server.sockets[0].getsockname()[1]
    print(json.dumps({"forwards": listening}), flush=True)
    await asyncio.Event().wait()


asyncio.run(main([int(port) for port in sys.argv[1:]]))
