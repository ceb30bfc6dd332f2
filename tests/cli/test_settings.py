"""Settings are read once, safe when absent, and production refuses what must not serve real people."""

import pytest

from approval.settings import Settings, SettingsRefused

REAL = {
    "APPROVAL_ENVIRONMENT": "production",
    "APPROVAL_SECRET_KEY": "a-key-from-the-vault",
    "APPROVAL_AUTHORITY": "/srv/authority",
    "APPROVAL_LOG": "/srv/log",
    "APPROVAL_ORIGIN": "https://approval.example",
}


def test_nothing_set_means_a_laptop():
    settings = Settings.from_env({})
    assert not settings.production
    assert settings.sqlalchemy_url.startswith("sqlite:///")
    assert settings.authority_folder == settings.instance / "authority"


def test_a_secret_may_stand_in_a_file(tmp_path):
    (tmp_path / "key").write_text("from a file\n")
    assert Settings.from_env({"APPROVAL_SECRET_KEY_FILE": str(tmp_path / "key")}).secret_key == "from a file"


def test_every_bad_number_is_told_at_once():
    with pytest.raises(SettingsRefused, match=r"PACK_FILES='many'.*IDLE_MINUTES='x'"):
        Settings.from_env({"APPROVAL_PACK_FILES": "many", "APPROVAL_IDLE_MINUTES": "x"})


def test_an_unknown_environment_is_refused():
    with pytest.raises(SettingsRefused, match="development or production"):
        Settings.from_env({"APPROVAL_ENVIRONMENT": "staging"})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DOORS", " "),
        ("ZONE", "Mars/Olympus"),
        ("PROXIES", "-3"),
        ("SWEEP_SECONDS", "-1"),
        ("SECRET_KEY_FILE", "/no/key"),
    ],
)
def test_a_setting_that_cannot_be_meant_is_refused_by_name(name, value):
    with pytest.raises(SettingsRefused, match=name):
        Settings.from_env({f"APPROVAL_{name}": value})


def test_production_starts_on_real_parts():
    assert Settings.from_env(REAL).production


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"APPROVAL_SECRET_KEY": ""}, "APPROVAL_SECRET_KEY_FILE"),
        ({"APPROVAL_AUTHORITY": "demo"}, "APPROVAL_AUTHORITY"),
        ({"APPROVAL_LOG": ""}, "APPROVAL_LOG"),
        ({"APPROVAL_AUTHORITY": "instance/authority"}, "APPROVAL_AUTHORITY"),
        ({"APPROVAL_ORIGIN": "http://approval.example"}, "APPROVAL_ORIGIN"),
        ({"APPROVAL_WORKER_HOSTS": "2"}, "APPROVAL_DATABASE_URL"),
    ],
)
def test_production_refuses_each_part_for_development_and_names_the_line(changed, named):
    with pytest.raises(SettingsRefused, match=named):
        Settings.from_env(REAL | changed)


def test_several_worker_machines_may_share_postgresql():
    settings = Settings.from_env(
        REAL | {"APPROVAL_WORKER_HOSTS": "2", "APPROVAL_DATABASE_URL": "postgresql://approval@db/approval"}
    )
    assert settings.sqlalchemy_url == "postgresql+psycopg://approval@db/approval"


def test_what_is_shown_masks_secrets():
    shown = Settings.from_env(REAL).shown()
    assert shown["APPROVAL_SECRET_KEY"] == "(set)"
    assert "vault" not in str(shown)


def test_what_is_shown_masks_the_password_of_the_database():
    shown = Settings.from_env({"APPROVAL_DATABASE_URL": "postgresql://approval:topsecret@db/approval"}).shown()
    assert shown["APPROVAL_DATABASE_URL"] == "postgresql://approval:***@db/approval"


def test_a_key_made_on_the_machine_stays_the_same_and_is_private(tmp_path):
    settings = Settings(instance=tmp_path / "instance")
    key = settings.form_key()
    assert len(key) > 40
    assert settings.form_key() == key
    assert (settings.instance / "secret-key").stat().st_mode & 0o777 == 0o600
