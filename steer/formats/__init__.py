"""Foreign files of steering vectors and dictionaries: read into items, written from items.

``read(Source.of_path(path), Options(...))`` or ``read(Source.of_files(files))`` gives an
``Understood``: the item, and an account in words of what was understood; ``save`` stores it.
``write(item, "gguf")`` gives the files of an item.
"""

from steer.foreign import Account, Options
from steer.formats.refusal import ChoiceNeeded
from steer.formats.source import File, Source
from steer.formats.table import FORMATS, Format, detect, read
from steer.formats.understood import Understood
from steer.formats.writers import WRITERS, Output, Written, write

__all__ = [
    "FORMATS",
    "WRITERS",
    "Account",
    "ChoiceNeeded",
    "File",
    "Format",
    "Options",
    "Output",
    "Source",
    "Understood",
    "Written",
    "detect",
    "read",
    "write",
]
