"""The only part of the core that knows ComfyUI: its models, samplers, conditioning, LoRA files and devices."""
