"""Chains of errors, circles among them."""

from stvit_video.utils.error_chain import error_chain


def test_causes_and_contexts_come_after_the_error():
    first, second, third, fourth = (ValueError(str(number)) for number in range(4))
    first.__cause__, first.__context__, second.__context__ = second, third, fourth
    assert error_chain(first) == [first, second, third, fourth]
    assert error_chain(fourth) == [fourth]


def test_a_circle_ends():
    first, second = ValueError("a"), OSError("b")
    first.__cause__, second.__cause__ = second, first
    assert error_chain(first) == [first, second]
