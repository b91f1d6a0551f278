"""The pack's nodes."""

from ._compat import ComfyExtension
from .chunk import AssembleVideo, FinishChunk, GuideNextChunk
from .plan import PlanVideo
from .tiny import TinyModels, TinyScene
from .video import LongVideo


class MotionChunksExtension(ComfyExtension):
    async def get_node_list(self):
        return [LongVideo, PlanVideo, GuideNextChunk, FinishChunk, AssembleVideo, TinyModels, TinyScene]
