"""Fixed features of pictures: how strongly each of some whitened patches appears in each of their quadrants.

Coates, Ng & Lee, "An analysis of single-layer networks in unsupervised feature learning" (AISTATS 2011), with
patches drawn at random instead of by k-means, which cost nothing and are almost as good (Coates & Ng, ICML
2011). Nothing is learned from the targets: a linear model on these features shows what depth is worth.
"""

from dataclasses import dataclass
from math import prod

import torch
import torch.nn.functional as F
from torch import Tensor

PATCHES = 100
LARGEST_SIDE = 32  # larger pictures are reduced by averaging squares of pixels
PATCH, SMALL_PATCH, SMALL = 6, 3, 16  # pixels of a patch's side; SMALL_PATCH in pictures smaller than SMALL
STRIDE, WIDE = 2, 24  # pixels between patches of pictures of at least WIDE pixels; else 1
DRAWN, DRAWN_PICTURES = 20_000, 2_000  # patches to estimate the whitening, and pictures to draw them from
SPREAD = 0.01  # share of the patches' mean variance, added to each variance so that flat patches aren't noise
WHITENING = 0.1  # added to the variance of each component
THRESHOLD = 0.25  # similarities to a patch below this size count as 0
PART = 32  # pictures at a time, which fit into a processor's cache
FEATURES = 2 * 4 * PATCHES


@dataclass(frozen=True, eq=False)
class PatchFeatures:
    """The features of some training pictures' patches. weight_K: for each patch, whitening included."""

    weight_KCHW: Tensor
    bias_K: Tensor
    spread: float
    stride: int

    def __call__(self, x_NCHW: Tensor) -> Tensor:
        """Features ``[N, FEATURES]``: how similar and how dissimilar the quadrants are to each patch."""
        with torch.no_grad():
            return torch.cat([self._part(_shrunk(x)) for x in x_NCHW.split(PART)])

    def _part(self, x: Tensor) -> Tensor:
        size = self.weight_KCHW.shape[-1]
        mean, square = (F.avg_pool2d(t.mean(1, keepdim=True), size, self.stride) for t in (x, x * x))
        deviation = (square - mean**2).clamp(min=0).add(self.spread).sqrt()
        like = F.conv2d(x, self.weight_KCHW, stride=self.stride)
        both = F.softshrink(like.div_(deviation).sub_(self.bias_K[:, None, None]), THRESHOLD)
        places = both.shape[-2:].numel()
        quadrants = F.adaptive_avg_pool2d(torch.eye(places).view(places, *both.shape[-2:]), 2).flatten(1)
        net, up = ((t.flatten(2) @ quadrants).flatten(1) for t in (both, both.relu()))
        return torch.cat([up, up - net], 1)


def multiplications(shape: tuple[int, ...]) -> int:
    """Return the multiplications that one picture's features take. shape: its channels, height and width."""
    small = _shrunk(torch.empty(1, *shape)).shape[1:]
    size, stride = _patch(small)
    places = prod((side - size) // stride + 1 for side in small[1:])
    return places * PATCHES * shape[0] * size * size


def patch_features(x_NCHW: Tensor) -> PatchFeatures:
    """Draw patches of these pictures and whiten them; the result is the same at each call."""
    generator = torch.Generator().manual_seed(0)
    count = min(DRAWN_PICTURES, DRAWN, 4 * len(x_NCHW))
    some = _shrunk(x_NCHW[torch.randint(len(x_NCHW), (count,), generator=generator)])
    size, stride = _patch(some.shape[1:])
    all_BDL = F.unfold(some, size)
    place_BK = torch.randint(all_BDL.shape[2], (count, DRAWN // count), generator=generator)
    patch_ND = all_BDL.gather(2, place_BK[:, None].expand(-1, all_BDL.shape[1], -1)).mT.flatten(0, 1).double()
    spread = SPREAD * float(patch_ND.var(1).mean()) + 1e-12
    patch_ND = patch_ND - patch_ND.mean(1, keepdim=True)
    patch_ND = patch_ND / (patch_ND.var(1, correction=0, keepdim=True) + spread).sqrt()
    mean_D = patch_ND.mean(0)
    value_D, vector_DD = torch.linalg.eigh(torch.cov(patch_ND.T))
    white_DD = vector_DD / (value_D.clamp(min=0) + WHITENING).sqrt() @ vector_DD.T
    row_K = torch.randperm(len(patch_ND), generator=generator)[:PATCHES]
    drawn_KD = F.normalize((patch_ND[row_K] - mean_D) @ white_DD, dim=1)
    weight_KD = drawn_KD @ white_DD
    bias_K = (weight_KD @ mean_D).float()
    weight_KD = (weight_KD - weight_KD.mean(1, keepdim=True)).float()  # subtracts the patch's mean
    return PatchFeatures(weight_KD.view(PATCHES, -1, size, size), bias_K, spread, stride)


def _patch(shape: torch.Size) -> tuple[int, int]:
    """Return a patch's side, and the distance between two patches, in pixels."""
    side = min(shape[1:])
    return (SMALL_PATCH if side < SMALL else PATCH), (STRIDE if side >= WIDE else 1)


def _shrunk(x: Tensor) -> Tensor:
    times = min(x.shape[-2:]) // LARGEST_SIDE
    return F.avg_pool2d(x, times) if times > 1 else x
