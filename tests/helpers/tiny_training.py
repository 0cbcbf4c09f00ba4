"""Settings of a training on the videos of `tiny_run`, of seconds."""

from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from stvit_video.settings.paths import CONF_DIR

TINY = """data=csv data.num_frames=4 data.frame_stride=2 data.short_side=20 data.crop_size=16 data.batch_size=2
    data.num_workers=0 data.mean=[0.5,0.5,0.5] data.std=[0.25,0.25,0.25] model=stvit_video_deit_tiny model.patch_size=4
    model.embed_dim=8 model.num_heads=2 model.depth=4 model.generate_at=1 model.num_tokens=4 optim.warmup_epochs=0
    trainer.accelerator=cpu trainer.enable_progress_bar=false protocol.num_clips=1 protocol.num_crops=1"""


def settings_for(tiny_run, *overrides):
    lists = [f"data.train='{tiny_run.manifest}'", f"data.val='{tiny_run.manifest}'"]
    with initialize_config_dir(CONF_DIR, version_base="1.3"):
        return OmegaConf.to_container(compose("train", overrides=[*TINY.split(), *lists, *overrides]), resolve=True)
