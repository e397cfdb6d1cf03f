"""The files that an operator starts from: they name what exists, and say what is so."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

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
    assert {"pyproject.toml", "ngdaemon", "native", "packaging", "LICENSE", "README.md"} <= kept
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


def test_the_image_is_built_with_rust_on_the_debian_that_it_runs_on() -> None:
    build, last = re.findall(r"(?m)^FROM (\S+)", (PROJECT / "Dockerfile").read_text())
    assert build.startswith("rust:")
    assert build.partition("slim-")[2] == last.removeprefix("debian:").removesuffix("-slim")


def test_the_native_forwarder_has_the_version_that_the_extra_asks_for() -> None:
    ours = _metadata("pyproject.toml")["project"]
    version = _metadata("native/Cargo.toml")["workspace"]["package"]["version"]
    assert ours["optional-dependencies"]["native"] == [f"ngdaemon-native=={version}"]
    assert ours["version"] == version


def _metadata(name: str) -> dict[str, Any]:
    return tomllib.loads((PROJECT / name).read_text())


@pytest.mark.parametrize(
    ("version", "enough"), [("1.9.0", False), ("{}.0", True), ("1.1000.0-nightly", True), ("2.0.0", True)]
)
def test_the_native_forwarder_is_built_where_rust_is_new_enough(tmp_path: Path, version: str, enough: bool) -> None:
    needed = _metadata("native/Cargo.toml")["workspace"]["package"]["rust-version"]
    path = _tools(tmp_path, cargo="", cc="", rustc=f"echo 'rustc {version.format(needed)} (59807616e 2026-04-14)'")
    assert (_script("has-rust.sh", path).returncode == 0) == enough


@pytest.mark.parametrize("missing", ["cargo", "cc", "rustc"])
def test_the_native_forwarder_is_not_built_without_its_tools(tmp_path: Path, missing: str) -> None:
    tools = {"cargo": "", "cc": "", "rustc": "echo 'rustc 1000.0.0 (59807616e 2026-04-14)'"}
    done = _script("has-rust.sh", _tools(tmp_path, **{name: tools[name] for name in tools if name != missing}))
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "")


def test_wheels_are_not_begun_where_a_target_is_missing(tmp_path: Path) -> None:
    rustc = f"[ $1 = --version ] && echo 'rustc 1000.0.0' || echo {tmp_path}/nothing"
    done = _script("wheels.sh", _tools(tmp_path, cargo="", cc="", rustc=rustc), "aarch64-unknown-linux-gnu")
    assert done.returncode == 1
    assert done.stderr == "wheels.sh: first, rustup target add aarch64-unknown-linux-gnu\n"


def _tools(folder: Path, **scripts: str) -> Path:
    """A folder with the usual tools, and those that are played by a line of shell."""
    for name in ("sh", "sed", "cut", "sort", "head", "dirname"):
        (folder / name).symlink_to(str(shutil.which(name)))
    for name, line in scripts.items():
        (folder / name).write_text(f"#!/bin/sh\n{line}\n")
        (folder / name).chmod(0o755)
    return folder


def _script(name: str, path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(PROJECT / "packaging" / name), *arguments]
    environment = os.environ | {"PATH": str(path)}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)


@pytest.mark.interop
def test_systemd_finds_nothing_wrong_with_the_unit_file(tmp_path: Path) -> None:
    unit = (PROJECT / "packaging/ngdaemon.service").read_text()
    copy = tmp_path / "ngdaemon.service"
    copy.write_text(unit.replace("/usr/local/bin/ngdaemon", sys.executable).replace("=ngdaemon\n", "=root\n"))
    done = subprocess.run(["systemd-analyze", "verify", copy], capture_output=True, text=True, timeout=60)
    assert [line for line in done.stderr.splitlines() if "ngdaemon.service" in line] == []
    assert done.returncode == 0, done.stderr
