"""Writing a recording to storage as HLS while it grows.

Each segment is put first, then told to the caller, then named in the playlist. A crash in between leaves a
segment without a name; the next writer finds it and adds it. All three steps may be done twice.
"""

import asyncio
import io
from collections import deque
from collections.abc import Awaitable, Callable
from itertools import count

import av
import structlog

from recordings.playlist import (
    INDEX,
    MASTER,
    Entry,
    Playlist,
    init_name,
    master,
    parse,
    part_of,
    segment_name,
)
from recordings.rules import Segment, wait_before
from recordings.storage import (
    ObjectMissing,
    Storage,
    StorageError,
    recording_key,
    recording_prefix,
    sha256,
)

log = structlog.get_logger()

OnSegment = Callable[[Segment], Awaitable[None]]


class HlsWriter:
    """Writes one recording; `open` first, then `add` as often as wanted, and `close`.

    What cannot be written is kept in order and tried again for ever: `backlog` says how much waits, `trouble`
    why. `on_segment` may be called twice for the same segment (after a crash), and must not mind.
    """

    def __init__(self, storage: Storage, recording_id: str, on_segment: OnSegment) -> None:
        self._storage = storage
        self._id = recording_id
        self._on_segment = on_segment
        self._waiting: deque[tuple[Entry, bytes]] = deque()
        self._more = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._task: asyncio.Task[None] | None = None
        self._part = 0
        self._number = 0
        self.playlist = Playlist()
        self.trouble: Exception | None = None

    @property
    def backlog(self) -> int:
        """Files that wait to be written."""
        return len(self._waiting)

    @property
    def waiting_ms(self) -> int:
        """The duration of what waits to be written."""
        return sum(entry.duration_ms for entry, _ in self._waiting)

    async def open(self) -> None:
        """Reads what a former writer left, and begins to write.

        Raises:
            StorageError: the storage does not answer.
        """
        self.playlist = await self._stored_playlist()
        names = [key.rsplit("/", 1)[1] for key in await self._storage.list(recording_prefix(self._id))]
        await self._adopt(names)
        self._part = max([0, *(int(name[1:5]) for name in names if name.startswith("p"))])
        if not names:
            await self._storage.put(self._key(MASTER), master().encode())
        self._task = asyncio.create_task(self._write_all(), name=f"recording {self._id}")

    async def _stored_playlist(self) -> Playlist:
        try:
            return parse((await self._storage.get(self._key(INDEX))).decode())
        except ObjectMissing:
            return Playlist()

    async def _adopt(self, names: list[str]) -> None:
        """Takes segments that arrived in storage, but not in the playlist."""
        known = {entry.name for entry in self.playlist.entries}
        for name in names:
            part = part_of(name)
            if part is None or name in known:
                continue
            init = await self._storage.get(self._key(init_name(part)))
            data = await self._storage.get(self._key(name))
            last = self.playlist.entries[-1] if self.playlist.entries else None
            started_at = last.started_at + last.duration_ms if last else 0
            entry = Entry(name, await asyncio.to_thread(picture_ms, init + data), started_at)
            await self._tell(entry, data)
            self.playlist = self.playlist.with_entry(entry)
            log.info("segment_adopted", recording=self._id, segment=name)

    def begin_part(self) -> None:
        """What is added from now on belongs to a new part, with an init segment of its own."""
        self._part += 1
        self._number = 0

    def add_init(self, data: bytes, started_at: int) -> None:
        """Takes the part's init segment."""
        self._append(Entry(init_name(self._part), 0, started_at), data)

    def add(self, data: bytes, started_at: int, duration_ms: int) -> None:
        """Takes the part's next segment; `started_at` in Unix ms."""
        self._append(Entry(segment_name(self._part, self._number), duration_ms, started_at), data)
        self._number += 1

    def _append(self, entry: Entry, data: bytes) -> None:
        self._waiting.append((entry, data))
        self._idle.clear()
        self._more.set()

    async def _write_all(self) -> None:
        failures = 0
        while True:
            await self._more.wait()
            self._more.clear()
            while self._waiting:
                try:
                    await self._write(*self._waiting[0])
                except Exception as error:
                    # Whatever the reason, what was recorded is kept and tried again: only memory bounds it.
                    if self.trouble is None:
                        log.warning("segment_not_written", recording=self._id, error=str(error))
                    self.trouble = error
                    await asyncio.sleep(wait_before(failures))
                    failures += 1
                else:
                    self._waiting.popleft()
                    self.trouble, failures = None, 0
            self._idle.set()

    async def _write(self, entry: Entry, data: bytes) -> None:
        await self._storage.put(self._key(entry.name), data)
        await self._tell(entry, data)
        if entry.duration_ms:
            await self._name(self.playlist.with_entry(entry))

    async def _tell(self, entry: Entry, data: bytes) -> None:
        key, digest = self._key(entry.name), sha256(data)
        await self._on_segment(
            Segment(self._id, entry.name, key, entry.started_at, entry.duration_ms, len(data), digest)
        )

    async def _name(self, playlist: Playlist) -> None:
        await self._storage.put(self._key(INDEX), playlist.render().encode())
        self.playlist = playlist

    async def drained(self) -> None:
        """Waits until everything taken so far is written."""
        await self._idle.wait()

    async def close(self, *, ended: bool, patience_s: float) -> bool:
        """Writes what waits, for so long at most; `ended` says in the playlist that nothing will follow.

        Gives whether everything was written.
        """
        try:
            async with asyncio.timeout(patience_s):
                await self.drained()
                if ended:
                    await self._say_the_end()
        except TimeoutError:
            return False
        finally:
            if self._task:
                self._task.cancel()
                await asyncio.wait([self._task])
        return True

    async def _say_the_end(self) -> None:
        for attempt in count():
            try:
                await self._name(Playlist(self.playlist.entries, ended=True))
            except StorageError as error:
                self.trouble = error
                await asyncio.sleep(wait_before(attempt))
            else:
                return

    def _key(self, name: str) -> str:
        return recording_key(self._id, name)


def picture_ms(data: bytes) -> int:
    """The duration of the pictures in an init segment and a fragment, in ms."""
    with av.open(io.BytesIO(data), "r") as container:
        stream = container.streams.video[0]
        packets = [packet for packet in container.demux(stream) if packet.pts is not None]
        if not packets or stream.time_base is None:
            return 1
        start = min(packet.pts for packet in packets if packet.pts is not None)
        end = max((packet.pts or 0) + (packet.duration or 0) for packet in packets)
        return max(1, round((end - start) * stream.time_base * 1000))
