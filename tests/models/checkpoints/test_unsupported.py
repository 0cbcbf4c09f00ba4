"""Networks of others that no model here is like: each is named, and our own weights are never taken for one."""

import pytest
import timm
import torch
import torchvision
import transformers

from stvit_video.models import CheckpointError, create_model, list_models, load_checkpoint
from stvit_video.models.checkpoints.unsupported import check_supported

VIT = {"hidden_size": 24, "num_attention_heads": 3, "num_hidden_layers": 2, "intermediate_size": 48} | {
    "image_size": 32,
    "patch_size": 8,
}
SWIN = {"embed_dim": 24, "depths": [1, 1], "num_heads": [2, 2], "image_size": 32, "patch_size": 4, "window_size": 4}
CLIP = VIT | {"num_frames": 4}
OF_TRANSFORMERS = [  # name of the model, and of its configuration; its options; what the error says
    ("TimesformerForVideoClassification", "TimesformerConfig", CLIP, "TimeSformer"),
    ("VivitForVideoClassification", "VivitConfig", CLIP | {"tubelet_size": [2, 8, 8]}, "ViViT.* VideoMAE"),
    ("VivitModel", "VivitConfig", CLIP | {"tubelet_size": [2, 8, 8]}, "ViViT"),
    ("BeitForImageClassification", "BeitConfig", VIT | {"use_relative_position_bias": True}, "BEiT"),
    ("BeitModel", "BeitConfig", VIT | {"use_absolute_position_embeddings": True}, "BEiT"),
    ("Data2VecVisionForImageClassification", "Data2VecVisionConfig", VIT, "Data2Vec"),
    ("Dinov2ForImageClassification", "Dinov2Config", VIT, "DINOv2"),
    ("DINOv3ViTModel", "DINOv3ViTConfig", VIT, "DINOv3"),
    ("CLIPVisionModel", "CLIPVisionConfig", VIT, "CLIP"),
    ("SiglipVisionModel", "SiglipVisionConfig", VIT, "SigLIP"),
    ("SwinForImageClassification", "SwinConfig", SWIN, "transformers Swin,.* timm"),
    ("Swinv2ForImageClassification", "Swinv2Config", SWIN, "Swin V2,.* Swin V1"),
]


def refused(state, words):
    with pytest.raises(CheckpointError, match=f"holds the weights of .*{words}"):
        load_checkpoint(create_model("deit_tiny", embed_dim=24, depth=2, num_classes=2), state)


@pytest.mark.parametrize(("name", "config", "options", "words"), OF_TRANSFORMERS)
def test_networks_of_transformers(tmp_path, name, config, options, words):
    theirs = getattr(transformers, name)(getattr(transformers, config)(**options))
    theirs.save_pretrained(tmp_path)
    refused(theirs.state_dict(), words)
    refused_from_file = pytest.raises(CheckpointError, match=words)
    with refused_from_file:  # where the names may be others
        load_checkpoint(create_model("deit_tiny", embed_dim=24, depth=2, num_classes=2), tmp_path)


SMALL = {"embed_dim": 24, "depth": 2, "num_heads": 3, "img_size": 32, "patch_size": 8}
OTHERS = {
    "torchvision ViT": lambda: torchvision.models.VisionTransformer(32, 8, 1, 2, 24, 48),
    "a ResNet": lambda: torchvision.models.resnet18(),
    "BEiT": lambda: timm.models.Beit(**SMALL, init_values=0.1),
    "DINOv2": lambda: timm.models.VisionTransformer(**SMALL, init_values=0.1),
    "CLIP": lambda: timm.models.VisionTransformer(**SMALL, pre_norm=True),
    "SigLIP": lambda: timm.models.VisionTransformer(**SMALL, global_pool="map"),
    "Swin V2": lambda: timm.models.SwinTransformerV2(
        img_size=32, window_size=4, embed_dim=24, depths=(1, 1), num_heads=(2, 2)
    ),
}


@pytest.mark.parametrize("words", OTHERS)
def test_networks_of_others(words):
    refused(OTHERS[words]().state_dict(), words)


def test_the_whole_sentence():
    with pytest.raises(
        CheckpointError,
        match=r"^the checkpoint holds the weights of a ResNet, which has no tokens, so that no model here takes them; "
        r"give those of a plain ViT, such as timm's deit_small_patch16_224 or transformers' ViTForImageClassification$",
    ):
        check_supported({"layer1.0.conv1.weight": torch.zeros(1)})


@pytest.mark.parametrize("name", list_models())
def test_our_own_weights_are_not_taken_for_one(name):
    with torch.device("meta"):
        state = create_model(name).state_dict()
    check_supported(state)
