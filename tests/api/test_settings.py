"""Settings: where they come from, what is refused and in which words."""

from pathlib import Path

import pytest

from api.settings import Settings, SettingsInvalid, load_settings


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("RUNBOOKS_DIR", "DATA_DIR", "DATABASE_URL", "HOST", "PORT", "CONFIG", "BENCH_DIR", "FORBID_SKIPS"):
        monkeypatch.delenv(f"SRE_KB_{name}", raising=False)


def test_without_any_variable_the_server_listens_on_loopback_with_sqlite_in_the_data_folder(tmp_path: Path) -> None:
    settings = load_settings()
    assert (settings.host, settings.port, settings.base_path) == ("127.0.0.1", 8080, "")
    assert settings.runbooks_dir == Path("runbooks")
    assert settings.sqlalchemy_url == f"sqlite:///{tmp_path}/data/sre-kb.db"
    assert settings.docs_enabled


def test_options_win_over_the_environment_which_wins_over_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("sre-kb.toml").write_text('port = 81\nhost = "::1"\nlog_format = "json"\n', encoding="utf-8")
    monkeypatch.setenv("SRE_KB_PORT", "82")
    settings = load_settings(host="127.0.0.2")
    assert (settings.host, settings.port, settings.log_format) == ("127.0.0.2", 82, "json")


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load_settings().port = 1  # type: ignore[misc]  # the point of the test


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("PORT", "abc", "SRE_KB_PORT is 'abc', which is not a whole number."),
        ("PORT", "70000", "SRE_KB_PORT is '70000', which is more than 65535."),
        ("PORT", "-1", "SRE_KB_PORT is '-1', which is less than 0."),
        ("LOG_FORMAT", "xml", "SRE_KB_LOG_FORMAT is 'xml', which is none of 'text' or 'json'."),
        ("DOCS", "maybe", "SRE_KB_DOCS is 'maybe', which is neither true nor false."),
        ("BASE_PATH", "kb", "SRE_KB_BASE_PATH is 'kb', which is not a path such as /sre-kb."),
        ("DATABASE_URL", "mysql://u:secret@h", "SRE_KB_DATABASE_URL starts with neither sqlite:// nor postgresql://."),
        (
            "ALLOWED_HOSTS",
            "kb.example.com,http://x",
            "SRE_KB_ALLOWED_HOSTS is 'kb.example.com,http://x', which holds 'http://x', "
            "which is no host name (no scheme, no port, no path).",
        ),
        ("CONFIG", "/nowhere.toml", "SRE_KB_CONFIG names '/nowhere.toml', which is no file."),
        ("RUNBOOK_DIR", "x", "SRE_KB_RUNBOOK_DIR is not a setting of this release."),
    ],
)
def test_a_wrong_value_is_one_sentence_that_names_variable_and_value(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, sentence: str
) -> None:
    monkeypatch.setenv(f"SRE_KB_{name}", value)
    with pytest.raises(SettingsInvalid) as caught:
        load_settings()
    assert caught.value.message == sentence
    assert caught.value.advice


def test_a_misspelt_variable_is_told_what_it_probably_means(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SRE_KB_RUNBOOK_DIR", "x")
    with pytest.raises(SettingsInvalid) as caught:
        load_settings()
    assert caught.value.advice == "Did you mean SRE_KB_RUNBOOKS_DIR?"


def test_a_wrong_key_of_the_file_is_named_with_the_file() -> None:
    Path("sre-kb.toml").write_text("ports = 1\n", encoding="utf-8")
    with pytest.raises(SettingsInvalid) as caught:
        load_settings()
    assert caught.value.message == "ports in sre-kb.toml is not a setting of this release."
    assert caught.value.advice == "Did you mean port?"


def test_a_wrong_value_in_the_file_is_named_with_the_file() -> None:
    Path("sre-kb.toml").write_text('port = "x"\n', encoding="utf-8")
    with pytest.raises(SettingsInvalid) as caught:
        load_settings()
    assert caught.value.message == "port in sre-kb.toml is 'x', which is not a whole number."


@pytest.mark.parametrize("content", [b"port = \n", b"\xff\xfe", b"[port\n"])
def test_a_file_that_is_not_toml_is_refused(content: bytes) -> None:
    Path("sre-kb.toml").write_bytes(content)
    with pytest.raises(SettingsInvalid, match="cannot be read as TOML"):
        load_settings()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.1.2.3", "kb.example.com"])  # noqa: S104  # refused, that is the test
def test_an_address_that_others_reach_is_refused_without_authentication(
    monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    monkeypatch.setenv("SRE_KB_HOST", host)
    with pytest.raises(SettingsInvalid, match=r"SRE_KB_HOST is .*, which others can reach"):
        load_settings()
    monkeypatch.setenv("SRE_KB_ALLOW_UNAUTHENTICATED", "true")
    settings = load_settings()
    assert settings.host == host
    assert not settings.docs_enabled


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "[::1]", "localhost"])
def test_loopback_addresses_need_no_permission(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    monkeypatch.setenv("SRE_KB_HOST", host)
    assert load_settings().is_loopback


def test_variables_that_kubernetes_injects_for_a_service_of_our_name_are_not_settings(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SRE_KB_PORT", "tcp://10.0.0.7:80")
    monkeypatch.setenv("SRE_KB_SERVICE_HOST", "10.0.0.7")
    monkeypatch.setenv("SRE_KB_PORT_80_TCP_ADDR", "10.0.0.7")
    assert load_settings().port == 8080


def test_an_empty_variable_counts_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SRE_KB_PORT", "")
    assert load_settings().port == 8080


def test_the_password_of_the_database_is_in_no_printed_form(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SRE_KB_DATABASE_URL", "postgresql+psycopg://kb:hunter2@db/kb")
    assert "hunter2" not in repr(load_settings())


def test_every_setting_says_what_it_is_for() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []
