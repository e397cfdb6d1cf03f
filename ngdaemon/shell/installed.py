"""What of the optional parts is installed."""

from importlib.util import find_spec

NATIVE_MODULE = "ngdaemon_native"
NO_NATIVE = "the package ngdaemon-native is not installed"


def native_trouble() -> str:
    """Why the native forwarder cannot be used."""
    if find_spec(NATIVE_MODULE) is None:
        return NO_NATIVE
    return "this version of ngdaemon cannot use the package ngdaemon-native"
