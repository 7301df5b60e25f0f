"""What came of reading: an item without a name, and the account of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, cast

import numpy as np

from steer.errors import InvalidRequest
from steer.foreign import Account
from steer.formats.draft import Draft
from steer.formats.layout import spool
from steer.formats.matrix import Array, Matrix
from steer.formats.reading import Reading
from steer.formats.scratch import Scratch
from steer.store import KINDS, Card, Item, Store, Version
from steer.store.checks import Tensors
from steer.types import Strength

_CHUNK = 1 << 20


@dataclass(frozen=True)
class Understood:
    """An item (its ``name`` is empty) and the account. Nothing is stored yet."""

    item: Item
    account: Account
    _scratch: Scratch | None = field(default=None, repr=False)

    def save(self, store: Store, name: str, card: Card | None = None) -> Version:
        """Store the item as the newest version of a name; memory stays small.

        ``card``: the item's with what the caller knows better (model, fingerprint, licence).
        Raises InvalidRequest for a bad name or a card that does not fit.
        """
        card = card or self.item.card
        if self._scratch is None:
            return store.add(replace(cast(Any, self.item), name=name, card=card))
        with store.upload(name, card, self._scratch.file.seek(0, 2)) as upload:
            try:
                while piece := self._scratch.read(upload.offset, _CHUNK):
                    upload.write(piece)
                return upload.commit()
            except BaseException:
                upload.discard()
                raise


def understand(format: str, reading: Reading, draft: Draft) -> Understood:
    """Check what a reader found and make the item. Raises InvalidRequest with all that is wrong."""
    reading.check_options()
    reading.found.raise_if_any()
    card = _own_card(reading, draft.card) if draft.card else _card(format, reading, draft)
    scratch, checked = None, None
    if draft.spec is not None:
        scratch, checked = spool(draft.tensors)
    item = KINDS[draft.kind].read("", card, checked or _checked(draft.tensors))
    norms = item.norms()
    account = Account(
        format=format,
        writer=draft.writer,
        kind=draft.kind,
        model=card.model,
        d_model=card.d_model,
        sites=card.sites,
        norms=tuple(norms[site] for site in card.sites),
        convention=draft.convention,
        scale=draft.scale,
        detail=_detail(draft),
        dropped=tuple(reading.dropped),
        folded=tuple(reading.folded),
        warnings=tuple(reading.warnings),
    )
    return Understood(item, account, scratch)


def _card(format: str, reading: Reading, draft: Draft) -> Card:
    sites = tuple(sorted(draft.sites))
    strength = reading.options.strength
    doubled = {str(site) for site in sites if sites.count(site) > 1}
    if doubled:
        message = f"several of the file's layers would be our {', '.join(sorted(doubled))}"
        raise InvalidRequest(message, reason="DUPLICATE")
    if draft.d_model < 1 or not sites:
        raise InvalidRequest("there is no tensor in it that could be read", reason="EMPTY")
    imported = {"format": format, "writer": draft.writer, "layers": draft.convention}
    return Card(
        model=reading.options.model or draft.model,
        revision=draft.revision,
        fingerprint="",
        d_model=draft.d_model,
        sites=sites,
        method=draft.method,
        kind=draft.kind,
        description=draft.description,
        residual_norms=draft.residual_norms,
        strength=Strength(draft.strength if strength is None else strength),
        parameters={"imported": imported, **draft.parameters},
        licence="unknown",
        dictionary=draft.spec,
        measured=draft.measured,
        data_hash=draft.data_hash,
        created=draft.created,
    )


def _own_card(reading: Reading, card: Card) -> Card:
    """A card of ours, without what the store fills in."""
    model, strength = reading.options.model, reading.options.strength
    return replace(
        card,
        model=model or card.model,
        strength=card.strength if strength is None else Strength(strength),
        norms={},
        content_hash="",
        sha256="",
    )


def _checked(parts: Mapping[str, Array | Matrix]) -> Tensors:
    arrays = {name: cast(Array, part) for name, part in parts.items()}
    return Tensors(
        arrays,
        not_finite=frozenset(n for n, array in arrays.items() if not np.isfinite(array).all()),
        zero=frozenset(name for name, array in arrays.items() if not array.any()),
    )


def _detail(draft: Draft) -> str:
    if draft.spec is None:
        return ""
    spec = draft.spec
    parts = [f"{spec.d_sae} latents", spec.architecture.value]
    parts += [f"k = {spec.k}"] if spec.k else []
    parts += [f"input {spec.normalize.value}"] if spec.normalize != "none" else []
    parts += ["b_dec subtracted from the input"] if spec.apply_b_dec_to_input else []
    parts += [f"writes {spec.site_out}"] if spec.site_out else []
    return ", " + ", ".join(parts)
