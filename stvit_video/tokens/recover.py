"""Semantic tokens back to image tokens: the R of STViT-R, for tasks that need every position."""

from torch import Tensor

from stvit_video.layers.block import CrossBlock


class TokenRecovery(CrossBlock):
    """Image tokens ask the semantic tokens for what these have learned: cross-attention, residual, MLP.

    The settings are those of `CrossBlock`.

    Source: STViT-R (arXiv:2303.08685), section 3.4; docs/develop/design.md, "Refine, local and recover".
    """

    def forward(self, image_tokens: Tensor, semantic_tokens: Tensor) -> Tensor:
        """Recover.

        Args:
            image_tokens: (B, N, C) as they were before generation.
            semantic_tokens: (B, K, C).

        Returns:
            (B, N, C) image tokens.
        """
        return super().forward(image_tokens, semantic_tokens)
