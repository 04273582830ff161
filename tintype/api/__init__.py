"""HTTP in: one dialect each. Wire models live and die here; handlers read, ask core one thing, and say the answer."""
