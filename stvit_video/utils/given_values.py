"""Settings of which some are left out."""

from typing import Any

__all__ = ["given_values"]


def given_values(**values: Any) -> dict[str, Any]:
    """Those that are not None."""
    return {name: value for name, value in values.items() if value is not None}
