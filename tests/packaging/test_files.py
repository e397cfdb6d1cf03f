"""The files that an operator starts from: they name what exists, and say what is so."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from ngdaemon import cli
from ngdaemon.config.options import OPTIONS

PROJECT = Path(__file__).resolve().parents[2]


def test_the_sample_configuration_is_good(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([f"--config-file={PROJECT}/packaging/ngdaemon.conf", "--check-config"], {}) == 0
    assert "the configuration is good" in capsys.readouterr().out


def test_every_commented_option_of_the_sample_exists_and_shows_a_valid_value() -> None:
    lines = (PROJECT / "packaging/ngdaemon.conf").read_text().splitlines()
    shown = [line.removeprefix("# ").partition(" = ") for line in lines if re.match(r"# [a-z-]+ = ", line)]
    assert len(shown) > 15
    for name, _, text in shown:
        for value in text.split(";") if OPTIONS[name].repeated else [text]:
            OPTIONS[name].kind.read(value)


@pytest.mark.parametrize("page", sorted(path.stem for path in (PROJECT / "tools").glob("*_page.py")))
def test_documents_made_of_tables_are_current(page: str) -> None:
    command = [sys.executable, "-m", f"tools.{page}", "--check"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=PROJECT)
    assert done.returncode == 0, done.stderr


def test_variables_of_the_containers_are_options() -> None:
    names = re.findall(r"NGDAEMON_[A-Z_]+", _compositions() + (PROJECT / "Dockerfile").read_text())
    assert set(names) <= {option.variable for option in OPTIONS.values()}
    assert names


def test_what_the_images_are_made_of_exists_and_is_not_left_out() -> None:
    ignored = (PROJECT / ".dockerignore").read_text().splitlines()
    kept = {line.removeprefix("!") for line in ignored if line.startswith("!")}
    assert {"pyproject.toml", "ngdaemon", "packaging", "LICENSE", "README.md"} <= kept
    for name in re.findall(r"^COPY (?!--from)(\S+)", (PROJECT / "Dockerfile").read_text(), re.M):
        assert (PROJECT / name).exists()
    for name in re.findall(r"\./(\S+?):/", _compositions()):
        assert (PROJECT / name).exists()
    copied = re.findall(r"^COPY (.+) /", (PROJECT / "packaging/kamailio.Dockerfile").read_text(), re.M)
    assert copied == ["kamailio.cfg webrtc.cfg"]
    for name in copied[0].split():
        assert (PROJECT / "kamailio-config" / name).exists()


def test_settings_of_the_proxys_container_are_settings_of_its_configuration() -> None:
    known = re.findall(
        r"trydefenvs? ([A-Z0-9_]+)",
        "".join((PROJECT / "kamailio-config" / name).read_text() for name in ("kamailio.cfg", "webrtc.cfg")),
    )
    given = re.findall(r"(?m)^      ([A-Z0-9_]+):", _compositions())
    given = [name for name in given if not name.startswith("NGDAEMON_")]
    assert "TLS_KEY" in given
    assert set(given) <= set(known)


def _compositions() -> str:
    return (PROJECT / "compose.yaml").read_text() + (PROJECT / "compose.webrtc.yaml").read_text()


def test_the_image_is_not_root_and_checks_its_health() -> None:
    last_stage = (PROJECT / "Dockerfile").read_text().split("\nFROM ")[-1]
    assert "\nUSER ngdaemon\n" in last_stage
    assert '"ngdaemon", "--ping"' in last_stage


@pytest.mark.interop
def test_systemd_finds_nothing_wrong_with_the_unit_file(tmp_path: Path) -> None:
    unit = (PROJECT / "packaging/ngdaemon.service").read_text()
    copy = tmp_path / "ngdaemon.service"
    copy.write_text(unit.replace("/usr/local/bin/ngdaemon", sys.executable).replace("=ngdaemon\n", "=root\n"))
    done = subprocess.run(["systemd-analyze", "verify", copy], capture_output=True, text=True, timeout=60)
    assert [line for line in done.stderr.splitlines() if "ngdaemon.service" in line] == []
    assert done.returncode == 0, done.stderr
