"""Command line, environment and file, laid over each other."""

import pytest

from ngdaemon.config.sources import Given, Problems, Sources, gather, split

FILE = "/etc/rtpengine/rtpengine.conf"


def sources(
    command_line: dict[str, tuple[str, ...]] | None = None,
    environment: dict[str, str] | None = None,
    files: dict[str, str] | None = None,
) -> tuple[Sources, Problems]:
    problems = Problems()

    def read(path: str) -> str:
        try:
            return (files or {})[path]
        except KeyError:
            raise FileNotFoundError(path) from None

    return gather(command_line or {}, environment or {}, read, problems), problems


def test_the_command_line_wins_over_the_environment_and_that_over_the_file() -> None:
    found, problems = sources(
        {"port-min": ("1000",)},
        {"NGDAEMON_PORT_MIN": "2000", "NGDAEMON_PORT_MAX": "2999"},
        {FILE: "[rtpengine]\nport-min = 3000\nport-max = 3999\ntimeout = 30\n"},
    )
    assert found.options["port-min"] == Given(("1000",), "command line")
    assert found.options["port-max"] == Given(("2999",), "NGDAEMON_PORT_MAX")
    assert found.options["timeout"] == Given(("30",), FILE)
    assert problems == Problems()


def test_a_repeatable_option_is_taken_whole_from_one_place() -> None:
    found, _ = sources(
        {"interface": ("a/192.0.2.1",)}, {}, {FILE: "[rtpengine]\ninterface = b/192.0.2.2;c/192.0.2.3\n"}
    )
    assert found.options["interface"].texts == ("a/192.0.2.1",)


def test_values_of_a_repeatable_option_are_joined_by_semicolons() -> None:
    found, _ = sources(
        {}, {"NGDAEMON_LISTEN_NG": "2223; [::1]:2224;"}, {FILE: "[rtpengine]\ninterface=a/192.0.2.1;b/192.0.2.2"}
    )
    assert found.options["listen-ng"].texts == ("2223", "[::1]:2224")
    assert found.options["interface"].texts == ("a/192.0.2.1", "b/192.0.2.2")
    assert split(r"a\;b;c") == ("a;b", "c")


def test_a_semicolon_in_a_single_value_parts_nothing() -> None:
    found, _ = sources({}, {}, {FILE: "[rtpengine]\nsoftware-id = a;b\n"})
    assert found.options["software-id"].texts == ("a;b",)


def test_our_own_file_is_taken_before_that_of_rtpengine() -> None:
    files = {FILE: "[rtpengine]\ntimeout = 1\n", "/etc/ngdaemon/ngdaemon.conf": "[rtpengine]\ntimeout = 2\n"}
    assert sources(files=files)[0].options["timeout"].texts == ("2",)


def test_without_any_file_nothing_is_wrong() -> None:
    found, problems = sources()
    assert found.path is None
    assert problems == Problems()


def test_no_file_is_read_when_none_is_asked_for() -> None:
    found, _ = sources({"config-file": ("none",)}, {}, {FILE: "[rtpengine]\ntimeout = 1\n"})
    assert found.options.keys() == {"config-file"}


def test_file_and_section_can_be_named_by_environment() -> None:
    found, _ = sources(
        {},
        {"NGDAEMON_CONFIG_FILE": "/my.conf", "NGDAEMON_CONFIG_SECTION": "two"},
        {"/my.conf": "[rtpengine]\ntimeout = 1\n[two]\ntimeout = 2\n"},
    )
    assert found.options["timeout"].texts == ("2",)


def test_keys_are_read_as_a_key_file_has_them() -> None:
    text = (
        "\ufeff# top\n[rtpengine]\n\n  timeout = 1\n\ttimeout=2\n; no\nsoftware-id = a # b = c % d\n[other]\nodd = 1\n"
    )
    found, problems = sources(files={FILE: text})
    assert found.options["timeout"].texts == ("2",)
    assert found.options["software-id"].texts == ("a # b = c % d",)
    assert len(problems.warnings) == 1  # the key that stands there twice


NO_KEY = "is neither `key = value` nor a [section]"


@pytest.mark.parametrize(
    ("text", "mistakes"),
    [
        (
            "[rtpengine]\nport-mim = 1\nx = 2\n",
            ["unknown option port-mim (did you mean port-min?)", "unknown option x"],
        ),
        ("[rtpengine]\nfoo\n\nbar\n", [f"line 2 {NO_KEY}", f"line 4 {NO_KEY}"]),
        ("timeout = 1\n[rtpengine]\n", ["line 1 stands before the first [section]"]),
        ("[other]\n", ["there is no section [rtpengine]"]),
        ("[rtpengine]\nconfig-file = x\n", ["config-file cannot be set in the file"]),
    ],
)
def test_every_mistake_in_a_file_is_named(text: str, mistakes: list[str]) -> None:
    assert sources(files={FILE: text})[1].mistakes == [f"{FILE}: {mistake}" for mistake in mistakes]


def test_a_file_that_was_asked_for_must_exist() -> None:
    _, problems = sources({"config-file": ("/no.conf",)})
    assert problems.mistakes == ["command line: config-file: /no.conf does not exist"]


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (PermissionError(13, "Permission denied"), "Permission denied"),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad"), "it is not UTF-8 text"),
    ],
)
def test_an_unreadable_file_is_a_mistake(error: Exception, reason: str) -> None:
    def read(_path: str) -> str:
        raise error

    problems = Problems()
    gather({}, {}, read, problems)
    assert problems.mistakes == [f"/etc/ngdaemon/ngdaemon.conf: cannot be read: {reason}"]


def test_a_variable_of_no_option_is_a_warning() -> None:
    _, problems = sources({}, {"NGDAEMON_LISTEN_NGG": "2223", "PATH": "/bin"})
    assert problems.mistakes == []
    assert problems.warnings == [
        "NGDAEMON_LISTEN_NGG: no option has this environment variable (did you mean NGDAEMON_LISTEN_NG?)"
    ]


def test_variables_that_orchestrators_make_for_a_service_are_no_options() -> None:
    environment = {
        "NGDAEMON_SERVICE_HOST": "10.0.0.1",
        "NGDAEMON_PORT": "udp://10.0.0.1:2223",
        "NGDAEMON_PORT_2223_UDP_ADDR": "10.0.0.1",
    }
    found, problems = sources({}, environment)
    assert found.options == {}
    assert problems == Problems()


def test_an_empty_variable_is_as_good_as_none() -> None:
    assert sources({}, {"NGDAEMON_PIDFILE": ""})[0].options == {}


def test_a_key_that_is_given_again_in_a_section_is_pointed_out() -> None:
    text = "[other]\ntimeout = 1\n[rtpengine]\ntimeout = 2\n# timeout = 3\ntimeout = 4\n"
    found, problems = sources(files={FILE: text})
    assert found.options["timeout"].texts == ("4",)
    assert problems.warnings == [
        f"{FILE}: line 6: timeout is given again, line 4 has no effect "
        "(several values go into one line, with ; between them)"
    ]
