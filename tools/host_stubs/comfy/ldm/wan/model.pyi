from typing import Any

sinusoidal_embedding_1d: Any

def __getattr__(name: str) -> Any: ...
