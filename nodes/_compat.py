"""What differs between the ComfyUI versions that the pack runs on."""

from __future__ import annotations

from pathlib import Path

import folder_paths
from comfy_api.latest import ComfyExtension, io

__all__ = ["ComfyExtension", "io", "prepare_optical_flow_folder", "schema"]


def prepare_optical_flow_folder() -> bool:
    """On a host without a loader of its own, make ``models/optical_flow`` known; say whether ours is needed."""
    import nodes  # the host's, which is whole only once every extension is being loaded

    if "OpticalFlowLoader" in nodes.NODE_CLASS_MAPPINGS:
        return False
    folder_paths.add_model_folder_path("optical_flow", str(Path(folder_paths.models_dir) / "optical_flow"))
    folder_paths.folder_names_and_paths["optical_flow"][1].update(folder_paths.supported_pt_extensions)
    return True


def schema(*, advanced: tuple[str, ...] = (), **fields) -> io.Schema:
    """An ``io.Schema`` without the fields that this host does not know, such as ``search_aliases`` before 0.11.

    Args:
        advanced: ids of the inputs for experts, which Nodes 2.0 folds away.
    """
    for found in fields.get("inputs", ()):
        if found.id in advanced:  # hosts before 0.12 have no argument for it
            found.extra_dict = {**found.extra_dict, "advanced": True}
    known = io.Schema.__dataclass_fields__
    return io.Schema(**{name: value for name, value in fields.items() if name in known})
