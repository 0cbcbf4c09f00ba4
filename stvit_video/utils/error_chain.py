"""An error with what caused it."""

__all__ = ["error_chain"]


def error_chain(error: BaseException) -> list[BaseException]:
    """The error, its causes, and what was being handled when they came; each once, for such chains can be circles."""
    found: dict[int, BaseException] = {}
    waiting: list[BaseException | None] = [error]
    while waiting:
        one = waiting.pop(0)
        if one is not None and id(one) not in found:
            found[id(one)] = one
            waiting += [one.__cause__, one.__context__]
    return list(found.values())
