from itertools import pairwise

import pytest
import torch
from lightning.pytorch import Callback, LightningModule
from lightning.pytorch.strategies import DDPStrategy
from quiet_trainer import quiet_trainer
from torch import distributed
from torch.nn import functional
from torch.utils.data import DataLoader

from stvit_video.models.factory import create_model
from stvit_video.training.callbacks.averaging import WeightAverage
from stvit_video.training.callbacks.probing import ProbeFirst, backbone_parameters


class Classifier(LightningModule):
    """A model with batch norms and drop path, by AdamW with weight decay."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(3)
        self.model = create_model("stvit_casvit_xs", image_size=32, num_classes=3, drop_path_rate=0.5)

    def training_step(self, batch, index):
        torch.manual_seed(100 * self.current_epoch + index)
        return functional.cross_entropy(self.model(batch), torch.arange(len(batch)) % 3)

    def validation_step(self, batch, index):
        self.model(batch)

    def configure_optimizers(self):
        return torch.optim.AdamW(self.parameters(), lr=0.01, weight_decay=0.1)


class Watch(Callback):
    """What there is after each epoch: the state of the model, how many parameters the optimizer has moments of."""

    def __init__(self):
        self.states, self.num_moments = [], []

    def on_train_epoch_end(self, trainer, pl_module):
        self.states.append({key: value.clone() for key, value in pl_module.model.state_dict().items()})
        self.num_moments.append(len(trainer.optimizers[0].state))


def fit(*callbacks, max_epochs=4, ckpt_path=None, **options):
    module, watch = Classifier(), Watch()
    before = {key: value.clone() for key, value in module.model.state_dict().items()}
    torch.manual_seed(0)
    clips = torch.randn(6, 3, 32, 32)
    trainer = quiet_trainer(*callbacks, watch, max_epochs=max_epochs, **options)
    trainer.fit(module, DataLoader(clips, batch_size=3), DataLoader(clips, batch_size=6), ckpt_path=ckpt_path)
    return [before, *watch.states], watch.num_moments, trainer


def changed(first, second):
    return {key for key, value in first.items() if not torch.equal(value, second[key])}


@pytest.fixture
def ddp():
    yield DDPStrategy(process_group_backend="gloo")
    if distributed.is_initialized():
        distributed.destroy_process_group()


def check(states, num_moments):
    assert [changed(*pair) for pair in pairwise(states[:3])] == [{"head.weight", "head.bias"}] * 2
    assert num_moments[:2] == [2, 2]
    weights = dict(Classifier().model.named_parameters())
    after = changed(states[2], states[3])
    assert len(after & set(weights)) > 0.9 * len(weights)  # some biases have gradients of zero
    assert any("running_mean" in key for key in after)
    assert num_moments[2] == len(weights)


def test_the_head_learns_alone_and_then_the_whole_model(capsys):
    states, num_moments, _ = fit(ProbeFirst(2))
    check(states, num_moments)
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if line.startswith("from epoch")] == [
        "from epoch 1: training the head alone, up to epoch 2",
        "from epoch 3: training the whole model",
    ]


def test_processes_that_exchange_gradients_do_the_same(ddp):
    """Distributed training has settled at its start which gradients it waits for."""
    states, num_moments, _ = fit(ProbeFirst(2), strategy=ddp, use_distributed_sampler=False)
    check(states, num_moments)
    alone, _, _ = fit(ProbeFirst(2))
    for state, other in zip(states[:3], alone[:3], strict=True):  # AdamW makes much of the last bit of small gradients
        for key, value in state.items():
            torch.testing.assert_close(value, other[key], msg=key)


@pytest.mark.parametrize("epochs", [1, 2, 3])
def test_a_training_that_goes_on_ends_with_the_same_weights(tmp_path, epochs):
    whole, _, _ = fit(ProbeFirst(2))
    _, _, trainer = fit(ProbeFirst(2), max_epochs=epochs)
    trainer.save_checkpoint(tmp_path / "x.ckpt")
    rest, _, _ = fit(ProbeFirst(2), ckpt_path=tmp_path / "x.ckpt")
    assert not changed(whole[-1], rest[-1])


def test_an_average_of_the_backbone_is_the_backbone(tmp_path):
    states, _, trainer = fit(ProbeFirst(2), WeightAverage(0.5), max_epochs=2)
    trainer.save_checkpoint(tmp_path / "x.ckpt")
    average = torch.load(tmp_path / "x.ckpt", weights_only=True)["state_dict"]
    average = {key.removeprefix("model."): value for key, value in average.items()}
    assert changed(states[0], average) == {"head.weight", "head.bias"}


def test_the_backbone_is_all_but_the_head():
    model = create_model("stvit_casvit_xs", image_size=32, num_classes=3)
    assert {id(p) for p in model.parameters()} - {id(p) for p in backbone_parameters(model)} == {
        id(model.head.weight),
        id(model.head.bias),
    }
