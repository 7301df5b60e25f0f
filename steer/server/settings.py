"""What a server can be told, in one place. ``steer serve`` has one option for each field."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of a server.

    ``address``: ``HOST:PORT`` (port 0 picks one) or ``unix:PATH``. ``store``: folder or URL of the
    store (``s3://bucket/vectors``); None is the user's own folder. ``bundled``: whether the vectors
    that are shipped are there too, below the store. ``kv_tokens``: token positions of key-value
    memory; 0 chooses from the memory there is. ``step_tokens``: most tokens in one forward pass,
    which bounds how long a long prompt can hold up the others. ``max_queue``: rows that may wait.
    ``threads``: CPU threads of torch; 0 leaves torch's choice. ``max_upload_bytes``: of the tensor
    file of an upload, or all files of an import. ``capture_bytes``: memory for
    captures that are kept for the op ``replace``. ``drain_seconds``: how long SIGTERM lets running
    rows finish. ``database``: where runs are kept, the path of a SQLite file or a URL of SQLAlchemy
    (``postgresql://…``); None is ``.runs/runs.sqlite`` in the store. ``lease_seconds``: after how
    long without a sign of life a run of another server on the same database is taken over.
    """

    model: str = "organism/a1"
    revision: str = ""
    address: str = "127.0.0.1:50051"
    store: str | None = None
    bundled: bool = True
    dtype: str = "auto"
    device: str = "auto"
    max_rows: int = 256
    kv_tokens: int = 0
    step_tokens: int = 512
    max_queue: int = 4096
    threads: int = 0
    max_message_bytes: int = 64 * 2**20
    max_upload_bytes: int = 16 * 2**30
    capture_bytes: int = 2**30
    drain_seconds: float = 30.0
    database: str | None = None
    lease_seconds: float = 10.0
    reflection: bool = True
    insecure: bool = False
