"""What a URL says: where the database is, and how the store is to work there."""

from __future__ import annotations

from dataclasses import asdict
from typing import Final

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from jobcore import StoreError
from jobcore_sql.options import SQLOptions

_MARK: Final = "jobcore_"
_checked = TypeAdapter(SQLOptions)


def address(text: str, options: SQLOptions) -> tuple[URL, SQLOptions]:
    """The URL of a database, and *options* but for those that *text* has in its query,
    such as `jobcore_schema=jobs`. StoreError where it cannot be read."""
    try:
        url = make_url(text)
    except ArgumentError as error:
        problem = "its URL cannot be read"
        raise StoreError(problem) from error
    ours = [name for name in url.query if name.startswith(_MARK)]
    if not ours:
        return url, options
    chosen = {name.removeprefix(_MARK): _given(url.query[name]) for name in ours}
    try:
        made = _checked.validate_python({**asdict(options), **chosen})
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        problem = f"its URL has a bad {_MARK}{first['loc'][0]}: {first['msg']}"
        raise StoreError(problem) from error
    return url.difference_update_query(ours), made


def _given(text: object) -> object:
    """A number where *text* is one: lengths of time may be given in seconds."""
    try:
        return float(text) if isinstance(text, str) else text
    except ValueError:
        return text
