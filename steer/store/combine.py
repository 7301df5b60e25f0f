"""New vectors from stored ones, with who their parents are on the card."""

from dataclasses import replace
from datetime import UTC, datetime

from steer.errors import FailedPrecondition
from steer.expressions import names, parse
from steer.store.algebra import evaluate
from steer.store.card import Card
from steer.store.kinds import Item, Vector
from steer.store.store import Store
from steer.store.used import USED, used_by_all
from steer.store.versions import Version

METHOD = "combination"


def combine(store: Store, name: str, text: str, description: str = "") -> Version:
    """Store the value of an expression as the newest version of ``name``.

    Strength, where and norms of the residual stream are those of the first vector in it. The card's
    ``parameters`` hold the expression, the address of every parent with its hash, and the splits
    that any of them was chosen on, where all of them say.

    Raises:
        InvalidRequest: the expression or the name is none.
        NotFound: a parent is not stored, or lacks a site that another has.
        FailedPrecondition: parents are not directions, or of different models; the value is zero.
    """
    node = parse(text)
    parents = {address: store.resolve(address) for address in names(node)}
    items = {address: store.get(version.address) for address, version in parents.items()}
    vectors = {address: _vector(item, address) for address, item in items.items()}
    first = next(iter(vectors.values())).card
    for address, vector in vectors.items():
        _check_same_model(first, vector.card, address)
    used = used_by_all(vector.card for vector in vectors.values())
    arrays = evaluate(node, {address: vector.tensors for address, vector in vectors.items()})
    card = replace(
        first,
        sites=tuple(arrays),
        residual_norms={s: norm for s, norm in first.residual_norms.items() if s in arrays},
        method=METHOD,
        description=description or text,
        parameters={
            "expression": text,
            "parents": {address: version.address for address, version in parents.items()},
            **({} if used is None else {USED: used}),
        },
        data_hash="",
        measured={},
        licence="; ".join(
            dict.fromkeys(v.card.licence for v in vectors.values() if v.card.licence)
        ),
        created=datetime.now(UTC).date().isoformat(),
        norms={},
        content_hash="",
        sha256="",
    )
    return store.add(Vector(name, arrays, card))


def _vector(item: Item, address: str) -> Vector:
    if not isinstance(item, Vector):
        message = f"{address!r} is a {item.kind}; only directions are combined"
        raise FailedPrecondition(message, reason="WRONG_KIND")
    return item


def _check_same_model(first: Card, card: Card, address: str) -> None:
    if card.d_model != first.d_model:
        message = f"{address!r} has width {card.d_model}, the first vector {first.d_model}"
        raise FailedPrecondition(message, reason="WIDTH_MISMATCH")
    mine, theirs = (one.fingerprint or one.model for one in (first, card))
    if mine != theirs:
        message = f"{address!r} was made for {card.model} ({theirs}), the first vector for {mine}"
        raise FailedPrecondition(message, reason="MODEL_MISMATCH")
