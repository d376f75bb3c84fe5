"""Statements as a driver takes them.

What SQLAlchemy does around a statement whenever it runs costs more than the database
needs to run it. Here a statement of its Core is compiled once; then only its values are
encoded and decoded, a column at a time.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import BindParameter, Dialect
from sqlalchemy.sql import ClauseElement
from sqlalchemy.sql.selectable import ReturnsRows

from jobcore_sql.coded import Code


@dataclass(frozen=True, slots=True)
class Statement:
    """The text of a statement, the names of its parameters in the driver's order, and
    how values go in and rows come out."""

    text: str
    names: Sequence[str]
    given: Mapping[str, Any]
    encoders: Mapping[str, Code]
    decoders: Sequence[tuple[int, Code]]
    columns: Sequence[str]
    row: Code

    def encoded(self, parameters: Mapping[str, Any]) -> list[Any]:
        """What the driver is given for *parameters*."""
        values = self.named(parameters)
        return [values[name] for name in self.names]

    def named(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """The same for a driver that takes them by name."""
        values = {**self.given, **parameters}
        for name, encode in self.encoders.items():
            values[name] = encode(values[name])
        return values

    def decoded(self, rows: Sequence[Sequence[Any]]) -> Iterator[tuple[Any, ...]]:
        """The values of the *rows* that the driver answered."""
        columns = list[Iterable[Any]](zip(*rows, strict=True))
        if columns:
            for place, decode in self.decoders:
                columns[place] = map(decode, columns[place])
        return zip(*columns, strict=True)

    def first(self, rows: Sequence[Sequence[Any]]) -> Any:
        """The first of the *rows*, if there is one."""
        if not rows:
            return None
        values = list(rows[0])
        for place, decode in self.decoders:
            values[place] = decode(values[place])
        return self.row(values)

    def records(
        self, rows: Sequence[Sequence[Any]], like: dict[str, Any]
    ) -> list[dict[str, Any]]:
        """Dictionaries *like* this one, but for the values of the *rows* that the
        driver answered. What these have in common is read once, but for dictionaries,
        of which each row gets one of its own."""
        decoders = dict(self.decoders)
        common, own = like.copy(), dict[str, Iterable[Any]]()
        columns = zip(*rows, strict=True)
        for place, (name, values) in enumerate(zip(self.columns, columns)):  # noqa: B905 - of no rows there are no columns
            decode = decoders.get(place)
            if values.count(values[0]) == len(values):
                common[name] = decode(values[0]) if decode else values[0]
                if type(common[name]) is not dict:
                    continue
            own[name] = map(decode, values) if decode else values
        if not own:
            return [common.copy() for _ in rows]
        records = []
        for values in zip(*own.values(), strict=True):
            record = common.copy()
            record.update(zip(own, values))  # noqa: B905 - saying it takes as long as all the rest
            records.append(record)
        return records


@lru_cache(maxsize=8192)  # of all stores, those with names of their own as well
def prepared(clause: ClauseElement, dialect: Dialect) -> Statement:
    """*clause* as *dialect* has it, kept for the next time."""
    return compiled(clause, dialect)


def compiled(clause: ClauseElement, dialect: Dialect) -> Statement:
    """*clause* as *dialect* has it."""
    made = clause.compile(dialect=dialect)
    names: dict[BindParameter[Any], str] = made.bind_names  # type: ignore[attr-defined]  # of every SQL compiler
    binds = {name: each for each, name in names.items()}
    columns = clause.exported_columns if isinstance(clause, ReturnsRows) else None
    types = [each.type for each in columns or ()]
    answered = tuple(columns.keys() if columns else ())
    return Statement(
        str(made),
        tuple(made.positiontup or ()),  # type: ignore[attr-defined]  # likewise
        {name: each.value for name, each in binds.items() if not each.required},
        {
            name: encode
            for name, each in binds.items()
            if (encode := each.type.dialect_impl(dialect).bind_processor(dialect))
        },
        [
            (place, decode)
            for place, each in enumerate(types)
            if (decode := each.dialect_impl(dialect).result_processor(dialect, None))
        ],
        answered,
        _row(answered),
    )


def _row(names: Iterable[str]) -> Code:
    make: Code = namedtuple("Row", names, rename=True)._make  # type: ignore[attr-defined]  # its names come with the statement
    return make
