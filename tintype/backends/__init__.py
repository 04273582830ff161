"""Replaceable machinery: one seam per module, each with a twin that needs nothing installed."""
