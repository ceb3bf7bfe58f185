"""What every storage of recordings promises, whatever is behind it."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from recordings.storage import (
    ObjectMissing,
    ObjectStorage,
    StorageAway,
    StorageFull,
    as_storage_error,
    open_storage,
    recording_key,
    recording_prefix,
)
from webinar.core.ids import new_id

RECORDING = new_id()
KEY = recording_key(RECORDING, "p0001-000000.m4s")


@pytest.fixture(params=["folder", "memory"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStorage:
    urls: dict[str, Callable[[], str]] = {
        "folder": lambda: (tmp_path / "recordings of ours").as_uri(),
        "memory": lambda: "memory:///",
    }
    return open_storage(urls[request.param]())


async def test_what_was_put_comes_back_with_its_digest(storage: ObjectStorage) -> None:
    data = bytes(range(256)) * 40
    stored = await storage.put(KEY, data)
    assert (stored.key, stored.size, stored.sha256) == (KEY, 10240, hashlib.sha256(data).hexdigest())
    assert await storage.get(KEY) == data
    assert await storage.size(KEY) == 10240


async def test_putting_again_replaces(storage: ObjectStorage) -> None:
    await storage.put(KEY, b"a longer first text")
    await storage.put(KEY, b"second")
    assert await storage.get(KEY) == b"second"


@pytest.mark.parametrize(("start", "end", "piece"), [(0, 4, b"0123"), (4, 99, b"456789"), (10, 12, b"")])
async def test_a_range_is_clipped_to_the_object(
    storage: ObjectStorage, start: int, end: int, piece: bytes
) -> None:
    await storage.put(KEY, b"0123456789")
    assert await storage.get_range(KEY, start, end) == piece


async def test_a_folder_lists_its_own_objects_only(storage: ObjectStorage) -> None:
    other = recording_key(new_id(), "index.m3u8")
    names = ["p0001-000001.m4s", "index.m3u8", "p0001-init.mp4"]
    keys = [recording_key(RECORDING, name) for name in names]
    for key in [*keys, other]:
        await storage.put(key, b"x")
    assert await storage.list(recording_prefix(RECORDING)) == sorted(keys)
    assert await storage.list(recording_prefix(new_id())) == []


async def test_what_is_not_there_is_missing(storage: ObjectStorage) -> None:
    with pytest.raises(ObjectMissing):
        await storage.get(KEY)
    with pytest.raises(ObjectMissing):
        await storage.get_range(KEY, 0, 1)
    with pytest.raises(ObjectMissing):
        await storage.size(KEY)


async def test_deleting_twice_is_harmless(storage: ObjectStorage) -> None:
    await storage.put(KEY, b"x")
    await storage.delete(KEY)
    await storage.delete(KEY)
    assert await storage.list(recording_prefix(RECORDING)) == []


async def test_a_full_disk_is_told_apart_and_leaves_what_is_there(tmp_path: Path) -> None:
    storage = open_storage(tmp_path.as_uri())
    await storage.put(KEY, b"kept")
    storage.keep_free = 1 << 60
    with pytest.raises(StorageFull):
        await storage.put(KEY, b"too much")
    assert await storage.get(KEY) == b"kept"
    storage.keep_free = 0
    await storage.put(KEY, b"room again")
    assert await storage.get(KEY) == b"room again"


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        (
            "Unable to copy data to file: No space left on device (os error 28)",
            StorageFull,
        ),
        ("Unable to copy data to file: Disk quota exceeded (os error 122)", StorageFull),
        ("Server returned non-2xx status code: 507 Insufficient Storage: XMinioStorageFull", StorageFull),
        ("error sending request for url: connection refused", StorageAway),
        ("Unable to open file: Permission denied (os error 13)", StorageAway),
    ],
)
def test_errors_of_stores_are_sorted_by_what_helps(said: str, meant: type[Exception]) -> None:
    assert type(as_storage_error(OSError(said))) is meant


@pytest.mark.parametrize("name", ["../secret", "Judul Kuliah.mp4", "p1-init.mp4", "index.m3u8/x", ""])
def test_a_key_is_never_made_from_what_people_type(name: str) -> None:
    with pytest.raises(ValueError, match="name"):
        recording_key(RECORDING, name)
    with pytest.raises(ValueError, match="id"):
        recording_key("../../etc", "index.m3u8")
