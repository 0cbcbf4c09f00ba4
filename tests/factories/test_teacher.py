import pytest
import torch

from stvit_video.factories.teacher import dense_twin, foreign_teacher
from stvit_video.models import create_model
from stvit_video.models.checkpoints.state_dict import CheckpointError
from stvit_video.settings.train_settings import ModelSettings

OPTIONS = {"image_size": 16, "patch_size": 4, "embed_dim": 8, "num_heads": 2, "depth": 6}


def settings(name, **options):
    return ModelSettings.model_construct(name=name, **options)


@pytest.mark.parametrize(
    ("name", "options", "expected"),
    [
        (
            "stvit_video_deit_small",
            {"base_attention": "joint", "elastic_generate_at": [1, 2], "num_tokens": 8, "num_frames": 4},
            ("video_deit_small", {"base_attention": "joint", "num_frames": 4}),
        ),
        ("stvit_r_casvit_xs", {"token_stride": 2, "distillation": True}, ("casvit_xs", {})),
        ("swin_tiny", {"window_size": 4}, ("swin_tiny", {"window_size": 4})),
    ],
)
def test_the_dense_model_of_the_same_size(name, options, expected):
    assert dense_twin(settings(name, **options)) == expected


def test_weights_of_others_teach_with_their_head(tmp_path):
    dense = create_model("deit_tiny", **OPTIONS, num_classes=5).eval()
    torch.nn.init.normal_(dense.head.weight)
    torch.save(dense.state_dict(), tmp_path / "timm.pth")
    student = settings("stvit_deit_tiny", **OPTIONS, elastic_generate_at=[1, 2], num_tokens=4)
    teacher = foreign_teacher(str(tmp_path / "timm.pth"), student, num_classes=5)
    image = torch.randn(2, 3, 16, 16)
    torch.testing.assert_close(teacher(image), dense(image))
    assert not teacher.training
    with pytest.raises(CheckpointError, match=r"timm\.pth' lacks head\.\S+.* for the 7 classes .*deit_tiny"):
        foreign_teacher(str(tmp_path / "timm.pth"), student, num_classes=7)
