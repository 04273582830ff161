"""What strangers try on a server, as a suite that its operator runs: `tintype doctor --hostile URL`.

It knows the server only from outside and speaks to it in raw bytes, because most of what it tries no HTTP client would send.
"""

from tintype.cli.hostility.suite import Probed, Target, attack

__all__ = ["Probed", "Target", "attack"]
