"""The Trainer that tests of callbacks share: on the CPU, without logger, own checkpoints, bar and summary."""

from lightning.pytorch import Trainer

QUIET = {
    "accelerator": "cpu",
    "logger": False,
    "enable_checkpointing": False,
    "enable_progress_bar": False,
    "enable_model_summary": False,
}


def quiet_trainer(*callbacks, max_epochs, **options):
    """A Trainer with these callbacks; options are Lightning's, in place of the quiet ones."""
    return Trainer(max_epochs=max_epochs, callbacks=list(callbacks), **QUIET | options)
