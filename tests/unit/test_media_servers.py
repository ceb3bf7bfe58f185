"""The list of media servers: what it may say, and how clearly it is refused."""

from pathlib import Path

import pytest

from webinar.config import Settings
from webinar.media.servers import MAIN, Server, WrongServers, keys_of, servers_of
from webinar.processes import WrongSettings, require_secrets

SECRET = "a-secret-of-at-least-thirty-two-characters"
ONE = f"""
[[server]]
name = "satu"
url = "http://10.0.0.5:7880"
public_url = "wss://satu.example.go.id"
api_key = "key"
api_secret = "{SECRET}"
capacity = 600
"""
TWO = ONE + ONE.replace("satu", "dua").replace("10.0.0.5", "10.0.0.6") + "drain = true\n"


def test_a_file_names_several_servers() -> None:
    one, two = servers_of(TWO)
    assert one == Server("satu", "http://10.0.0.5:7880", "wss://satu.example.go.id", "key", SECRET, 600)
    assert (two.name, two.drain, two.signal_url) == ("dua", True, "ws://10.0.0.6:7880")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "one table"),
        ("servers = []", "one table"),
        ("[[server", "no TOML"),
        ("server = [1]", "no table"),
        (ONE.replace("satu", "Satu Besar"), "needs a name"),
        (ONE.replace('url = "http:', 'uri = "http:'), "satu: url not set"),
        (ONE + "capcity = 5", "no setting capcity"),
        (ONE.replace("600", "0"), "number of people"),
        (ONE.replace("600", "true"), "number of people"),
        (ONE.replace("http://10", "ftp://10"), "url has to look like"),
        (
            ONE.replace("wss://satu.example.go.id", "https://satu.example.go.id"),
            "public_url has to look like",
        ),
        (
            ONE.replace("wss://satu.example.go.id", "wss://satu.example; script-src *"),
            "public_url has to look",
        ),
        (ONE.replace("5:7880", "5:788000"), "url has to look like"),
        (ONE.replace(SECRET, "short"), "api_secret has to have at least 32"),
        (ONE + 'previous_api_key = "old"', "previous_api_secret has to have"),
        (ONE.replace('"key"', '""'), "api_key is empty"),
        (ONE + 'drain = "yes"', "drain has to be true or false"),
        (ONE + ONE, "two servers have the name satu"),
        (ONE + ONE.replace('"satu"', '"dua"'), "two servers have the url"),
        (TWO.replace(f'"{SECRET}"', f'"{SECRET}x"', 1), "the key key has another secret"),
    ],
)
def test_what_cannot_be_is_refused_with_its_reason_and_no_secret(text: str, said: str) -> None:
    with pytest.raises(WrongServers, match=said) as refused:
        servers_of(text)
    assert SECRET not in str(refused.value)


def test_secrets_do_not_show_when_a_server_is_printed() -> None:
    more = f'previous_api_key = "old"\nprevious_api_secret = "{SECRET}"'
    assert SECRET not in repr(servers_of(ONE + more))


def test_webhooks_of_every_server_are_taken_with_old_keys_too() -> None:
    more = f'previous_api_key = "old"\nprevious_api_secret = "{SECRET}"'
    other = ONE.replace("satu", "dua").replace("10.0.0.5", "10.0.0.6").replace('"key"', '"other"')
    assert keys_of(servers_of(ONE + more + other)) == dict.fromkeys(("key", "old", "other"), SECRET)


def settings(file: Path | None, **more: object) -> Settings:
    return Settings(link_key="k" * 32, media_servers=file, **more)  # type: ignore[arg-type]  # pydantic reads it


def test_the_settings_of_a_single_server_mean_a_pool_of_one() -> None:
    [server] = settings(None, media_url="http://10.0.0.5:7880", media_api_secret=SECRET).pool
    assert (server.name, server.url, server.secret, server.drain) == (
        MAIN,
        "http://10.0.0.5:7880",
        SECRET,
        False,
    )


def test_a_file_of_servers_needs_no_settings_of_a_single_one(tmp_path: Path) -> None:
    file = tmp_path / "media.toml"
    file.write_text(TWO, "utf-8")
    require_secrets(settings(file))
    assert [server.name for server in settings(file).pool] == ["satu", "dua"]


@pytest.mark.parametrize("content", [None, b"\xff", b"[[server]]"])
def test_a_process_does_not_start_with_a_file_that_is_wrong(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "media.toml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(WrongSettings, match=r"PENDOPO_MEDIA_SERVERS .*media\.toml"):
        require_secrets(settings(file))
