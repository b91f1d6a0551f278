"""What differs between the ComfyUI versions that the pack runs on."""

from __future__ import annotations

from comfy_api.latest import ComfyExtension, io

__all__ = ["ComfyExtension", "io", "schema"]


def schema(**fields) -> io.Schema:
    """An ``io.Schema`` without the fields that this host does not know, such as ``search_aliases`` before 0.11."""
    known = io.Schema.__dataclass_fields__
    return io.Schema(**{name: value for name, value in fields.items() if name in known})
