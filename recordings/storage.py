"""Where recordings are kept: a folder or an S3 bucket, by URL.

`Storage` is the port, `ObjectStorage` its implementation over `obstore`. Keys are made from ids of the
database and from names this module knows, never from titles or anything else a person typed.
"""

import asyncio
import hashlib
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

import obstore
from obstore import exceptions as failures
from obstore.store import LocalStore, MemoryStore, ObjectStore, from_url

from webinar.core.ids import is_id

_NAME = re.compile(r"(index|master)\.m3u8|p\d{4}-(init\.mp4|\d{6}\.m4s)")
# What file systems (ENOSPC 28, EFBIG 27, EDQUOT 122) and S3 servers say when there is no room.
_NO_ROOM = re.compile(
    r"os error (28|27|122)\b|No space left|StorageFull|QuotaExceeded|InsufficientStorage|\b507\b",
    re.IGNORECASE,
)


class StorageError(Exception):
    """The storage did not do what was asked."""


class StorageFull(StorageError):  # noqa: N818 - it reads as a sentence where it is raised
    """There is no room; what is there is untouched, and trying again helps once somebody makes room."""


class StorageAway(StorageError):  # noqa: N818 - it reads as a sentence where it is raised
    """The storage cannot be reached, or refuses us; trying again may help."""


class ObjectMissing(StorageError):  # noqa: N818 - it reads as a sentence where it is raised
    """Nothing is stored under the key."""


class ObjectDamaged(StorageError):  # noqa: N818 - it reads as a sentence where it is raised
    """What came back is not what was handed in."""


@dataclass(frozen=True, slots=True)
class Stored:
    """One stored object: `size` in bytes, `sha256` of its content in hexadecimal."""

    key: str
    size: int
    sha256: str


class Storage(Protocol):
    """Whole objects under keys. Every call raises a `StorageError` when it fails."""

    async def put(self, key: str, data: bytes) -> Stored:
        """Keep the bytes, all or nothing, in place of what was there; the digest is of what arrived."""

    async def get(self, key: str) -> bytes:
        """The whole object."""

    async def get_range(self, key: str, start: int, end: int) -> bytes:
        """Bytes `start` to `end`, the latter excluded; less when the object is shorter."""

    async def size(self, key: str) -> int:
        """Bytes of the object."""

    async def list(self, prefix: str) -> Sequence[str]:
        """The keys below a folder, sorted."""

    async def delete(self, key: str) -> None:
        """Forget the object; none there is as good."""


def recording_prefix(recording_id: str) -> str:
    """The folder of one recording."""
    if not is_id(recording_id):
        raise ValueError("a recording's folder is named by its id")
    return f"recordings/{recording_id}"


def recording_key(recording_id: str, name: str) -> str:
    """The key of one file of a recording.

    Raises:
        ValueError: the id is no id, or the name is not one a recording has.
    """
    if not _NAME.fullmatch(name):
        raise ValueError("no file of a recording has such a name")
    return f"{recording_prefix(recording_id)}/{name}"


def sha256(data: bytes) -> str:
    """Digest of the bytes, hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def as_storage_error(error: Exception) -> StorageError:
    """What an error of the library means for us."""
    if isinstance(error, failures.NotFoundError | FileNotFoundError):
        return ObjectMissing("nothing is stored under this key")
    text = str(error)
    if _NO_ROOM.search(text):
        return StorageFull("the storage has no room left")
    return StorageAway(text.splitlines()[0][:200] if text else type(error).__name__)


class ObjectStorage:
    """Storage over any store of `obstore`.

    `folder` is the folder of a local store: there, at least `keep_free` bytes are left free, because the
    database usually lives on the same disk and must be able to write when recordings fill it.
    """

    def __init__(self, store: ObjectStore, *, folder: Path | None = None, keep_free: int = 0) -> None:
        self._store = store
        self._folder = folder
        self.keep_free = keep_free

    async def put(self, key: str, data: bytes) -> Stored:
        if self._folder and shutil.disk_usage(self._folder).free < len(data) + self.keep_free:
            raise StorageFull("the disk of the recordings has no room left")
        digest = sha256(data)
        try:
            await obstore.put_async(self._store, key, data, use_multipart=False)
            arrived = await self._arrived(key)
        except (failures.BaseError, OSError) as error:
            raise as_storage_error(error) from error
        if arrived != digest:
            raise ObjectDamaged(f"{key} did not arrive as it was sent")
        return Stored(key, len(data), digest)

    async def _arrived(self, key: str) -> str:
        """Digest of what is stored now; a segment is a few hundred kilobytes, so reading it back is cheap."""
        data = await (await obstore.get_async(self._store, key)).bytes_async()
        return await asyncio.to_thread(sha256, bytes(data))

    async def get(self, key: str) -> bytes:
        try:
            return bytes(await (await obstore.get_async(self._store, key)).bytes_async())
        except (failures.BaseError, OSError) as error:
            raise as_storage_error(error) from error

    async def get_range(self, key: str, start: int, end: int) -> bytes:
        end = min(end, await self.size(key))
        if start >= end:
            return b""
        try:
            return bytes(await obstore.get_range_async(self._store, key, start=start, end=end))
        except (failures.BaseError, OSError) as error:
            raise as_storage_error(error) from error

    async def size(self, key: str) -> int:
        try:
            return int((await obstore.head_async(self._store, key))["size"])
        except (failures.BaseError, OSError) as error:
            raise as_storage_error(error) from error

    async def list(self, prefix: str) -> Sequence[str]:
        try:
            found = [str(one["path"]) async for page in obstore.list(self._store, prefix) for one in page]
        except (failures.BaseError, OSError) as error:
            raise as_storage_error(error) from error
        return sorted(found)

    async def delete(self, key: str) -> None:
        try:
            await obstore.delete_async(self._store, key)
        except (failures.BaseError, OSError) as error:
            if not isinstance(wrong := as_storage_error(error), ObjectMissing):
                raise wrong from error


def open_storage(url: str, *, keep_free: int = 0) -> ObjectStorage:
    """The storage behind a URL: `file:///folder` (made when missing), `s3://bucket/prefix` or `memory:///`.

    S3 takes its keys, region and endpoint from the usual AWS_* variables, and checks SHA-256 on arrival.
    """
    parts = urlsplit(url)
    if parts.scheme == "memory":
        return ObjectStorage(MemoryStore())
    if parts.scheme == "file":
        folder = Path(unquote(parts.path))
        folder.mkdir(parents=True, exist_ok=True)
        return ObjectStorage(LocalStore(folder), folder=folder, keep_free=keep_free)
    if parts.scheme == "s3":
        return ObjectStorage(from_url(url, checksum_algorithm="sha256"))
    raise ValueError("recordings are kept under file:// or s3://")
