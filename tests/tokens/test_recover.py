import torch

from stvit_video.tokens.recover import TokenRecovery


def test_image_tokens_ask_semantic_tokens():
    recovery = TokenRecovery(6, num_heads=2, layer_scale_init=0.5).eval()
    image, semantic = torch.randn(2, 15, 6), torch.randn(2, 4, 6)
    attended = recovery.attn(recovery.norm1(image), recovery.norm1(semantic))
    x = image + 0.5 * attended
    torch.testing.assert_close(recovery(image, semantic), x + 0.5 * recovery.mlp(recovery.norm2(x)))


def test_order_of_semantic_tokens_does_not_matter():
    recovery = TokenRecovery(6, num_heads=3, layer_scale_init=None).eval()
    image, semantic = torch.randn(2, 7, 6), torch.randn(2, 5, 6)
    torch.testing.assert_close(recovery(image, semantic.flip(1)), recovery(image, semantic))


def test_permuting_image_tokens_permutes_the_answer():
    recovery = TokenRecovery(6, num_heads=3, layer_scale_init=None).eval()
    image, semantic = torch.randn(2, 7, 6), torch.randn(2, 5, 6)
    torch.testing.assert_close(recovery(image.flip(1), semantic), recovery(image, semantic).flip(1))


def windowed(rule="masked"):
    torch.manual_seed(0)
    recovery = TokenRecovery(6, num_heads=2, layer_scale_init=0.5, window=(3, 5), recover_window=(4, 5)).eval()
    recovery.padding_rule = rule
    return recovery


def run(recovery, image, semantic, in_window):
    return recovery(*recovery.arguments(image, semantic, in_window))


def test_on_grids_without_windows_all_tokens_are_seen():
    recovery = TokenRecovery(6, num_heads=2, layer_scale_init=0.5).eval()
    image, semantic = torch.randn(2, 3, 5, 6), torch.randn(2, 2, 2, 6)
    expected = recovery(image.flatten(1, 2), semantic.flatten(1, 2))
    torch.testing.assert_close(run(recovery, image, semantic, (2, 2)), expected)


def test_each_window_sees_the_tokens_around_it():
    """6 tokens along each axis, 2 and 3 of a window: 4 rows and 5 columns are those from one before it on."""
    recovery = windowed()
    image, semantic = torch.randn(2, 8, 9, 6), torch.randn(2, 6, 6, 6)
    out = run(recovery, image, semantic, (2, 3))
    for i, rows in enumerate([slice(0, 3), slice(1, 5), slice(3, 6)]):
        for j, columns in enumerate([slice(0, 4), slice(2, 6)]):
            own = (slice(None), slice(3 * i, 3 * i + 3), slice(5 * j, 5 * j + 5))
            window = image[own]
            expected = recovery(window.flatten(1, 2), semantic[:, rows, columns].flatten(1, 2))
            torch.testing.assert_close(out[own].flatten(1, 2), expected)


def test_more_tokens_in_a_window_than_it_was_made_for():
    recovery, image, semantic = windowed(), torch.randn(1, 3, 10, 6), torch.randn(1, 3, 12, 6)
    out = run(recovery, image, semantic, (3, 6))
    expected = recovery(image[:, :, :5].flatten(1, 2), semantic[:, :, :6].flatten(1, 2))
    torch.testing.assert_close(out[:, :, :5].flatten(1, 2), expected)


def test_the_released_rule_lets_zeros_take_part_where_windows_divide():
    recovery, image = windowed("released detector"), torch.randn(1, 3, 5, 6)
    semantic = torch.randn(1, 2, 3, 6)
    around = torch.zeros(1, 4, 5, 6)
    around[:, 1:3, 1:4] = semantic
    expected = recovery(image.flatten(1, 2), around.flatten(1, 2))
    torch.testing.assert_close(run(recovery, image, semantic, (2, 3)).flatten(1, 2), expected)
