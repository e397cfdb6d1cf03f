"""Settings as read, and the checks that need no host."""

from ngdaemon.config.draft import Draft, draft
from ngdaemon.config.options import Effect
from ngdaemon.config.sources import Given, Problems, Sources
from ngdaemon.config.values import AliasSpec, InterfaceSpec, ListenSpec, PortRange

LINE = "command line"


def read(
    options: dict[str, tuple[str, ...]], sections: dict[str, dict[str, str]] | None = None
) -> tuple[Draft, list[str]]:
    problems = Problems()
    given = {name: Given(texts, LINE) for name, texts in options.items()}
    return draft(Sources(given, sections or {}, "/my.conf"), problems), problems.mistakes


def test_values_are_those_of_the_last_text() -> None:
    made, mistakes = read({"timeout": ("1", "2"), "sip-source": ("true",)})
    assert mistakes == []
    assert made.values["timeout"] == 2
    assert made.values["sip_source"] is True


def test_all_bad_values_are_named_not_only_the_first() -> None:
    _, mistakes = read({"timeout": ("soon",), "tos": ("256",), "interface": ("a/", "b/192.0.2.1!")})
    assert mistakes == [
        f"{LINE}: timeout: 'soon' is not a number from 1 to 2147483647",
        f"{LINE}: tos: '256' is not a number from 0 to 255",
        f"{LINE}: interface: 'a/' has no usable address: an address, a system interface, a host name or `any`",
        f"{LINE}: interface: 'b/192.0.2.1!' has no address after the exclamation mark",
    ]


def test_a_range_that_is_upside_down_is_a_mistake() -> None:
    assert read({"port-min": ("40001",)})[1] == [f"{LINE}: port-min: 40001 is above port-max, 39999"]


def test_a_range_without_a_pair_is_a_mistake() -> None:
    _, mistakes = read({"port-min": ("30001",), "port-max": ("30002",)})
    assert len(mistakes) == 1
    assert "30001 to 30002 holds no pair" in mistakes[0]
    assert read({"port-min": ("30001",), "port-max": ("30003",)})[1] == []


def test_subsystems_have_levels_of_their_own() -> None:
    made, _ = read({"log-level-ice": ("7",), "log-level-core": ("-1",)})
    assert dict(made.values["log_levels"]) == {"internals": -1, "ice": 7, "core": -1}  # type: ignore[call-overload]


def test_specifications_are_kept_for_the_look_up() -> None:
    made, _ = read({"listen-ng": ("2223", "localhost:2224"), "interface": ("a/eth0", "b=a")})
    assert made.listen == [ListenSpec(None, 2223), ListenSpec("localhost", 2224)]
    assert made.interfaces == [InterfaceSpec("a", "eth0"), AliasSpec("b", "a")]


def test_options_without_effect_are_listed_once_each() -> None:
    made, _ = read({"table": ("-1", "0"), "recording-dir": ("/x",), "dtx-delay": ("5",), "no-fallback": ("false",)})
    assert made.names(Effect.NO_EFFECT) == ["table"]
    assert made.names(Effect.NOT_YET) == ["recording-dir", "dtx-delay"]


# -- sections that describe interfaces


def test_interfaces_are_described_in_sections() -> None:
    made, mistakes = read(
        {"interfaces-config": ("interface",)},
        {
            "interface-pub": {"address": "192.0.2.1", "advertised": "198.51.100.1", "port-min": "5000"},
            "interface-2": {"name": "priv", "address": "10.0.0.1", "exclude-ports": "30010;30020-30022"},
            "interface-three": {"alias": "pub"},
            "templates": {"a": "b"},
        },
    )
    assert mistakes == []
    assert made.interfaces == [
        InterfaceSpec("pub", "192.0.2.1", "198.51.100.1", PortRange(5000, 0)),
        InterfaceSpec("priv", "10.0.0.1", None, PortRange(0, 0, frozenset({30010, 30020, 30021, 30022}))),
        AliasSpec("three", "pub"),
    ]


def test_a_section_with_mistakes_is_named() -> None:
    _, mistakes = read(
        {"interfaces-config": ("i",)},
        {"i-a": {"adress": "x"}, "i-b": {}, "i-c": {"address": "192.0.2.1", "port-min": "x"}},
    )
    assert mistakes == [
        "/my.conf: [i-a]: unknown key adress",
        "/my.conf: [i-b]: has neither address nor alias",
        "/my.conf: [i-c]: port-min: 'x' is not a number from 1 to 65535",
    ]


def test_a_prefix_without_sections_is_a_mistake() -> None:
    assert read({"interfaces-config": ("i",)})[1] == [f"{LINE}: interfaces-config: the file has no section [i-…]"]
