"""Settings: each one documented, none of them secret in a log."""

import re
from pathlib import Path

import pytest

from webinar.config import Settings
from webinar.instance import CannotStart, keys_of, locked, prepare, read, settings_of, write
from webinar.up_plan import UpSettings, plan

OPERATIONS = Path(__file__).parents[2] / "docs" / "operations.md"


def names() -> set[str]:
    return {f"PENDOPO_{name.upper()}" for name in (*Settings.model_fields, *UpSettings.model_fields)}


def test_every_setting_is_documented_and_every_documented_setting_exists() -> None:
    rows = re.findall(r"^\| `(PENDOPO_[A-Z_]+)` \|", OPERATIONS.read_text("utf-8"), re.MULTILINE)
    assert set(rows) == names()
    assert len(rows) == len(set(rows))


def test_secrets_do_not_show_when_settings_are_printed() -> None:
    secret = "a-secret-that-nobody-should-read-123"
    settings = Settings(
        link_key=secret, media_api_secret=secret, media_previous_api_secret=secret, smtp_password=secret
    )
    assert secret not in repr(settings)


def test_keys_are_made_once_and_readable_for_their_owner_only(tmp_path: Path) -> None:
    prepare(tmp_path / "data")
    first = keys_of(tmp_path / "data")
    assert keys_of(tmp_path / "data") == first
    assert len(first["PENDOPO_LINK_KEY"]) >= 32
    assert (tmp_path / "data" / "keys.env").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "data").stat().st_mode & 0o777 == 0o700


def test_the_environment_wins_over_what_was_chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "settings.env", {"PENDOPO_PORT": "1111", "PENDOPO_SMTP_HOST": "chosen"})
    monkeypatch.setenv("PENDOPO_SMTP_HOST", "asked.example")
    settings = settings_of(tmp_path)
    assert (settings.port, settings.smtp_host, settings.data) == (1111, "asked.example", tmp_path)


def test_the_database_is_in_the_folder_that_a_command_is_given_unless_the_environment_names_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PENDOPO_DATABASE_URL", raising=False)
    assert settings_of(tmp_path).database_url == f"sqlite+aiosqlite:///{tmp_path}/pendopo.db"
    monkeypatch.setenv("PENDOPO_DATABASE_URL", "postgresql+asyncpg://db/pendopo")
    assert settings_of(tmp_path).database_url == "postgresql+asyncpg://db/pendopo"


def test_a_value_survives_its_file_whatever_it_holds(tmp_path: Path) -> None:
    values = {"PENDOPO_MAIL_FROM": "Pendopo # Kota <a@b.example>", "PENDOPO_STORAGE_URL": "file:///a b"}
    write(tmp_path / "settings.env", values)
    assert read(tmp_path / "settings.env") == values
    assert settings_of(tmp_path).mail_from == values["PENDOPO_MAIL_FROM"]


def test_two_do_not_run_on_one_folder(tmp_path: Path) -> None:
    with locked(tmp_path), pytest.raises(CannotStart, match="runs already"):
        locked(tmp_path)
    locked(tmp_path).close()


def a_plan(tmp_path: Path, public_url: str = "", **environ: str) -> dict[str, str]:
    made = plan(
        environ=environ,
        keys={"PENDOPO_MEDIA_API_KEY": "key", "PENDOPO_MEDIA_API_SECRET": "s" * 32},
        before={},
        data=tmp_path,
        port=8080,
        public_url=public_url,
        demonstration=False,
    )
    node_ip = made.media.node_ip if made.media else "elsewhere"
    return {**made.environment, "node_ip": node_ip, "catching": str(made.catching is not None)}


def test_media_is_on_loopback_for_the_demonstration(tmp_path: Path) -> None:
    assert a_plan(tmp_path)["node_ip"] == "127.0.0.1"


def test_media_is_at_the_machines_address_and_on_known_ports_with_a_public_url(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PENDOPO_MEDIA_NODE_IP", "198.51.100.7")
    made = a_plan(tmp_path, "https://pendopo.example")
    assert made["node_ip"] == "198.51.100.7"
    assert made["PENDOPO_MEDIA_PUBLIC_URL"] == "wss://pendopo.example"
    assert (made["PENDOPO_MEDIA_TCP_PORT"], made["PENDOPO_MEDIA_UDP_PORT"]) == ("7881", "7882")


def test_what_runs_elsewhere_is_not_started(tmp_path: Path) -> None:
    made = a_plan(tmp_path, PENDOPO_MEDIA_URL="http://media.example", PENDOPO_SMTP_HOST="mail.example")
    assert (made["node_ip"], made["catching"]) == ("elsewhere", "False")
    assert made["PENDOPO_SMTP_HOST"] == "mail.example"


@pytest.mark.parametrize("url", ["pendopo.example", "ftp://pendopo.example", "https://pendopo.example/path"])
def test_a_public_url_that_is_none_is_refused_before_anything_starts(tmp_path: Path, url: str) -> None:
    with pytest.raises(CannotStart, match="no public URL"):
        a_plan(tmp_path, url)
