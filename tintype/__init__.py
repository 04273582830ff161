"""Tintype: your own Instagram backend."""

__version__ = "0.1.0"
