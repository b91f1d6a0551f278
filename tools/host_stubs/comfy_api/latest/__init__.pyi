from typing import Any

from . import io as io

ComfyExtension: Any

def __getattr__(name: str) -> Any: ...
