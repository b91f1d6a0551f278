"""Tiny Wan2.1 models that ship with the pack, their text encoder, and the scenes that trained them."""
