"""The sole reader of the environment: SRE_KB_* variables and one optional TOML file become a frozen `Settings`.
Inner code never sees it; `api.wiring` hands plain values on."""

import difflib
import ipaddress
import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict
from pydantic_settings.sources import TomlConfigSettingsSource

from kb.errors import InvalidInput

PREFIX = "SRE_KB_"
CONFIG_VARIABLE = "SRE_KB_CONFIG"
DEFAULT_CONFIG_FILE = "sre-kb.toml"

# Names under our prefix that are not ours to judge: the file's own, what the test suite and benchmarks read, and what
# Kubernetes injects into every pod of a namespace that has a Service called "sre-kb".
_FOREIGN = re.compile(
    r"SRE_KB_(CONFIG|BENCH_DIR|FORBID_SKIPS|TEST_\w+|SERVICE_(HOST|PORT)(_\w+)?|PORT_\d+_(TCP|UDP)(_\w+)?)"
)
_SERVICE_LINK = re.compile(r"(tcp|udp)://.*")
_BASE_PATH = re.compile(r"(/[A-Za-z0-9._~-]+)+")
_HOST_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252})")


class SettingsInvalid(InvalidInput):
    """A variable or a key of the configuration file has a value that cannot be used."""

    def __init__(self, name: str, reason: str, *, advice: str) -> None:
        super().__init__(name, reason, advice=advice)
        self.message = f"{name} {reason}."  # reads as a sentence: the reasons begin with a verb
        self.args = (self.message,)


