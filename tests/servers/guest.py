"""Somebody in a room, in a process of their own, so that they can vanish.

`python -m tests.servers.guest URL TOKEN`
Says "in" when connected, leaves in order when a line comes in, and is gone without a word when killed.
"""

import asyncio
import sys

from livekit import rtc


async def main(url: str, token: str) -> None:
    room = rtc.Room()
    await room.connect(url, token)
    print("in", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    await room.disconnect()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
