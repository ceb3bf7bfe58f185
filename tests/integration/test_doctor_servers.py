"""What the doctor says of several media servers."""

from pathlib import Path

from tests.servers.livekit import RunningLiveKit
from webinar import doctor
from webinar.config import Settings

SERVER = """
[[server]]
name = "{name}"
url = "{url}"
public_url = "wss://{name}.example"
api_key = "{key}"
api_secret = "{secret}"
capacity = 100
"""


def settings(file: Path) -> Settings:
    return Settings(media_servers=file, link_key="k" * 32)  # type: ignore[arg-type]  # pydantic makes a secret of it


async def test_each_server_is_asked_and_named_with_what_to_correct(
    livekit: RunningLiveKit, tmp_path: Path
) -> None:
    file = tmp_path / "media.toml"
    known = {"url": livekit.http_url, "key": livekit.key, "secret": livekit.secret}
    listed = [
        {"name": "satu", **known},
        {"name": "dua", **known, "url": "http://127.0.0.1:9"},
        {
            "name": "tiga",
            **known,
            "url": livekit.http_url.replace("127.0.0.1", "localhost"),
            "key": "stranger",
        },
    ]
    file.write_text("".join(SERVER.format(**one) for one in listed), "utf-8")
    well, away, refused = await doctor._media_servers(settings(file), None)
    assert (well.well, well.detail) == (True, f"satu: answers at {livekit.http_url}")
    assert (away.well, away.detail.partition(":")[0]) == (False, "dua")
    assert away.advice == f"start it, or correct url in {file} (http://127.0.0.1:9)"
    assert (refused.well, refused.detail.partition(":")[0]) == (False, "tiga")
    assert (
        refused.advice
        == f"set api_key and api_secret in {file} to a pair of the media server's configuration"
    )
    assert livekit.secret not in repr([well, away, refused])


async def test_a_file_that_is_wrong_is_named_with_its_reason(tmp_path: Path) -> None:
    file = tmp_path / "media.toml"
    file.write_text("[[server]]\nname = 'satu'", "utf-8")
    [found] = await doctor._media_servers(settings(file), None)
    assert not found.well
    assert found.detail.startswith(f"{file}: satu: ")
    assert "PENDOPO_MEDIA_SERVERS" in found.advice
