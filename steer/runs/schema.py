"""Tables of stored runs, and how older ones become these."""

from collections.abc import Callable, Mapping

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    inspect,
    select,
    text,
)

from steer.errors import FailedPrecondition

VERSION = 1
LONGEST_ID = 63
LONGEST_KEY = 200

_tables = MetaData()
# One row. The names have a prefix, so that the tables can share a database with others.
versions = Table("steer_schema", _tables, Column("version", Integer, nullable=False))
runs = Table(
    "steer_runs",
    _tables,
    Column("id", String(LONGEST_ID), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("state", String(16), nullable=False),
    # Protobuf's JSON of RunSpec; what its names were pinned to is in it, and listed in ``pins``.
    Column("spec", Text, nullable=False),
    Column("spec_hash", String(80), nullable=False),
    # Hash of the spec as it was asked for, so that the same call finds the same run.
    Column("asked_hash", String(80), nullable=False),
    Column("pins", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("created", Double, nullable=False),
    Column("started", Double),
    Column("ended", Double),
    Column("sequence", BigInteger, nullable=False),
    Column("total", Integer, nullable=False),
    Column("done", Integer, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("cancelling", Boolean, nullable=False),
    # Who executes it, and a number that grows while they live.
    Column("owner", String(32), nullable=False),
    Column("beat", BigInteger, nullable=False),
    Column("failure", Text),
    Column("report", Text),
    Index("steer_runs_by_time", "created", "id"),
)
units = Table(
    "steer_units",
    _tables,
    Column("run_id", ForeignKey("steer_runs.id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("key", String(LONGEST_KEY), nullable=False),
    Column("payload", Text, nullable=False),
    # Of the run, when the result came; both are there or neither.
    Column("sequence", BigInteger),
    Column("result", Text),
    UniqueConstraint("run_id", "key", name="steer_units_by_key"),
    Index("steer_units_by_sequence", "run_id", "sequence"),
)

Step = Callable[[Connection], None]
STEPS: Mapping[int, Step] = {}
"""How tables of version n become those of n+1."""


def prepare(
    connection: Connection, name: str, steps: Mapping[int, Step] = STEPS, target: int = VERSION
) -> None:
    """Bring the tables to version ``target``, in the caller's transaction.

    Raises FailedPrecondition, with nothing changed, when a newer version of steer made them.
    """
    if connection.dialect.name == "postgresql":
        # Two that make the same table at once get in each other's way, and so do two that migrate.
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('steer_schema'))"))
    if not inspect(connection).has_table(versions.name):
        _tables.create_all(connection)
        connection.execute(versions.insert().values(version=VERSION))
    found = connection.execute(select(versions.c.version)).scalar_one()
    if found > target:
        message = (
            f"the database {name} has version {found} of the tables of runs, this server knows "
            f"{target}; it was left as it is: use a newer server, or another database"
        )
        raise FailedPrecondition(message, reason="DATABASE_NEWER")
    for version in range(found, target):
        steps[version](connection)
        connection.execute(versions.update().values(version=version + 1))
