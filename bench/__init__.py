"""Benchmarks: one file per figure in the README, each beside what a user would pick instead, in one run."""
