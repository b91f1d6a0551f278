"""Lines that the first version of the pack logged for chunk 2, word by word: whoever reads its log looks for them."""

PREPARING = "Applying motion-guided chunk transition for chunk 2"
PREPARED = "Motion-guided preparation complete for chunk 2"
CONDITIONED = "Applied motion guidance to conditioning for chunk 2"


def shape_line(*shape: int) -> str:
    return f"Guided Input Latent Shape: torch.Size({list(shape)})"
