from typing import Any

QuantizedTensor: Any
