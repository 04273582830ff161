"""The pages for people: the start page, signing in, and a page for each thing that the house does.

They are drawn on the server and work without scripts; `console.js` only saves people a click.
"""

from tintype.api.console.desk import ConsoleDesk, Welcome
from tintype.api.console.dialect import CONSOLE
from tintype.api.console.routes import mount

__all__ = ["CONSOLE", "ConsoleDesk", "Welcome", "mount"]
