"""Where the identity of what a core node gives out does not follow an input, and why.

Nodes and inputs that a host does not have are none of it.
"""

NO_FILE = "reads a model file that the tiny models do not have"
NOT_TAKEN = "changes only an output that Long Video does not take"

NOT_RUN = {
    **dict.fromkeys(
        (
            "CLIPLoader",
            "CheckpointLoader",
            "CheckpointLoaderSimple",
            "DiffusersLoader",
            "DualCLIPLoader",
            "HypernetworkLoader",
            "ImageOnlyCheckpointLoader",
            "QuadrupleCLIPLoader",
            "TripleCLIPLoader",
            "unCLIPCheckpointLoader",
        ),
        NO_FILE,
    ),
    **dict.fromkeys(
        ("PhotoMakerEncode", "QwenImageDiffsynthControlnet", "USOStyleReference"),
        "needs a model of another family beside MODEL, which only a file gives",
    ),
    **dict.fromkeys(("LoadTrainingDataset", "MakeTrainingDataset", "TrainLoraNode"), "is for training"),
}
"""Nodes that are not run here, and why."""

NO_EFFECT = {
    **dict.fromkeys(
        (
            (name, "batch_size")
            for name in (
                "HunyuanImageToVideo",
                "StableZero123_Conditioning",
                "WanAnimateToVideo",
                "WanFirstLastFrameToVideo",
                "WanFunInpaintToVideo",
                "WanHuMoImageToVideo",
                "WanImageToVideo",
                "WanPhantomSubjectToVideo",
                "WanTrackToVideo",
                "WanVaceToVideo",
            )
        ),
        NOT_TAKEN,
    ),
    ("InpaintModelConditioning", "noise_mask"): NOT_TAKEN,
    ("LTXVAddGuide", "strength"): NOT_TAKEN,
    **dict.fromkeys((("LTXVImgToVideo", name) for name in ("width", "height", "length", "batch_size")), NOT_TAKEN),
    ("LTXVImgToVideo", "strength"): NOT_TAKEN,
    ("SVD_img2vid_Conditioning", "video_frames"): NOT_TAKEN,
    **dict.fromkeys(
        (("WanTrackToVideo", name) for name in ("tracks", "temperature", "topk")), "moves nothing without drawn tracks"
    ),
    ("WanPhantomSubjectToVideo", "length"): NOT_TAKEN,
}
"""Inputs that change nothing of what a chunk is made from, at the other inputs' defaults, and why."""
