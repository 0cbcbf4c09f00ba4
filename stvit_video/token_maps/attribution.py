"""What each token says for a label: by slopes of its logit, and by the logit that is lost without the token."""

import numpy as np
import torch
from torch import Tensor

from stvit_video.token_maps.token_site import SeenTokens, TokenSite

__all__ = ["contributions", "group_sums", "means_of_others", "occlusions", "slope_at", "without_rounding"]

NUM_SLOPES = 8
SETS_PER_FORWARD = 16  # of tokens; a base model of 1568 image tokens takes about 1 GB for them

ROUNDING = 1e-5  # of the largest logit: what float32 makes of values that are 0


@torch.inference_mode(mode=False)
@torch.no_grad()
def contributions(
    site: TokenSite, seen: SeenTokens, *, label: int, numbers: np.ndarray, num_slopes: int = NUM_SLOPES
) -> np.ndarray:
    """What a token has beside the mean of the others, times the slope of the logit along it (integrated gradients).

    The slope is the mean of slopes on the straight way from tokens that are all replaced by the mean of the others to
    the tokens as they are. The contributions sum to what the logit gains on this way, up to the number of slopes. Were
    the layers behind the tokens linear, each would equal that of `occlusions`. No parameter gets a gradient.

    Args:
        site: where the tokens are.
        seen: the tokens of a clip.
        label: number of the class.
        numbers: (N,) which of the K groups each of the N tokens is in; 0 to N - 1 = each by itself.
        num_slopes: places on the way where the slope is taken.

    Returns:
        (K,) float32, sums over the tokens of each group.

    Source: Sundararajan et al. 2017 (integrated gradients, arXiv:1703.01365); Shrikumar et al. 2016 (gradient x input,
        arXiv:1605.01713).
    Differs: the way begins at means of tokens, not at zeros. Layers that begin with a norm hardly change with a token's
        length, which makes the plain product of gradient and token about 0. docs/guides/visualize.md has how well each
        of these agrees with `occlusions`.
    """
    tokens = seen.tokens.flatten(1, -2)  # (1, N, C)
    start = means_of_others(tokens, numbers)  # (1, N, C)
    slope = torch.zeros_like(tokens)
    for number in range(num_slopes):  # one by one: a dense model has thousands of tokens
        place = torch.lerp(start, tokens, (number + 0.5) / num_slopes)
        slope += slope_at(site, seen, place, label=label) / num_slopes
    return group_sums(slope * (tokens - start), numbers)


@torch.inference_mode(mode=False)
@torch.no_grad()
def occlusions(site: TokenSite, seen: SeenTokens, *, label: int, numbers: np.ndarray) -> np.ndarray:
    """The logit of a label, less what it is without the tokens of a group.

    They are left out where the layers behind the site run among fewer tokens. Elsewhere, and where no other is there,
    the mean of the others takes their place, or zeros.

    Args:
        site, seen, label, numbers: as of `contributions`.

    Returns:
        (K,) float32.
    """
    tokens = seen.tokens.flatten(1, -2)  # (1, N, C)
    groups = _groups(numbers, tokens.device)
    whole = site.logits(tokens, seen)[0, label]
    lost = torch.zeros(len(groups), device=tokens.device)
    for members in _alike(groups, apart=site.can_leave_out):
        for part in members.split(SETS_PER_FORWARD):
            sets = torch.stack([_without(tokens[0], groups[number], site) for number in part.tolist()])
            lost[part] = (whole - site.logits(sets, seen)[:, label]).float()
    return lost.cpu().numpy()


@torch.inference_mode(mode=False)
@torch.enable_grad()
def slope_at(site: TokenSite, seen: SeenTokens, tokens: Tensor, *, label: int) -> Tensor:
    """The gradient of the logit of a label by tokens (1, N, C): (1, N, C). No parameter gets one."""
    place = tokens.detach().clone().requires_grad_()
    return torch.autograd.grad(site.logits(place, seen)[0, label], place)[0]


def means_of_others(tokens: Tensor, numbers: np.ndarray) -> Tensor:
    """For each token (1, N, C) the mean of all that are outside of its group (1, N, C); zeros where there are none."""
    means = torch.zeros_like(tokens)
    for group in _groups(numbers, tokens.device):
        means[0, group] = _mean_without(tokens[0], group)
    return means


def without_rounding(values: np.ndarray, logits: Tensor) -> np.ndarray:
    """Values of tokens (K,) as they are; zeros where all are as small as errors of rounding.

    Args:
        values: contributions or occlusions of a clip.
        logits: of this clip, of any shape.
    """
    is_rounding = np.abs(values).max() < ROUNDING * float(logits.abs().max())
    return np.zeros_like(values) if is_rounding else values


def group_sums(values: Tensor, numbers: np.ndarray) -> np.ndarray:
    """Values along tokens (1, N, C), summed over the tokens of each group, (N,) its number: (K,) float32."""
    weights = values[0].sum(dim=-1).float().cpu().numpy()  # (N,)
    return np.bincount(numbers, weights=weights).astype(np.float32)


def _groups(numbers: np.ndarray, device: torch.device) -> list[Tensor]:
    """Of each group (N,), True = in it."""
    return [torch.from_numpy(numbers == number).to(device) for number in range(int(numbers.max()) + 1)]


def _mean_without(tokens: Tensor, group: Tensor) -> Tensor:
    """The mean (C,) of tokens (N, C) outside of a group; zeros where there are none."""
    others = tokens[~group]
    return others.mean(dim=0) if len(others) else torch.zeros_like(tokens[0])


def _alike(groups: list[Tensor], *, apart: bool) -> list[Tensor]:
    """Numbers of groups that can run in one batch: with `apart` those of equally many tokens."""
    sizes = torch.tensor([int(group.sum()) if apart else 0 for group in groups])
    return [torch.nonzero(sizes == size).flatten() for size in sizes.unique()]


def _without(tokens: Tensor, group: Tensor, site: TokenSite) -> Tensor:
    """Tokens (N, C) without a group, (N,) True = in it: (N - n, C), or (N, C) with others in its place."""
    if site.can_leave_out and not group.all():
        return tokens[~group]
    return torch.where(group[:, None], _mean_without(tokens, group), tokens)
