"""The option table."""

import re
from collections import Counter
from dataclasses import fields
from pathlib import Path

import ngdaemon
from ngdaemon.config import Config
from ngdaemon.config.options import NAMES, OPTIONS, RELOADED, Effect
from ngdaemon.config.settings import SUBSYSTEMS

SHORT_FORMS = "i interface n listen-ng N listen-tcp-ng c listen-cli u listen-udp l listen-tcp m port-min M port-max t table F no-fallback o timeout s silent-timeout a final-timeout d delete-delay T tos p pidfile f foreground L log-level E log-stderr S save-interface-ports b b2b-url x xmlrpc-format r redis w redis-write k subscribe-keyspace q no-redis-required g graphite G graphite-interval"  # noqa: E501


def test_every_setting_of_the_daemon_has_an_option() -> None:
    settable = {option.field for option in OPTIONS.values()}
    assert {field.name for field in fields(Config)} - settable == {"port_ranges"}


def test_every_setting_has_a_name_that_an_operator_knows() -> None:
    assert {field.name for field in fields(Config)} == set(NAMES)
    assert not [name for name in NAMES.values() if "_" in name]


def test_short_forms_are_those_of_rtpengine() -> None:
    words = SHORT_FORMS.split()
    for short, name in zip(words[::2], words[1::2], strict=True):
        assert OPTIONS[name].short == short


def test_no_short_form_or_variable_has_two_meanings() -> None:
    shorts = Counter(option.short for option in OPTIONS.values() if option.short)
    variables = Counter(option.variable for option in OPTIONS.values())
    assert [short for short, count in shorts.items() if count > 1] == []
    assert [variable for variable, count in variables.items() if count > 1] == []


def test_defaults_are_valid_values_of_their_options() -> None:
    for field in fields(Config):
        option = next((option for option in OPTIONS.values() if option.field == field.name), None)
        if option is not None and isinstance(field.default, bool | int | str) and not option.repeated:
            assert option.kind.read(str(field.default)) == field.default, option.name


def test_what_has_no_effect_sets_nothing() -> None:
    assert {option.field for option in OPTIONS.values() if option.effect is not Effect.WORKS} == {""}


def test_limits_timeouts_and_levels_can_change_while_running() -> None:
    assert {"timeout", "silent_timeout", "final_timeout", "offer_timeout", "delete_delay", "max_sessions"} <= RELOADED
    assert {"log_level", "log_levels", "max_load", "max_cpu", "max_bandwidth", "allow_ng"} <= RELOADED
    assert not {"interfaces", "listen_ng", "port_min", "port_max", "forwarder", "pidfile"} & RELOADED


def test_variables_are_named_after_options() -> None:
    assert OPTIONS["listen-ng"].variable == "NGDAEMON_LISTEN_NG"
    assert OPTIONS["log-level-core"].variable == "NGDAEMON_LOG_LEVEL_CORE"


def test_subsystems_that_nothing_logs_to_are_marked() -> None:
    package = Path(ngdaemon.__file__).parent
    named = re.findall(r'getLogger\("ngdaemon\.(\w+)"\)', "".join(path.read_text() for path in package.rglob("*.py")))
    silent = {name for name, text in SUBSYSTEMS.items() if "nothing is logged to it yet" in text}
    assert silent == SUBSYSTEMS.keys() - {"core", *named}
