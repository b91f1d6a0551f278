"""Wan Motion Chunks: long Wan2.1 and Wan2.2 image-to-video in chunks, with every seam measured."""

WEB_DIRECTORY = "./js"


async def comfy_entrypoint():
    from .nodes import MotionChunksExtension  # here, so that the core imports without ComfyUI

    return MotionChunksExtension()
