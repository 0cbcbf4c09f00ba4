"""What each token says for a label: by the slope of its logit, and by the logit that is lost without the token."""

import numpy as np
import torch
from torch import Tensor

from stvit_video.token_maps.token_site import SeenTokens, TokenSite

__all__ = ["contributions", "occlusions"]

SETS_PER_FORWARD = 16  # of tokens; a base model of 1568 image tokens takes about 1 GB for them


def contributions(site: TokenSite, seen: SeenTokens, *, label: int, numbers: np.ndarray) -> np.ndarray:
    """The slope of the logit along each token, times what the token has beside the mean of the others.

    That is what leaving the token out would change, were the layers behind it linear: there it equals `occlusions`. No
    parameter gets a gradient.

    Args:
        site: where the tokens are.
        seen: the tokens of a clip.
        label: number of the class.
        numbers: (N,) which of the K groups each of the N tokens is in; 0 to N - 1 = each by itself.

    Returns:
        (K,) float32, sums over the tokens of each group.

    Source: Shrikumar et al. 2016 (gradient x input, arXiv:1605.01713).
    Differs: they multiply by the whole input. Layers that begin with a norm hardly change with a token's length, so
        that the product with the whole token is about 0: its correlation with `occlusions` over the tokens of a clip
        was 0.51 to 0.56 in a stvit_ model of the quick start with 4 to 32 tokens (40 clips), and 0.24 in its dense
        twin; it is 0.73 to 0.81 and 0.71 with the mean of the others taken off.
    """
    with torch.inference_mode(mode=False), torch.enable_grad():
        tokens = seen.tokens.flatten(1, -2).detach().clone().requires_grad_()  # (1, N, C)
        (slopes,) = torch.autograd.grad(site.logits(tokens, seen)[0, label], tokens)
    own = tokens.detach()[0] - _means_of_others(tokens.detach()[0], numbers)  # (N, C)
    values = (slopes[0] * own).sum(dim=-1).float().cpu().numpy()  # (N,)
    return np.bincount(numbers, weights=values).astype(np.float32)


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


def _groups(numbers: np.ndarray, device: torch.device) -> list[Tensor]:
    """Of each group (N,), True = in it."""
    return [torch.from_numpy(numbers == number).to(device) for number in range(int(numbers.max()) + 1)]


def _means_of_others(tokens: Tensor, numbers: np.ndarray) -> Tensor:
    """For each token (N, C) the mean of all that are outside of its group (N, C); zeros where there are none."""
    means = torch.zeros_like(tokens)
    for group in _groups(numbers, tokens.device):
        means[group] = _mean_without(tokens, group)
    return means


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
