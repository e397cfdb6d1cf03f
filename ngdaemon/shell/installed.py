"""What of the optional parts is installed."""

from importlib import import_module
from importlib.util import find_spec

from ngdaemon.media.plan import PLAN_VERSION

NATIVE_MODULE = "ngdaemon_native"
NO_NATIVE = "the package ngdaemon-native is not installed"


def native_trouble() -> str:
    """Why the native forwarder cannot be used; "" if it can."""
    if find_spec(NATIVE_MODULE) is None:
        return NO_NATIVE
    try:
        version = getattr(import_module(NATIVE_MODULE), "PLAN_VERSION", None)
    except ImportError as error:
        return f"the package ngdaemon-native cannot be loaded ({error})"
    if version != PLAN_VERSION:
        return "this version of ngdaemon cannot use the package ngdaemon-native, which belongs to another one"
    return ""
