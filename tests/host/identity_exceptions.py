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

NEWER = {
    **dict.fromkeys(
        (
            ("ARVideoI2V", "length"),
            ("ARVideoI2V", "batch_size"),
            ("BerniniConditioning", "length"),
            ("BerniniConditioning", "batch_size"),
            ("Kandinsky5ImageToVideo", "batch_size"),
            ("MiniMaxH3ReferenceToVideo", "width"),
            ("MiniMaxH3ReferenceToVideo", "height"),
            ("MiniMaxH3ReferenceToVideo", "length"),
            ("TextEncodeMageFlowEdit", "width"),
            ("TextEncodeMageFlowEdit", "height"),
            ("TextEncodeMageFlowEdit", "batch_size"),
            ("VOIDInpaintConditioning", "batch_size"),
            ("WanMoveTrackToVideo", "batch_size"),
            ("WanSCAILToVideo", "batch_size"),
        ),
        NOT_TAKEN,
    ),
    **dict.fromkeys(
        (
            ("MultiGPU_WorkUnits", "max_gpus"),
            ("SelectCLIPDevice", "device"),
            ("SelectModelDevice", "device"),
            ("WanAnimate2Cache", "device"),
        ),
        "says where a model runs, and there is one device here",
    ),
    ("BerniniConditioning", "ref_max_size"): "limits reference pictures, of which there are none",
    ("MiniMaxH3ReferenceToVideo", "ref_image_size"): "sizes reference pictures, of which there are none",
    ("TextEncodeAceStepAudio1.5", "keyscale"): "C and C# are one word to the tiny text encoder",
    ("WanMoveTrackToVideo", "strength"): "moves nothing without drawn tracks",
    ("WanSCAILToVideo", "previous_frame_count"): "counts frames that are not linked",
}
"""Of nodes that ComfyUI 0.33.0 has and 0.3.75 has not."""

NO_EFFECT = NEWER | {
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
