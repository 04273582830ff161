"""The pretend Instagram as people see it: profiles, posts, what apps published, and a panel on which to break things.

It is for looking only: nobody's fault is used up by a look, nothing of it stands in the log, and no latency slows it down.
What programs read under the same addresses is the business of `web`.
"""

from tintype.simulator.face.door import claims, serve

__all__ = ["claims", "serve"]
