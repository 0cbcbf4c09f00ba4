"""What a setting is declared with: a type with its range, a default, and a line of help."""

from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidatorFunctionWrapHandler, WrapValidator

MISSING = "???"  # OmegaConf's word for a setting that must be given
T = TypeVar("T")


class Group(BaseModel):
    """A group of settings: typed, checked, and not to be changed.

    A field is a setting: its annotation says what is allowed, `setting` gives its default and its help. Values are not
    converted (`strict`), but for lists, which become tuples; an unknown name is an error.
    """

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False, protected_namespaces=())

    def plain(self) -> dict[str, Any]:
        """The settings as plain values, lists in place of tuples: what config.yaml and a checkpoint hold."""
        return {name: _plain(value) for name, value in self}


class OpenGroup(Group):
    """A group whose further settings are declared elsewhere: in the signature of what the first of them names."""

    model_config = ConfigDict(extra="allow")

    @property
    def options(self) -> dict[str, Any]:
        """The further settings."""
        return dict(self.model_extra or {})


def setting(default: T, help: str) -> T:
    """The right side of a field: its default, and one line that says what the setting does.

    Args:
        default: MISSING = it must be given.
        help: without a full stop; units, and what null means.
    """
    return Field(default=default, description=help)


def _plain(value: Any) -> Any:
    if isinstance(value, Group):
        return value.plain()
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


def _as_given(value: Any, check: ValidatorFunctionWrapHandler) -> Any:
    checked = check(value)
    return value if type(value) is int else checked


AsGiven = WrapValidator(_as_given)  # a whole number stays one, so that messages and files show what was given
AsTuple = BeforeValidator(lambda value: tuple(value) if isinstance(value, list) else value)
Count = Annotated[int, Field(ge=1)]
Natural = Annotated[int, Field(ge=0)]
NonNegative = Annotated[float, Field(ge=0), AsGiven]
Positive = Annotated[float, Field(gt=0), AsGiven]
Share = Annotated[float, Field(ge=0, le=1), AsGiven]
PositiveShare = Annotated[float, Field(gt=0, le=1), AsGiven]
Counts = Annotated[tuple[Count, ...], AsTuple]
Numbers = Annotated[tuple[Positive, ...], AsTuple]
NumTokens = Count | Counts  # a count, or a grid
