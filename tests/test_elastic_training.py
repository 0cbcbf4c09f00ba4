"""A tiny elastic model, trained by the command's own function, then run at each of its places by the other commands."""

import json

import pytest
import torch
from tiny_training import settings_for

import stvit_video
from stvit_video.evaluate import evaluate
from stvit_video.exporting.export_checkpoint import export_run
from stvit_video.models import create_model, load_checkpoint, model_from_checkpoint
from stvit_video.predict import main as predict
from stvit_video.train import train

ELASTIC = ["model.depth=6", "model.elastic_generate_at=[1,2,3]", "model.generate_at=null", "trainer.max_epochs=3"]


@pytest.fixture(scope="module")
def trained(tiny_run, tmp_path_factory):
    folder = tmp_path_factory.mktemp("elastic")
    result = train(settings_for(tiny_run, *ELASTIC, "optim.lr=0.01"), run_dir=folder)
    return folder / "best.ckpt", result


def test_validation_is_at_the_deepest_place(trained):
    path, result = trained
    model, metadata = model_from_checkpoint(path)
    assert (result["generate_at"], model.generate_at, model.trained_places) == (3, 3, (1, 2, 3))
    assert metadata["model"]["options"]["elastic_generate_at"] == [1, 2, 3]


def test_trained_logits_at_each_place_equal_those_of_a_plain_model(trained, tiny_run):
    path, _ = trained
    elastic, metadata = model_from_checkpoint(path)
    options = {key: value for key, value in metadata["model"]["options"].items() if key != "elastic_generate_at"}
    clip = torch.randn(2, 3, 4, 16, 16)
    seen = []
    for place in (1, 2, 3):
        plain = create_model(metadata["model"]["name"], **options | {"generate_at": place}).eval()
        load_checkpoint(plain, path)
        elastic.set_generate_at(place)
        torch.testing.assert_close(elastic(clip), plain(clip), rtol=1e-6, atol=1e-6)
        seen.append(elastic(clip))
        recognizer = stvit_video.load(path, generate_at=place, device="cpu")
        logits = torch.from_numpy(recognizer.logits(clip[0].numpy()))
        torch.testing.assert_close(logits, plain(clip[:1]), rtol=1e-5, atol=1e-5)
    assert not torch.allclose(seen[0], seen[2], rtol=1e-3)


def test_commands_run_at_a_place_and_say_so(trained, tiny_run, tmp_path, capsys):
    path, _ = trained
    settings = {"ckpt_path": str(path), "model": {"generate_at": 1}, "num_workers": 0, "device": "cpu"}
    summary = evaluate(settings, output_dir=tmp_path / "out")
    assert summary["generate_at"] == json.loads((tmp_path / "out" / "result.json").read_text())["generate_at"] == 1
    deep = evaluate(settings | {"model": {}}, output_dir=tmp_path / "deep")
    assert deep["generate_at"] == 3
    assert deep["gmacs_per_view"] > summary["gmacs_per_view"]
    out = tmp_path / "labels.csv"
    command = [f"ckpt_path={path}", str(tiny_run.videos[0]), f"out={out}", "num_workers=0", "device=cpu"]
    assert predict([*command, "generate_at=2"]) == 0
    capsys.readouterr()
    assert predict([*command, "generate_at=3"]) == 2
    assert "generate_at=2 then, 3 now" in capsys.readouterr().err
    assert predict([*command[:2], "generate_at=4"]) == 2
    assert "generate_at=4 is deeper than the 3 image blocks" in capsys.readouterr().err


def test_an_exported_run_has_its_places(trained, tmp_path):
    path, _ = trained
    folder = export_run(path.parent, out=tmp_path / "export")
    assert "after [1, 2, 3] blocks" in (folder / "README.md").read_text()
    clip = torch.randn(3, 4, 16, 16).numpy()
    for place in (1, 3):
        exported, saved = (stvit_video.load(source, generate_at=place, device="cpu") for source in (folder, path))
        assert (exported.logits(clip) == saved.logits(clip)).all()


def test_a_plain_run_goes_on_as_an_elastic_one(tiny_run, tmp_path):
    plain = train(settings_for(tiny_run, "model.depth=6", "trainer.max_epochs=1"), run_dir=tmp_path / "plain")
    assert plain["generate_at"] == 1
    more = [f"init_from='{tmp_path / 'plain' / 'last.ckpt'}'", "init_head=keep", "optim.lr=1e-9", "optim.min_lr=0"]
    train(settings_for(tiny_run, *ELASTIC, *more), run_dir=tmp_path / "elastic")
    model, _ = model_from_checkpoint(tmp_path / "elastic" / "last.ckpt")
    start, _ = model_from_checkpoint(tmp_path / "plain" / "last.ckpt")
    model.set_generate_at(1)
    clip = torch.randn(2, 3, 4, 16, 16)
    torch.testing.assert_close(model(clip), start(clip), rtol=1e-3, atol=1e-3)  # it has learned next to nothing


def test_accelerate_makes_a_dense_model_elastic_with_itself_as_the_teacher(tiny_run, tmp_path):
    dense = ["model=video_deit_tiny", "~model.num_tokens", "model.depth=6", "trainer.max_epochs=1"]
    train(settings_for(tiny_run, *dense), run_dir=tmp_path / "dense")
    start = f"init_from='{tmp_path / 'dense' / 'last.ckpt'}'"
    fast = ["+experiment=accelerate", start, "augment=none", "trainer.max_epochs=2", *ELASTIC[:3]]
    result = train(settings_for(tiny_run, *fast), run_dir=tmp_path / "fast")
    saved = torch.load(tmp_path / "fast" / "last.ckpt", weights_only=True)
    assert saved["stvit_video"]["config"]["distill"]["teacher"] == str(tmp_path / "dense" / "last.ckpt")
    assert (result["model"], result["generate_at"]) == ("stvit_video_deit_tiny", 3)
    with (tmp_path / "fast" / "metrics.csv").open() as file:
        assert "train/teacher_loss" in file.readline()
