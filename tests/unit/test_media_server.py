"""The configuration of the media server, and where its program is looked for."""

import json
import socket
from pathlib import Path
from typing import Any

import pytest

from webinar.media.server import (
    MediaServerError,
    Ports,
    ServerOptions,
    configuration,
    find_binary,
    free_ports,
)

SECRET = "s" * 43


def configured(**changes: Any) -> dict[str, Any]:
    given: dict[str, Any] = {"ports": Ports(7880, 7881, 7882), "keys": {"key": SECRET}, "webhook_key": "key"}
    return json.loads(configuration(ServerOptions(**(given | changes))))  # type: ignore[no-any-return]  # a JSON object


def test_by_default_it_serves_this_machine_only() -> None:
    config = configured()

    assert (config["port"], config["bind_addresses"]) == (7880, ["127.0.0.1"])
    assert config["rtc"] == {
        "tcp_port": 7881,
        "udp_port": 7882,
        "node_ip": "127.0.0.1",
        "use_external_ip": False,
        "stun_servers": ["127.0.0.1:9"],
    }
    assert "webhook" not in config


def test_rooms_may_come_back_by_themselves_after_a_crash() -> None:
    assert configured(empty_timeout_s=60, departure_timeout_s=30)["room"] == {
        "auto_create": True,
        "empty_timeout": 60,
        "departure_timeout": 30,
    }


def test_the_webhook_queue_is_deep_and_old_and_without_tracks() -> None:
    assert configured(webhook_urls=("http://127.0.0.1:1/hook",))["webhook"] == {
        "api_key": "key",
        "urls": ["http://127.0.0.1:1/hook"],
        "resource_url_notifier": {"max_depth": 50_000, "max_age": "10m"},
        "filter_params": {"exclude_events": ["track_published", "track_unpublished"]},
    }


def test_no_log_line_can_hold_a_token_or_a_name() -> None:
    assert configured()["logging"]["level"] == "error"


def test_secrets_are_not_shown_with_the_options() -> None:
    assert SECRET not in repr(ServerOptions(Ports(1, 2, 3), {"key": SECRET}, "key"))


def test_free_ports_can_be_bound() -> None:
    ports = free_ports()

    assert ports.http != ports.tcp
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind(("", ports.udp))


def test_a_program_of_another_version_is_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = tmp_path / "livekit-server"
    other.write_text("#!/bin/sh\necho livekit-server version 1.9.0\n")
    other.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr("webinar.media.server.BUILT", tmp_path / "absent")

    with pytest.raises(MediaServerError, match=r"mediaserver/build\.sh"):
        find_binary()


def test_the_right_version_on_the_path_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    right = tmp_path / "livekit-server"
    right.write_text("#!/bin/sh\necho livekit-server version 1.13.5\n")
    right.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

    assert find_binary() == right
