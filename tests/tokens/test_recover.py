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
