"""The pack's nodes."""

from ._compat import ComfyExtension, prepare_optical_flow_folder
from .bridge import BridgeClips
from .chunk import AssembleVideo, FinishChunk, GuideNextChunk
from .custom_video import CustomLongVideo
from .flow import EstimateFlow, FlowToImage, LoadOpticalFlow
from .join import GaussianBlendMask, JoinClips, MatchColor, MeasureSeams
from .keep import KeepRun, LoadRun
from .long_video import LongVideo
from .motion import PredictMotion, WarpLatent
from .options import Options
from .plan import PlanVideo
from .prompts import ConditioningStack, LoraStack, PromptStack
from .rope import SlowRope
from .settings import Settings
from .tiny import TinyModels, TinyScene


class MotionChunksExtension(ComfyExtension):
    async def get_node_list(self):
        nodes = [LongVideo, CustomLongVideo, Settings, Options, PromptStack, ConditioningStack, LoraStack]
        nodes += [KeepRun, LoadRun]
        nodes += [PlanVideo, GuideNextChunk, FinishChunk, AssembleVideo]
        nodes += [BridgeClips, JoinClips, MatchColor, MeasureSeams, GaussianBlendMask]
        nodes += [EstimateFlow, FlowToImage, PredictMotion, WarpLatent, SlowRope]
        if prepare_optical_flow_folder():
            nodes.append(LoadOpticalFlow)
        return [*nodes, TinyModels, TinyScene]
