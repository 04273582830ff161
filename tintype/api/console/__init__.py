"""The pages for people: the start page, signing in, and a page for each thing that the house does.

They are drawn on the server and work without scripts; `console.js` only saves people a click. Here stands what a house has
also where nobody is served; the pages are mounted by `routes`.
"""

from tintype.api.console.welcome import Welcome

__all__ = ["Welcome"]
