"""Settings: what there is (`settings`, `accepted`), how it is written (`values`), where it comes from (`sources`).

Nothing here looks at the host: names and addresses are resolved, and checked, by `shell/interfaces.py`.
"""

from ngdaemon.config.settings import Config

__all__ = ["Config"]
