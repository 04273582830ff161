"""Looks public posts up without a token, one file per way, and fetches their media."""