class Settings(BaseSettings):
    """Everything that can be set. A field `port` is the variable SRE_KB_PORT and the key `port` of the TOML file."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, extra="forbid", env_ignore_empty=True, validate_default=False
    )

    runbooks_dir: Path = Field(
        Path("runbooks"), description="The folder of Markdown runbooks. Created from the bundled ones when missing."
    )
    data_dir: Path = Field(
        Path("data"), description="The folder for the database, the caches and the search index. Created when missing."
    )
    database_url: SecretStr = Field(
        SecretStr(""),
        description="A SQLAlchemy URL, such as postgresql+psycopg://user:password@host/sre_kb. "
        "Empty: a SQLite file in the data folder.",
    )
    host: str = Field(
        "127.0.0.1",
        description="The address to listen on. Any other than loopback also needs `allow_unauthenticated`.",
    )
    port: int = Field(8080, ge=0, le=65535, description="The port to listen on; 0 picks a free one.")
    base_path: str = Field("", description="The path prefix under which a proxy serves this, such as /sre-kb.")
    allow_unauthenticated: bool = Field(
        False,
        description="Listen on an address that others can reach although nobody has to identify themselves. "
        "Whoever reaches the port may then read and change every runbook.",
    )
    allowed_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Host names that browsers may use for this server, separated by commas, beside loopback names and "
        "plain IP addresses. `*` accepts every name and gives up the protection against DNS rebinding.",
    )
    embedding_model: str = Field(
        "",
        description="A sentence-transformers model by name or path. Empty: all-MiniLM-L6-v2 from its package, offline.",
    )
    synonyms_file: Path | None = Field(
        None, description="Your organisation's own words: a text file, one group of comma-separated synonyms a line."
    )
    severity_policy: Annotated[Mapping[str, Any], NoDecode] = Field(
        {},
        description="What each severity obliges people to: a table of the TOML file, or as a variable the path of a "
        "TOML file that holds it. Empty: the default policy.",
    )
    watch: bool = Field(True, description="Watch the runbooks folder while serving and index what is saved.")
    docs: bool | None = Field(
        None, description="Serve /docs and /openapi.json. Unset: only when listening on loopback."
    )
    max_body_bytes: int = Field(1 << 20, ge=1 << 10, le=1 << 27, description="The largest request body accepted.")
    max_webhook_body_bytes: int = Field(
        2 << 20, ge=1 << 10, le=1 << 27, description="The largest alert payload accepted by POST /runbooks/search."
    )
    max_concurrent_searches: int = Field(
        0, ge=0, le=64, description="Searches that run at once; others wait in line. 0: one for each processor core."
    )
    max_waiting_requests: int = Field(
        64, ge=1, le=10_000, description="Requests of one kind that may wait in line before others are turned away."
    )
    shutdown_grace_s: float = Field(
        8.0, ge=0, le=300, description="Seconds that running requests get to finish when the server is told to stop."
    )
    log_format: Literal["text", "json"] = Field("text", description="How log lines look: for people or for machines.")
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="The least level that is logged."
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings

    @field_validator("port", mode="before")
    @classmethod
    def _ignore_service_link(cls, value: Any) -> Any:
        # Kubernetes sets SRE_KB_PORT=tcp://10.0.0.7:80 in pods beside a Service named "sre-kb": not meant for us.
        return 8080 if isinstance(value, str) and _SERVICE_LINK.fullmatch(value) else value

    @field_validator("severity_policy", mode="before")
    @classmethod
    def _check_policy(cls, value: Any) -> Any:
        from kb.severity_policy_config import policy_from  # only where somebody has written a policy

        table = _policy_file(Path(value)) if isinstance(value, str) else value
        policy_from(table)
        return table

    @field_validator("allowed_hosts", mode="before")
    @classmethod
    def _split_hosts(cls, value: Any) -> Any:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("allowed_hosts")
    @classmethod
    def _check_hosts(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for host in value:
            if host != "*" and not _is_host(host):
                raise ValueError(f"holds {host!r}, which is no host name (no scheme, no port, no path)")
        return tuple(host.strip("[]").lower() for host in value)

    @field_validator("base_path")
    @classmethod
    def _check_base_path(cls, value: str) -> str:
        value = value.rstrip("/")
        if value and not _BASE_PATH.fullmatch(value):
            raise ValueError("is not a path such as /sre-kb")
        return value

    @field_validator("host")
    @classmethod
    def _check_host(cls, value: str) -> str:
        if not _is_host(value):
            raise ValueError("is no address or host name")
        return value.strip("[]")

    @field_validator("database_url")
    @classmethod
    def _check_database_url(cls, value: SecretStr) -> SecretStr:
        url = value.get_secret_value()
        if url and not re.match(r"(sqlite|postgresql)(\+\w+)?://", url):
            raise ValueError("starts with neither sqlite:// nor postgresql://")
        return value

    @model_validator(mode="after")
    def _refuse_open_door(self) -> "Settings":
        if not self.is_loopback and not self.allow_unauthenticated:
            raise ValueError("open door")
        return self

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach the server."""
        if self.host.lower() == "localhost":
            return True
        return is_address(self.host) and ipaddress.ip_address(self.host).is_loopback

    @property
    def docs_enabled(self) -> bool:
        """Whether /docs and /openapi.json are served."""
        return self.is_loopback if self.docs is None else self.docs

    @property
    def sqlalchemy_url(self) -> str:
        """Where the records live."""
        return self.database_url.get_secret_value() or f"sqlite:///{(self.data_dir / 'sre-kb.db').absolute()}"


def _policy_file(path: Path) -> Mapping[str, object]:
    """The policy in a file: its table `severity_policy`, or all of it."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as exc:
        raise ValueError(f"cannot be read ({exc.strerror})") from None
    except ValueError as exc:  # both TOML syntax and text that is not UTF-8
        raise ValueError(f"is not TOML ({exc})") from None
    own = table.get("severity_policy", table)
    return own if isinstance(own, Mapping) else table


def is_address(host: str) -> bool:
    """Whether `host` is a plain IP address rather than a name."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _is_host(text: str) -> bool:
    return bool(_HOST_NAME.fullmatch(text)) or is_address(text.strip("[]"))


def load_settings(environ: Mapping[str, str] | None = None, **overrides: object) -> Settings:
    """Read the settings: `overrides` (command line options) before environment before TOML file before defaults.

    Raises `SettingsInvalid` that names the variable or key, its value and the remedy.
    """
    environ = os.environ if environ is None else environ
    _refuse_unknown_names(environ)
    file = _config_file(environ)
    from_file = _read_file(file) if file else {}
    given = {name: value for name, value in overrides.items() if value is not None}
    set_in_env = {name for name in Settings.model_fields if environ.get(PREFIX + name.upper())}
    below = {name: value for name, value in from_file.items() if name not in set_in_env}
    try:
        return Settings(**{**below, **given})  # type: ignore[arg-type]  # checked by pydantic, that is the point
    except ValidationError as exc:
        if not exc.errors()[0]["loc"]:
            raise _open_door(given.get("host") or environ.get("SRE_KB_HOST") or from_file.get("host")) from None
        raise _first_problem(exc, environ=environ, file=file, given=given) from None


