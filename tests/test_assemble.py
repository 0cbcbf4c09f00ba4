from pathlib import Path

import pytest

from stvit_video.assemble import build_optim, build_trainer

TRAINER = {
    "max_epochs": 3,
    "accelerator": "cpu",
    "devices": 1,
    "num_nodes": 1,
    "strategy": "auto",
    "precision": "auto",
    "gradient_clip_val": 0.5,
    "accumulate_grad_batches": 2,
    "check_val_every_n_epoch": 3,
    "log_every_n_steps": 7,
    "enable_progress_bar": False,
}


def test_every_optimizer_setting_arrives():
    optim = {"lr": 0.1, "min_lr": 0.01, "weight_decay": 0.2, "betas": [0.8, 0.9], "warmup_epochs": 1.5}
    plan = build_optim(optim | {"label_smoothing": 0.1})
    assert {key: getattr(plan, key) for key in optim} == optim | {"betas": (0.8, 0.9)}


@pytest.mark.parametrize(("cuda", "precision"), [(True, "bf16-mixed"), (False, "32-true")])
def test_every_trainer_setting_arrives(tmp_path, monkeypatch, cuda, precision):
    monkeypatch.setattr("torch.cuda.is_available", lambda: cuda)
    trainer = build_trainer(TRAINER, run_dir=tmp_path, seed=0, resumed=False, monitor="val/mAP")
    expected = {
        key: value
        for key, value in TRAINER.items()
        if hasattr(trainer, key) and key not in ("strategy", "accelerator", "precision")
    }
    assert {key: getattr(trainer, key) for key in expected} == expected
    assert str(trainer.precision) == precision
    assert "val/mAP" in [callback.monitor for callback in trainer.checkpoint_callbacks]
    assert Path(trainer.default_root_dir) == tmp_path
