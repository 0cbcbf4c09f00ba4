"""A linear probe before the fine-tuning: the head learns alone in the first epochs of a training."""

from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.strategies import SingleDeviceStrategy
from torch import nn
from torch.optim import Optimizer

from stvit_video.models.parameter_groups import head_parameters
from stvit_video.training.freezing import put_in_eval_but
from stvit_video.training.nonfinite import drop_gradients


class ProbeFirst(Callback):
    """Trains the classifiers alone in the first epochs, and the whole model from then on.

    Until then the backbone works as in evaluation and keeps its weights and running statistics to the last bit. It
    gets no optimizer step, so AdamW has no moments of it yet. Where several processes train, its gradients are computed
    and dropped, because they have agreed at the start on the parameters that they exchange gradients of.

    Args:
        num_epochs: of the probe.

    Source: LP-FT (Kumar et al. 2022, arXiv:2202.10054): gradients through a random head distort good features.
    """

    def __init__(self, num_epochs: int) -> None:
        self.num_epochs = num_epochs
        self._is_frozen = False

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Begin with the part that this epoch trains, also where an epoch is resumed."""
        self._choose(trainer, pl_module)

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Go on with the whole model when its time has come."""
        self._choose(trainer, pl_module)

    def on_before_optimizer_step(self, trainer: Trainer, pl_module: LightningModule, optimizer: Optimizer) -> None:
        """Keep the optimizer from the backbone."""
        if self._is_frozen:
            drop_gradients(backbone_parameters(_model(pl_module)))

    def _choose(self, trainer: Trainer, pl_module: LightningModule) -> None:
        model = _model(pl_module)
        was_frozen, self._is_frozen = self._is_frozen, trainer.current_epoch < self.num_epochs
        if isinstance(trainer.strategy, SingleDeviceStrategy):  # so that no gradient is computed
            for parameter in backbone_parameters(model):
                parameter.requires_grad = not self._is_frozen
        if self._is_frozen:
            put_in_eval_but(model, head_parameters(model))
        elif was_frozen:
            model.train()
        if self._is_frozen is not was_frozen:
            what = f"the head alone, up to epoch {self.num_epochs}" if self._is_frozen else "the whole model"
            trainer.print(f"from epoch {trainer.current_epoch + 1}: training {what}", flush=True)


def _model(pl_module: LightningModule) -> nn.Module:
    assert isinstance(pl_module.model, nn.Module)
    return pl_module.model


def backbone_parameters(model: nn.Module) -> list[nn.Parameter]:
    """All parameters but those of the classifiers."""
    heads = head_parameters(model)
    return [parameter for name, parameter in model.named_parameters() if name not in heads]
