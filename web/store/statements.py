"""Parts of SQL statements whose columns depend on what is changed."""

from collections.abc import Iterable

from psycopg import sql


def assignments(names: Iterable[str]) -> sql.Composed:
    """Return `name = %(name)s, ...` of columns, for an UPDATE."""
    pairs = (sql.SQL("{} = {}").format(sql.Identifier(name), sql.Placeholder(name)) for name in names)
    return sql.SQL(", ").join(pairs)
