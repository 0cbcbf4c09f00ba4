"""`stvit_video.evaluate` from keyword arguments, as the command line gives them."""

from stvit_video.evaluate import evaluate as run
from stvit_video.settings.evaluate_settings import EvaluatedData, EvaluatedModel


def evaluate(*, output_dir, ckpt_path, **given):
    values = {"ckpt_path": str(ckpt_path), "num_workers": 0}
    for group, kind in (("model", EvaluatedModel), ("data", EvaluatedData)):
        values[group] = {name: given.pop(name) for name in list(given) if name in kind.model_fields}
    return run(values | given, output_dir=output_dir)
