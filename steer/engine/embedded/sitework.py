"""What is done at one site in one step: gates are read, ops act, what they did is noted."""

from dataclasses import dataclass

import torch
from torch import Tensor

from steer.engine.embedded.batches import Batch, GateBatch, SiteWork
from steer.engine.embedded.encoders import Encoders
from steer.intervene.bank import Bank, Ledger
from steer.intervene.latents import activation, normalise
from steer.intervene.ops import OPS, keep_norm
from steer.intervene.readings import READINGS, is_open
from steer.store import Dictionary


@dataclass(frozen=True)
class Latent:
    """Which latent of a dictionary each of n activations is asked for; ``indices`` (n,)."""

    dictionary: Dictionary
    indices: Tensor


@dataclass(frozen=True)
class Desk:
    """What a device holds for interventions: bank, ledger, whole encoders."""

    bank: Bank
    ledger: Ledger
    encoders: Encoders


def apply(flat: Tensor, work: SiteWork, desk: Desk, opened: Tensor) -> None:
    """Do the work of a site on activations (tokens, d_model), in place.

    ``opened``: one boolean for each gate of the step; gates read here are written, others are
    read.
    """
    # Latents are read of h before any intervention here; so are gates.
    fresh = [_gather(flat, batch.tokens) if _reads_first(batch) else None for batch in work.batches]
    for gate in work.gates:
        _read(flat, gate, desk, opened)
    for batch, original in zip(work.batches, fresh, strict=True):
        _act(flat, batch, original, desk, opened)


def _reads_first(batch: Batch) -> bool:
    return batch.dictionary is not None and batch.kind.turn > 0


def _gather(flat: Tensor, tokens: Tensor) -> Tensor:
    return flat.index_select(0, tokens).float()


def _take(flat: Tensor, batch: Batch) -> Tensor:
    if batch.first is None:
        return _gather(flat, batch.tokens)
    # A copy in float32 too, where `float` would give a view that is then written to.
    return flat.narrow(0, batch.first, len(batch.tokens)).to(torch.float32, copy=True)


def _put(flat: Tensor, batch: Batch, written: Tensor) -> None:
    if batch.first is None:
        flat.index_copy_(0, batch.tokens, written)
    else:
        flat.narrow(0, batch.first, len(batch.tokens)).copy_(written)


def reading(
    kind: str, h: Tensor, rows: Tensor, params: Tensor, latent: Latent | None, encoders: Encoders
) -> Tensor:
    """What gates of one kind read of activations (n, d_model); (n,). ``rows`` (n, d_model)."""
    x = h
    if latent is not None:
        x, _ = normalise(h, latent.dictionary.spec.normalize.value)
        params = _with_choice(params, x, None, latent, encoders)
    return READINGS[kind](x, rows, params)


def _read(flat: Tensor, gate: GateBatch, desk: Desk, opened: Tensor) -> None:
    h, rows = _gather(flat, gate.tokens), desk.bank.gather(gate.rows)[:, 0]
    latent = Latent(gate.dictionary, gate.latents) if gate.dictionary else None
    found = reading(gate.kind.reading, h, rows, gate.params, latent, desk.encoders)
    opens = is_open(found, gate.threshold, gate.below, gate.absolute)
    opened.index_copy_(0, gate.places.to(opened.device), opens.to(opened.device))
    counted, ones = opens.float(), torch.ones_like(found)
    desk.ledger.note(gate.readings, found, ones, ones)
    desk.ledger.note(gate.opened, counted, ones, counted)


def _act(flat: Tensor, batch: Batch, original: Tensor | None, desk: Desk, opened: Tensor) -> None:
    before = _take(flat, batch)
    source = before if original is None else original
    if batch.directions is None:
        batch.directions = desk.bank.gather(batch.rows)
    rows, params, scale = batch.directions, batch.params, None
    if batch.dictionary is not None:
        source, scale = normalise(source, batch.kind.normalize)
        latent = Latent(batch.dictionary, batch.latents)
        params = _with_choice(params, source, batch.owner, latent, desk.encoders)
    change = OPS[batch.kind.op](_each(source, batch.owner), rows, params)
    if scale is not None:
        change = change * _each(scale, batch.owner)
    if batch.owner is not None:
        change = torch.zeros_like(before).index_add_(0, batch.owner, change)
    acts = batch.ones
    if batch.gates is not None:
        acts = opened.index_select(0, batch.gates.to(opened.device)).to(before.device).float()
        change = torch.where(acts[:, None] > 0, change, 0.0)
    after = before + change
    if batch.kind.keep_norm:
        after = keep_norm(before, after)
    written = after.to(flat.dtype)
    _put(flat, batch, written)
    # Of what was written, not of what was meant: rounding can swallow a small change.
    norms = torch.linalg.vector_norm(torch.stack([written.float() - before, before]), dim=-1)
    desk.ledger.note(batch.changes, norms[0], norms[1], acts)
    if batch.dictionary is not None:
        _note_latents(batch, batch.before, source, rows, params, acts, desk)
        again, _ = normalise(written.float(), batch.kind.normalize)
        latent = Latent(batch.dictionary, batch.latents)
        params = _with_choice(params, again, batch.owner, latent, desk.encoders)
        _note_latents(batch, batch.after, again, rows, params, acts, desk)


def _note_latents(
    batch: Batch, meters: Tensor, x: Tensor, rows: Tensor, params: Tensor, acts: Tensor, desk: Desk
) -> None:
    found = activation(_each(x, batch.owner), rows[:, 0], params[:, 3:])
    counted = _each(acts, batch.owner)
    desk.ledger.note(meters, found, torch.ones_like(found), counted)


def _each(tensor: Tensor, owner: Tensor | None) -> Tensor:
    """A row for each component instead of each token."""
    return tensor if owner is None else tensor.index_select(0, owner)


def _with_choice(
    params: Tensor, x: Tensor, owner: Tensor | None, latent: Latent, encoders: Encoders
) -> Tensor:
    """Of a top-k dictionary: parameters whose last, the threshold, lets through what was chosen
    at that token. Of others: ``params``."""
    if latent.dictionary.spec.k is None:
        return params
    chosen = encoders.chosen(latent.dictionary, x)
    token = torch.arange(len(x), device=x.device) if owner is None else owner
    let = torch.where(chosen[token, latent.indices], float("-inf"), float("inf"))
    return torch.cat([params[:, :-1], let[:, None]], -1)
