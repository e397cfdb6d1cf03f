"""The image's install script in a clean Debian root, and a daemon that runs from there without any privilege.

The root has its own network namespace in which only loopback is up; the script itself, which installs packages, runs in
the host's network.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.interop

PROJECT = Path(__file__).resolve().parents[2]
# How this machine reaches its package sources: so does the root.
HOST_FILES = ("etc/resolv.conf", "etc/hosts")
HOST_VARIABLES = ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_TRUSTED_HOST", "http_proxy", "https_proxy", "no_proxy")
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
SECONDS = 300

SESSION = """
ngdaemon --no-log-timestamps & daemon=$!
for try in $(seq 100); do ngdaemon --ping 2>/dev/null && break; sleep 0.1; done
python3 - <<'END'
import socket
sdp = "v=0\\r\\no=- 1 1 IN IP4 127.0.0.9\\r\\ns=-\\r\\nc=IN IP4 127.0.0.9\\r\\nt=0 0\\r\\nm=audio 4000 RTP/AVP 0\\r\\n"
request = {"call-id": "c", "command": "offer", "from-tag": "f", "sdp": sdp}
body = "d" + "".join(f"{len(word)}:{word}" for pair in request.items() for word in pair) + "e"
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as proxy:
    proxy.settimeout(5)
    proxy.sendto(b"cookie " + body.encode(), ("127.0.0.1", 2223))
    print("offer:", proxy.recv(65535).decode())
END
kill -TERM $daemon
wait $daemon
echo "exit code $?"
"""


def run(command: list[str], **more: object) -> str:
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=SECONDS, **more)  # type: ignore[call-overload]
    assert done.returncode == 0, done.stdout
    return str(done.stdout)


def sources() -> list[str]:
    """The package sources of this machine's own release."""
    known = sorted(Path("/etc/apt").glob("sources.list.d/*.sources")) + sorted(Path("/etc/apt").glob("**/*.list"))
    return [str(path) for path in known if "debian" in path.read_text().lower()]


def release() -> str:
    lines = Path("/etc/os-release").read_text().splitlines()
    return next(line.partition("=")[2] for line in lines if line.startswith("VERSION_CODENAME="))


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A clean Debian with nothing but what every Debian has, and the files that the image is made of."""
    folder = tmp_path_factory.mktemp("debian") / "root"
    run(["mmdebstrap", "--quiet", "--variant=essential", "--include=apt", release(), str(folder), *sources()])
    for name in HOST_FILES:
        if Path("/", name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(Path("/", name), folder / name)
    if CERTIFICATES.exists():
        shutil.copy(CERTIFICATES, folder / "certificates.crt")
    listing = ["git", "-C", str(PROJECT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    for name in run(listing).split("\0"):
        if name.split("/")[0] in ("LICENSE", "README.md", "pyproject.toml", "ngdaemon", "packaging"):
            (folder / "source" / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(PROJECT / name, folder / "source" / name)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def inside(root: Path, *command: str, user: str = "", alone: bool = False) -> str:
    """Run a command in the root, with processes (and on demand a network) of its own."""
    separate = ["unshare", "--mount", "--pid", "--fork", "--kill-child", *(["--net"] if alone else [])]
    prepare = f"mount -t proc proc {root}/proc; {'ip link set lo up; ' if alone else ''}exec chroot "
    prepare += f"--userspec={user}:{user} {root}" if user else str(root)
    environment = {name: os.environ[name] for name in HOST_VARIABLES if name in os.environ}
    environment |= {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}
    if CERTIFICATES.exists():
        environment["PIP_CERT"] = "/certificates.crt"
    return run([*separate, "sh", "-c", f'{prepare} "$@"', "sh", *command], env=environment)


def test_a_clean_debian_becomes_a_media_gateway(root: Path) -> None:
    inside(root, "/source/packaging/install.sh")
    assert (root / "etc/ngdaemon/ngdaemon.conf").read_text() == (PROJECT / "packaging/ngdaemon.conf").read_text()

    told = inside(root, "sh", "-c", SESSION, user="ngdaemon", alone=True)

    assert "settings from /etc/ngdaemon/ngdaemon.conf" in told
    assert "pong" in told
    assert "6:result2:ok" in told
    assert told.rstrip().endswith("exit code 0")


def test_installing_again_keeps_the_operators_settings(root: Path) -> None:
    settings = root / "etc/ngdaemon/ngdaemon.conf"
    settings.write_text("[rtpengine]\ntimeout = 77\n")
    inside(root, "/source/packaging/install.sh", "runtime")
    assert settings.read_text() == "[rtpengine]\ntimeout = 77\n"
    assert "the configuration is good" in inside(root, "ngdaemon", "--check-config")
