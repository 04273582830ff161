"""Instagram as visitors and downloaders see it: pages, GraphQL and the calls of its apps, without the Graph API.

Shapes are those that public clients read; the posts are the world's, the same as on the Graph side, and the magic ones.
"""

from tintype.simulator.web.serving import claims, official_oembed, serve
from tintype.simulator.web.sessions import signed_in, signed_out

__all__ = ["claims", "official_oembed", "serve", "signed_in", "signed_out"]
