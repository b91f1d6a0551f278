"""Exact stand-ins for the VAE and the model, so that a wrong phase or frame count is an error and not a blur."""

import torch

CELL = 8


def hadamard(order: int) -> torch.Tensor:
    matrix = torch.ones(1, 1)
    while len(matrix) < order:
        matrix = torch.cat((torch.cat((matrix, matrix), 1), torch.cat((matrix, -matrix), 1)))
    return matrix / order**0.5


class CausalVae:
    """Wan's grouping 1 + 4 + 4 + ... without its losses, for pictures that are flat within each 8 x 8 cell.

    The channels hold the colors of up to four frames and the kind of the latent (one frame or
    four), mixed by a Hadamard matrix; 8-bit colors survive to the bit. Decoding a latent of the
    wrong kind, as a slice or a concatenation of latents would, is an error.
    """

    mix = hadamard(16)

    def __init__(self):
        self.encoded, self.decoded = [], []

    def encode(self, pixels):
        self.encoded.append(len(pixels))
        frames = (len(pixels) - 1) // 4 * 4 + 1  # the rest is dropped, as the real one does
        cells = pixels[:frames, ::CELL, ::CELL].movedim(-1, 0)  # (3, T, h, w)
        latents = []
        for group in (cells[:, :1], *cells[:, 1:].split(4, dim=1)):
            if not group.shape[1]:
                continue
            latent = torch.zeros(16, *cells.shape[2:])
            latent[0] = group.shape[1]
            latent[1 : 1 + 3 * group.shape[1]] = group.flatten(0, 1)
            latents.append(torch.einsum("ij,jhw->ihw", self.mix, latent))
        return torch.stack(latents, dim=1)[None]

    def decode(self, latent):
        self.decoded.append(latent.shape[2])
        frames = []
        for index, mixed in enumerate(latent[0].unbind(1)):
            plain = torch.einsum("ij,jhw->ihw", self.mix, mixed)
            count = 4 if index else 1
            assert (plain[0] == count).all(), f"latent {index} is of another kind"
            frames.append(plain[1 : 1 + 3 * count].unflatten(0, (3, count)))
        cells = torch.cat(frames, dim=1)  # (3, T, h, w)
        pixels = cells.repeat_interleave(CELL, dim=2).repeat_interleave(CELL, dim=3)
        return pixels.movedim(0, -1)[None]


def numbered_frames(first: int, count: int, height: int = 16, width: int = 32) -> torch.Tensor:
    """``(count, 3, H, W)``: frame t shows the number ``first + t`` in base 256, flat in 8-bit colors."""
    number = torch.arange(first, first + count)
    digits = torch.stack((number % 256, number // 256, number * 0 + 7), dim=1)
    return (digits / 256).view(count, 3, 1, 1).expand(count, 3, height, width).clone()


class CountingModel:
    """Reads the known frames out of the guide and counts on from the last of them."""

    def __init__(self, vae):
        self.vae, self.guides = vae, []

    def __call__(self, guide):
        self.guides.append(guide)
        latents = guide.conditioning["concat_latent_image"].shape[2]
        known = guide.conditioning["concat_mask"][0, :, :, 0, 0].t().flatten()  # a row per frame, frame 0 has four
        count = int((known == 0).sum()) - 3
        pixels = CausalVae().decode(guide.conditioning["concat_latent_image"])[0].movedim(-1, 1)
        first = round(float(pixels[0, 0, 0, 0] * 256 + pixels[0, 1, 0, 0] * 65536))
        torch.testing.assert_close(pixels[:count], numbered_frames(first, count), rtol=0, atol=0)
        assert (pixels[count:] == 0.5).all()
        frames = numbered_frames(first, latents * 4 - 3)
        return CausalVae().encode(frames.movedim(1, -1))
