from dataclasses import FrozenInstanceError, asdict

import pytest

from stvit_video.tokens.grid import TokenGrid
from stvit_video.tokens.slot import BlockSettings, TokenSlot


def test_a_slot_is_one_window_with_all_parts_of_generation_unless_said_otherwise():
    slot = TokenSlot(token_grid=TokenGrid((2, 3)), image_grid=TokenGrid((5, 7)))
    assert (slot.window, slot.key_window) == (None, None)
    assert (slot.attention_shortcut, slot.global_centers) == (True, True)
    with pytest.raises(FrozenInstanceError):
        slot.window = (5, 7)


def test_settings_are_those_that_blocks_take():
    assert asdict(BlockSettings(num_heads=3)) == {"num_heads": 3, "mlp_ratio": 4.0, "qkv_bias": True, "norm_eps": 1e-6}


def test_no_windows_of_recovery_unless_said():
    slot = TokenSlot(token_grid=TokenGrid((2, 3)), image_grid=TokenGrid((5, 7)))
    assert (slot.center_window, slot.recover_window) == (None, None)
