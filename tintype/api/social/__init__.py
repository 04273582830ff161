"""Seed 3: users and their workspaces, and publishing to Instagram. Bare objects say yes, `{error}` says no."""

from tintype.api.social.desk import Registration, SocialDesk
from tintype.api.social.dialect import SOCIAL
from tintype.api.social.routes import mount

__all__ = ["SOCIAL", "Registration", "SocialDesk", "mount"]
