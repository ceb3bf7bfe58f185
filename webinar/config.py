"""Settings, from the environment only. Each one is documented in docs/operations.md."""

from functools import cached_property
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from webinar.media.servers import MAIN, Server, WrongServers, servers_of


def sqlite_in(data: Path) -> str:
    """The URL of the database that an installation has in its folder."""
    return f"sqlite+aiosqlite:///{data / 'pendopo.db'}"


class Settings(BaseSettings):
    """Read once at the start of a process, then frozen. Names in the environment begin with PENDOPO_."""

    model_config = SettingsConfigDict(env_prefix="PENDOPO_", frozen=True, extra="ignore")

    public_url: str = "http://127.0.0.1:8080"
    host: str = "127.0.0.1"
    port: int = 8080
    hooks_host: str = "127.0.0.1"
    hooks_port: int = 8081
    data: Path = Path("data")
    # After `data`, which it is in unless it is said.
    database_url: str = Field(default_factory=lambda said: sqlite_in(said["data"]))
    storage_url: str = ""

    media_url: str = "http://127.0.0.1:7880"
    media_public_url: str = "ws://127.0.0.1:7880"
    media_api_key: str = "pendopo"
    media_api_secret: SecretStr = SecretStr("")
    media_previous_api_key: str = ""
    media_previous_api_secret: SecretStr = SecretStr("")
    media_servers: Path | None = None

    link_key: SecretStr = SecretStr("")
    session_days: int = Field(default=14, ge=1, le=365)
    trusted_proxies: int = Field(default=0, ge=0, le=5)

    smtp_host: str = "127.0.0.1"
    smtp_port: int = 25
    smtp_security: Literal["none", "starttls", "tls"] = "none"
    smtp_user: str = ""
    smtp_password: SecretStr = SecretStr("")
    mail_from: str = "Pendopo <pendopo@localhost>"
    organizer_address: str = "undangan@localhost"

    metrics_token: SecretStr = SecretStr("")

    log_format: Literal["console", "json"] = "console"
    demonstration: bool = False
    mail_inbox_url: str = ""

    @property
    def storage(self) -> str:
        """Where recordings are kept: a URL, by default a folder of `data`."""
        return self.storage_url or (self.data / "recordings").resolve().as_uri()

    @property
    def secure(self) -> bool:
        """Whether people reach the site over TLS; cookies are then sent over TLS only."""
        return self.public_url.startswith("https://")

    @cached_property
    def pool(self) -> tuple[Server, ...]:
        """The media servers: those of the file that is named, else the single one of the other settings.

        Raises:
            WrongServers: the file cannot be read, or what it says cannot be.
        """
        if self.media_servers is None:
            return (self._single,)
        try:
            text = self.media_servers.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise WrongServers(f"it cannot be read ({error})") from error
        return servers_of(text)

    @property
    def _single(self) -> Server:
        return Server(
            name=MAIN,
            url=self.media_url,
            public_url=self.media_public_url,
            key=self.media_api_key,
            secret=self.media_api_secret.get_secret_value(),
            previous_key=self.media_previous_api_key,
            previous_secret=self.media_previous_api_secret.get_secret_value(),
        )

    @property
    def link_key_bytes(self) -> bytes:
        return self.link_key.get_secret_value().encode()
