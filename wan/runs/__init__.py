"""Runs on disk: what a chunk was made from, and the chunks themselves."""
