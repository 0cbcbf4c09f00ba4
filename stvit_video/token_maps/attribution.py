"""What each token says for a label: gradient x token, and the logit that is lost without it."""

import numpy as np
import torch
from torch import Tensor

from stvit_video.token_maps.token_site import SeenTokens, TokenSite

__all__ = ["contributions", "occlusions"]

SETS_PER_FORWARD = 32  # of tokens


def contributions(site: TokenSite, seen: SeenTokens, *, label: int, numbers: np.ndarray) -> np.ndarray:
    """Gradient x token: the slope of the logit along each token, times the token; no parameter gets a gradient.

    Args:
        site: where the tokens are.
        seen: the tokens of a clip.
        label: number of the class.
        numbers: (N,) which of the K groups each of the N tokens is in; 0 to N - 1 = each by itself.

    Returns:
        (K,) float32, sums over the groups. Where the layers behind the site are linear they sum to the logit, less what
        it is without any token.

    Source: Shrikumar et al. 2016 (gradient x input, arXiv:1605.01713).
    """
    with torch.inference_mode(mode=False), torch.enable_grad():
        tokens = seen.tokens.flatten(1, -2).detach().clone().requires_grad_()  # (1, N, C)
        (slopes,) = torch.autograd.grad(site.logits(tokens, seen)[0, label], tokens)
    values = (slopes * tokens.detach()).sum(dim=-1)[0].float().cpu().numpy()  # (N,)
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
    groups = [torch.from_numpy(numbers == number).to(tokens.device) for number in range(int(numbers.max()) + 1)]
    whole = site.logits(tokens, seen)[0, label]
    lost = torch.zeros(len(groups), device=tokens.device)
    for members in _alike(groups, apart=site.can_leave_out):
        for part in members.split(SETS_PER_FORWARD):
            sets = torch.stack([_without(tokens[0], groups[number], site) for number in part.tolist()])
            lost[part] = (whole - site.logits(sets, seen)[:, label]).float()
    return lost.cpu().numpy()


def _alike(groups: list[Tensor], *, apart: bool) -> list[Tensor]:
    """Numbers of groups that can run in one batch: with `apart` those of equally many tokens."""
    sizes = torch.tensor([int(group.sum()) if apart else 0 for group in groups])
    return [torch.nonzero(sizes == size).flatten() for size in sizes.unique()]


def _without(tokens: Tensor, group: Tensor, site: TokenSite) -> Tensor:
    """Tokens (N, C) without a group, (N,) True = in it: (N - n, C), or (N, C) with others in its place."""
    others = tokens[~group]
    if site.can_leave_out and len(others):
        return others
    mean = others.mean(dim=0) if len(others) else torch.zeros_like(tokens[0])
    return torch.where(group[:, None], mean, tokens)