def _refuse_unknown_names(environ: Mapping[str, str]) -> None:
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    for name in sorted(environ):
        if not name.upper().startswith(PREFIX) or name.upper() in known or _FOREIGN.fullmatch(name.upper()):
            continue
        close = difflib.get_close_matches(name.upper(), known, n=1)
        advice = f"Did you mean {close[0]}?" if close else "Remove it; the documentation lists all settings."
        raise SettingsInvalid(name, "is not a setting of this release", advice=advice)


def _config_file(environ: Mapping[str, str]) -> Path | None:
    named = environ.get(CONFIG_VARIABLE)
    if named:
        if not Path(named).is_file():
            raise SettingsInvalid(
                CONFIG_VARIABLE, f"names {named!r}, which is no file", advice="Correct the path, or unset the variable."
            )
        return Path(named)
    default = Path(DEFAULT_CONFIG_FILE)
    return default if default.is_file() else None


def _read_file(path: Path) -> Mapping[str, object]:
    try:
        values = TomlConfigSettingsSource(Settings, toml_file=path)()
    except ValueError as exc:  # both TOML syntax and text that is not UTF-8
        raise SettingsInvalid(str(path), f"cannot be read as TOML ({exc})", advice="Correct that line.") from None
    except OSError as exc:
        raise SettingsInvalid(str(path), f"cannot be read ({exc.strerror})", advice="Check its permissions.") from None
    for key in values:
        if key not in Settings.model_fields:
            close = difflib.get_close_matches(key, Settings.model_fields, n=1)
            raise SettingsInvalid(
                f"{key} in {path}",
                "is not a setting of this release",
                advice=f"Did you mean {close[0]}?" if close else "Remove the line.",
            )
    return values


def _first_problem(
    exc: ValidationError, *, environ: Mapping[str, str], file: Path | None, given: Mapping[str, object]
) -> SettingsInvalid:
    error = exc.errors()[0]
    name = str(error["loc"][0])
    variable = PREFIX + name.upper()
    if name in given:
        label = f"--{name.replace('_', '-')}"
    elif environ.get(variable):
        label = variable
    else:
        label = f"{name} in {file}"
    reason = _reason(error)
    shown = "" if name == "database_url" else f" is {_shorten(error['input'])}, which"
    default = Settings.model_fields[name].default
    advice = (
        f"Correct it or remove it; the default is {default!r}." if default and shown else "Correct it or remove it."
    )
    return SettingsInvalid(label, f"{shown.strip()} {reason}".strip(), advice=advice.replace("PosixPath", ""))


def _reason(error: Any) -> str:
    kind, context = error["type"], error.get("ctx", {})
    if kind in ("int_parsing", "int_type", "int_from_float"):
        return "is not a whole number"
    if kind in ("float_parsing", "float_type"):
        return "is not a number"
    if kind in ("bool_parsing", "bool_type"):
        return "is neither true nor false"
    if kind == "greater_than_equal":
        return f"is less than {context['ge']}"
    if kind == "less_than_equal":
        return f"is more than {context['le']}"
    if kind == "literal_error":
        return f"is none of {context['expected']}"
    if kind == "value_error":
        return str(context["error"])
    return f"cannot be used ({error['msg']})"


def _open_door(host: object) -> SettingsInvalid:
    return SettingsInvalid(
        "SRE_KB_HOST",
        f"is {_shorten(host)}, which others can reach, and this release cannot tell them apart yet",
        advice="Use 127.0.0.1 and put a proxy with authentication in front, or set SRE_KB_ALLOW_UNAUTHENTICATED=true "
        "to let everyone who reaches the port read and change every runbook.",
    )


def _shorten(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
