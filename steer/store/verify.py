"""Checking everything a store holds."""

from collections.abc import Iterator

from steer.errors import FailedPrecondition, NotFound
from steer.store.address import is_name
from steer.store.references import References
from steer.store.removal import orphans
from steer.store.versions import Folder, Versions
from steer.types import Damage, StoreReport


def verify(versions: Versions, references: References) -> StoreReport:
    """Read every version, retired ones too, and every reference."""
    names = sorted(name for name in versions.files.folders() if is_name(name))
    folders = {name: versions.folder(name) for name in names}
    read = sum(len(folder.cards) for folder in folders.values())
    damage = [found for name in names for found in _check(versions, name, folders[name])]
    here = {v.address for name in names for v in versions.readable(name, folders[name])}
    damage += [
        Damage(address, f"{', '.join(references.by(address))} refers to it, and it is not here")
        for address in references.addresses()
        if address not in here
    ]
    left = [f"{n}/{file}" for n in names for file in orphans(versions, n, folders[n])]
    staging = versions.files.staging
    left += [f"upload {path.name}" for path in staging.iterdir()] if staging.is_dir() else []
    return StoreReport(read, tuple(damage), tuple(left))


def _check(versions: Versions, name: str, folder: Folder) -> Iterator[Damage]:
    there = {*folder.cards, *folder.gone}
    for number in range(1, folder.next):
        if number not in there:
            yield Damage(f"{name}@{number}", "its card is missing")
    for number in folder.cards:
        try:
            versions.load(versions.version(name, number, folder))
        except NotFound:
            continue
        except FailedPrecondition as error:
            yield Damage(f"{name}@{number}", error.message)
