"""The arguments of a handler, checked on both ends by its own signature."""

from __future__ import annotations

import inspect
from collections import OrderedDict
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NotRequired, get_type_hints

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError, SchemaSerializer
from typing_extensions import TypedDict

from jobcore.errors import InvalidJobError
from jobcore.payload import NUMBERS_AS_THEY_ARE, written

_BY_NAME_TOO = inspect.Parameter.POSITIONAL_OR_KEYWORD
_BY_NAME = {_BY_NAME_TOO, inspect.Parameter.KEYWORD_ONLY}
_WRITTEN_AS_THEY_ARE = {int, bool, float, str}

_typed_dict: Any = TypedDict  # its fields are known at run time only


class Arguments:
    """Turns a call into named JSON values, and these back into a call.

    Values are validated and written as pydantic does it for the annotations, so that a
    `datetime`, a dataclass or a model travels; what has no annotation travels as it is.
    """

    def __init__(self, function: Callable[..., Any], skipped: int = 0) -> None:
        signature = inspect.signature(function)
        parameters = list(signature.parameters.values())[skipped:]
        hints = _hints(function)
        self.result_type: TypeAdapter[Any] | None = _adapter(hints.get("return"))
        self._signature = signature.replace(parameters=parameters)
        self._all_by_name = all(each.kind in _BY_NAME for each in parameters)
        self._places = [each.name for each in parameters if each.kind is _BY_NAME_TOO]
        fields = {each.name: _field(each, hints) for each in parameters}
        shape = _typed_dict("Arguments", fields)
        shape.__pydantic_config__ = ConfigDict(allow_inf_nan=False, extra="forbid")
        adapter: TypeAdapter[dict[str, Any]] = TypeAdapter(shape)
        self._validator = adapter.validator
        self._serializer = SchemaSerializer(adapter.core_schema, NUMBERS_AS_THEY_ARE)
        # What is written as it is: that of which nothing is known, or all.
        known = {
            each.name: hints.get(each.name, Any)
            for each in parameters
            if each.kind is not each.VAR_POSITIONAL
        }
        self._unknown = {name for name, hint in known.items() if hint is Any}
        self._own_types = {
            name: hint
            for name, hint in known.items()
            if isinstance(hint, type) and hint in _WRITTEN_AS_THEY_ARE
        }

    def check_name(self, name: str) -> None:
        """InvalidJobError where the handler has no argument of this name."""
        if name not in self._signature.parameters:
            raise InvalidJobError("labels", f"name no argument of the task: {name!r}")

    def encode(
        self, args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> dict[str, Any]:
        """The call's arguments by name, as JSON values; InvalidJobError where they do
        not fit the signature."""
        try:
            checked: dict[str, Any] = self._validator.validate_python(
                self._named(args, kwargs)
            )
            typed = {}
            for name, value in checked.items():
                is_plain = self._own_types.get(name) is type(value)
                if not is_plain and name not in self._unknown:
                    typed[name] = value
            if not typed:
                return checked
            plain = written("arguments", self._serializer, typed)
        except ValidationError as error:
            raise InvalidJobError("arguments", _problem(error)) from None
        except InvalidJobError:
            raise
        except (TypeError, ValueError, PydanticSerializationError) as error:
            raise InvalidJobError("arguments", f"do not fit: {error}") from None
        return {name: plain.get(name, value) for name, value in checked.items()}

    def _named(
        self, args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        if self._all_by_name and len(args) <= len(self._places):
            if not args:
                return kwargs
            named = dict(zip(self._places, args))  # noqa: B905 - saying it takes as long as all the rest
            if not kwargs:
                return named
            if kwargs.keys().isdisjoint(named):
                return {**named, **kwargs}
        return self._signature.bind(*args, **kwargs).arguments

    def decode(self, payload: bytes) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The call to make, as its positional and its named arguments; InvalidJobError
        where the payload does not fit."""
        try:
            values: dict[str, Any] = self._validator.validate_json(payload)
        except ValidationError as error:
            raise InvalidJobError("arguments", _problem(error)) from None
        if self._all_by_name:
            return (), values
        bound = inspect.BoundArguments(self._signature, OrderedDict(values))
        return bound.args, bound.kwargs


def _hints(function: Callable[..., Any]) -> dict[str, Any]:
    while isinstance(function, partial):
        function = function.func
    annotated = function if inspect.isroutine(function) else type(function).__call__
    return get_type_hints(annotated, include_extras=True)


def _field(parameter: inspect.Parameter, hints: Mapping[str, Any]) -> Any:
    hint: Any = hints.get(parameter.name, Any)
    if parameter.kind is inspect.Parameter.VAR_POSITIONAL:
        return NotRequired[tuple[hint, ...]]
    if parameter.kind is inspect.Parameter.VAR_KEYWORD:
        return NotRequired[dict[str, hint]]
    return hint if parameter.default is parameter.empty else NotRequired[hint]


def _adapter(hint: Any) -> TypeAdapter[Any] | None:
    return None if hint is None or hint is Any else TypeAdapter(hint)


def _problem(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(str(each) for each in first["loc"])
    return f"do not fit: {place}: {first['msg']}"
