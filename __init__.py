"""Wan Motion Chunks: long Wan2.1 image-to-video in chunks whose seams cannot be seen."""

WEB_DIRECTORY = "./js"


async def comfy_entrypoint():
    from .nodes import MotionChunksExtension  # here, so that the core imports without ComfyUI

    return MotionChunksExtension()
