"""A render farm: many videos on many workers, each with a ComfyUI of its own, on Ray."""
