"""What a checkpoint classifies: its class token or the mean, with the last norm before it or behind it."""

from torch import Tensor

from stvit_video.models.checkpoints.fit import DISTILLATION_TOKEN
from stvit_video.models.checkpoints.state_dict import CheckpointError
from stvit_video.models.deit.formats import IMAGE_DEIT
from stvit_video.models.deit.model import DeiT
from stvit_video.models.deit.transformers_formats import IMAGE_VIT

HEAD = "head.weight"
OWN = "stvit_video"  # how the names of our own formats begin


def adapt_norm(model: DeiT, state: dict[str, Tensor], format_name: str, new_head: bool) -> dict[str, Tensor]:
    """The state dict with the norm behind the mean (fc_norm) under the name that it has in our models, norm.

    Args:
        model: that is to receive the weights.
        state: tensors by our keys, but for fc_norm.
        format_name: of the checkpoint's format.
        new_head: whether the model keeps its head, so that the checkpoint's norm may stand elsewhere.

    Raises:
        CheckpointError: the head of the checkpoint would answer otherwise in this model, whose last norm is elsewhere.
    """
    if not new_head:
        _check_pooling(model, state, format_name)
    return {key.replace("fc_norm.", "norm."): value for key, value in state.items()}


def _check_pooling(model: DeiT, state: dict[str, Tensor], format_name: str) -> None:
    behind, both = "fc_norm.weight" in state, {"fc_norm.weight", "norm.weight"} <= set(state)
    if both:
        raise CheckpointError(
            "the checkpoint has a norm of the tokens (norm) and one of their mean (fc_norm); no model of ours has both"
        )
    if model.token_grid is not None or format_name.startswith(OWN):
        return
    if DISTILLATION_TOKEN in state and HEAD in state:
        raise CheckpointError(
            "the checkpoint is of a distilled DeiT, whose distillation token takes part in its answers; our models "
            "have none: load it with a new head (in training init_head=new, in Python new_head=True), or give a DeiT "
            "without distillation"
        )
    if behind and not model.norm_after_pool:
        raise CheckpointError(
            "the checkpoint norms the mean over its tokens (fc_norm), the model norms the tokens; build it with "
            "norm_after_pool=True and pool='mean'"
        )
    if format_name in (IMAGE_DEIT, IMAGE_VIT) and (model.norm_after_pool or not model.num_class_tokens):
        raise CheckpointError(
            "the checkpoint classifies its normed class token, the model the mean over its tokens; build it with "
            "pool='cls' (and norm_after_pool=False)"
        )
