"""Statements that nearly every request runs, as SQLite takes them: their text is made once.

SQLAlchemy finds text, order of parameters and types anew at each execution, which takes 0.1 ms of a request's one.
"""

import json
from collections import namedtuple
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from functools import cached_property
from typing import Any

from sqlalchemy import Connection, Dialect, PoolProxiedConnection, String
from sqlalchemy.dialects import sqlite
from sqlalchemy.sql.compiler import SQLCompiler

Open = Connection | PoolProxiedConnection
DIALECT: Dialect = sqlite.dialect()

Convert = Callable[[Any], Any]


class Kept:
    """`statement`: a SELECT, or an INSERT of which `given` are the columns that its caller gives.

    It runs in the connection's transaction, if it is in one. The other columns of an INSERT get their defaults.
    """

    def __init__(self, statement: Any, *given: str) -> None:
        self._statement, self._given = statement, list(given) or None

    def run(self, connection: Open, **values: Any) -> None:
        """For what gives no rows. Raises what the driver does, as the others do, which the database translates."""
        run(connection, self._compiled.string, self._parameters(values))

    def all(self, connection: Open, **values: Any) -> list[Any]:
        """The rows of a SELECT, as named tuples, in one step of SQLite's.

        At each step the driver gives Python's lock up and waits for it again, which is long while others compute: the
        list's 99th percentile beside 64 creators was 31 and 32 ms with it, 22 to 27 without (benchmarks/floods).
        """
        (rows,) = run(connection, self._as_one_value, self._parameters(values)).fetchone()
        return [self._row(row) for row in json.loads(rows)]

    def each(self, connection: Open, **values: Any) -> Generator[Any, None, None]:
        """The rows one after the other, each read when it is asked for. To be closed where not all are."""
        with closing(run(connection, self._compiled.string, self._parameters(values))) as found:
            yield from map(self._row, found)

    def first(self, connection: Open, **values: Any) -> Any:
        """None where there is no row. Of an INSERT that gives some there is one, and all of it is done."""
        return next(iter([*self.each(connection, **values)]), None)

    def scalar(self, connection: Open, **values: Any) -> Any:
        """The first row's only column."""
        return self.first(connection, **values)[0]

    @cached_property
    def _compiled(self) -> SQLCompiler:
        """At its first use: of all statements together it would hold up a start."""
        return self._statement.compile(dialect=DIALECT, column_keys=self._given)

    @cached_property
    def _as_one_value(self) -> str:
        """SQLite leaves a subquery's order out for count(), min() and max() alone
        (https://sqlite.org/forum/forumpost/878ca7a9be0862af)."""
        names = ", ".join(map(_for_json, self._statement.exported_columns))
        return f"SELECT json_group_array(json_array({names})) FROM ({self._compiled.string})"  # noqa: S608

    @cached_property
    def _constants(self) -> dict[str, Any]:
        return dict(self._compiled.params)

    @cached_property
    def _defaults(self) -> list[tuple[str, Callable[[], Any]]]:
        columns = self._compiled.insert_prefetch if self._compiled.isinsert else ()
        return [(column.key, _maker_of(column.default)) for column in columns]

    @cached_property
    def _to_sqlite(self) -> list[tuple[str, Convert | None]]:
        """The parameters in their order."""
        types = {name: bind.type.dialect_impl(DIALECT) for name, bind in self._compiled.binds.items()}
        return [(name, types[name].bind_processor(DIALECT)) for name in self._compiled.positiontup or ()]

    @cached_property
    def _from_sqlite(self) -> list[tuple[int, Convert]]:
        """What makes something of a column's value, by the column's place."""
        types = [column.type.dialect_impl(DIALECT) for column in self._statement.exported_columns]
        converts = [kind.result_processor(DIALECT, None) for kind in types]
        return [(place, convert) for place, convert in enumerate(converts) if convert]

    @cached_property
    def _make(self) -> Callable[[Any], Any]:
        return namedtuple("Row", [column.key for column in self._statement.exported_columns])._make

    def _parameters(self, given: dict[str, Any]) -> list[Any]:
        values = self._constants | given
        for name, make in self._defaults:
            values[name] = make()
        return [convert(values[name]) if convert else values[name] for name, convert in self._to_sqlite]

    def _row(self, values: Any) -> Any:
        row = list(values)
        for place, convert in self._from_sqlite:
            row[place] = convert(row[place])
        return self._make(row)


def run(connection: Open, sql: str, parameters: Sequence[Any]) -> Any:
    """A cursor of the driver's."""
    pooled = connection.connection if isinstance(connection, Connection) else connection
    sqlite: Any = pooled.driver_connection
    return sqlite.execute(sql, parameters)


def _for_json(column: Any) -> str:
    """Text as text, also what somebody put in as a blob by hand, of which JSON knows nothing."""
    return f'CAST("{column.key}" AS TEXT)' if isinstance(column.type, String) else f'"{column.key}"'


def _maker_of(default: Any) -> Callable[[], Any]:
    return (lambda: default.arg(None)) if default.is_callable else (lambda: default.arg)
