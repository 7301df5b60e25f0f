"""Where a store's files are: a local folder, or anything fsspec reaches."""

from pathlib import Path

from steer.errors import FailedPrecondition
from steer.store.files.base import Entry, Files, Mark, Stamp
from steer.store.files.local import LocalFiles


def open_files(root: str | Path) -> Files:
    """The files below a folder or a URL (``s3://bucket/vectors``). Only the latter needs fsspec.

    Raises FailedPrecondition for a URL that nothing installed can open.
    """
    if isinstance(root, str) and "://" in root and not root.startswith("file://"):
        try:
            from steer.store.files.remote import RemoteFiles

            return RemoteFiles(root)
        except (ImportError, ValueError) as error:
            message = f"the store {root} can not be opened: {error}"
            raise FailedPrecondition(message, reason="STORE_UNKNOWN") from error
    return LocalFiles(Path(str(root).removeprefix("file://")))


__all__ = ["Entry", "Files", "LocalFiles", "Mark", "Stamp", "open_files"]
