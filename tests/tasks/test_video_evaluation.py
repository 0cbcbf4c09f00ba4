import json

from stvit_video.evaluation.ledger.parquet import read_ledger
from stvit_video.inference.recognizer import load_recognizer
from stvit_video.settings.evaluate_settings import EvaluateSettings
from stvit_video.tasks.evaluation_settings import read_evaluation
from stvit_video.tasks.video_evaluation import evaluate_videos


def test_the_validation_videos_of_the_training(tiny_run, tmp_path, capsys):
    given = {"ckpt_path": str(tiny_run.checkpoint), "num_workers": 0, "device": "cpu"}
    settings = read_evaluation(EvaluateSettings, given)
    summary = evaluate_videos(settings, output_dir=tmp_path)
    assert json.loads((tmp_path / "result.json").read_text()) == summary
    assert (summary["num_videos_used"], summary["ckpt_path"]) == (3, str(tiny_run.checkpoint))
    assert {"predictions.csv", "confusion_matrix.png", "ledger.parquet"} <= {path.name for path in tmp_path.iterdir()}
    ledger = read_ledger(tmp_path / "ledger.parquet")
    assert tuple(ledger.info.classes) == load_recognizer(tiny_run.checkpoint, device="cpu").classes
    assert summary["result"] in capsys.readouterr().out
