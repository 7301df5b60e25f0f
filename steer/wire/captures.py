"""Captures: what is read while a trial runs, and what comes back."""

from collections.abc import Iterable

import steer.v1 as pb
from steer.types import (
    CapturedActivations,
    CapturedFeatures,
    CaptureTrial,
    FeatureReadout,
    HeldCapture,
    Latents,
)
from steer.wire.check import Check
from steer.wire.operands import build_site, parse_site, parse_sites
from steer.wire.trials import build_trial, read_trial
from steer.wire.where import build_where, parse_where

MAX_TOP_K = 1000


def build_capture(capture: CaptureTrial) -> pb.CaptureRequest:
    """A capture."""
    return pb.CaptureRequest(
        trial=build_trial(capture.trial),
        sites=[build_site(site) for site in capture.sites],
        where=build_where(capture.where),
        features=[_build_readout(readout) for readout in capture.features],
        keep=capture.keep,
    )


def read_capture(message: pb.CaptureRequest, check: Check) -> CaptureTrial:
    """A capture."""
    capture = CaptureTrial(
        trial=read_trial(message.trial, check.at("trial")),
        sites=parse_sites(message.sites, check),
        where=parse_where(message.where, check.at("where")),
        features=_read_readouts(message, check),
        keep=message.keep,
    )
    if not (capture.sites or capture.features):
        check.at("sites").fail("REQUIRED", "is empty, as is features; give a site or a dictionary")
    elif capture.keep and not capture.sites:
        check.at("keep").fail("CONTRADICTORY", "keeps activations; give the sites to keep them of")
    return capture


def _build_readout(readout: FeatureReadout) -> pb.FeatureReadout:
    return pb.FeatureReadout(
        dictionary=readout.dictionary, top_k=readout.top_k, indices=readout.indices
    )


def _read_readouts(message: pb.CaptureRequest, check: Check) -> tuple[FeatureReadout, ...]:
    readouts = tuple(
        _read_readout(one, check.at("features", i)) for i, one in enumerate(message.features)
    )
    names = (readout.dictionary for readout in readouts)
    check.at("features").distinct(names, "names a dictionary twice; give each of them once")
    return readouts


def _read_readout(message: pb.FeatureReadout, check: Check) -> FeatureReadout:
    if not (message.top_k or message.indices):
        check.fail("REQUIRED", "reads nothing; give top_k or indices")
    check.at("top_k").within(message.top_k, 0, MAX_TOP_K)
    return FeatureReadout(
        dictionary=check.at("dictionary").require(message.dictionary),
        top_k=message.top_k,
        indices=check.at("indices").distinct(
            message.indices, "names a latent twice; give each of them once"
        ),
    )


def build_activations(captured: CapturedActivations) -> pb.CapturedActivations:
    """Activations of one row at one site."""
    count = len(captured.positions)
    width = len(captured.data) // (4 * count) if count else 0
    tensor = pb.Tensor(shape=[count, width], dtype=pb.D_TYPE_FLOAT32, data=captured.data)
    return pb.CapturedActivations(
        arm=captured.arm,
        sample=captured.sample,
        site=build_site(captured.site),
        positions=captured.positions,
        tensor=tensor,
    )


def parse_activations(message: pb.CapturedActivations) -> CapturedActivations:
    """Activations of one row at one site."""
    return CapturedActivations(
        arm=message.arm,
        sample=message.sample,
        site=parse_site(message.site, Check.begin()),
        positions=tuple(message.positions),
        data=message.tensor.data,
    )


def build_features(captured: CapturedFeatures) -> pb.CapturedFeatures:
    """Features of one row."""
    latents = [
        pb.LatentActivations(indices=one.indices, activations=one.activations)
        for one in captured.latents
    ]
    return pb.CapturedFeatures(
        arm=captured.arm,
        sample=captured.sample,
        dictionary=captured.dictionary,
        positions=captured.positions,
        latents=latents,
    )


def parse_features(message: pb.CapturedFeatures) -> CapturedFeatures:
    """Features of one row."""
    return CapturedFeatures(
        arm=message.arm,
        sample=message.sample,
        dictionary=message.dictionary,
        positions=tuple(message.positions),
        latents=tuple(
            Latents(tuple(one.indices), tuple(one.activations)) for one in message.latents
        ),
    )


def build_held(captures: Iterable[HeldCapture]) -> pb.HeldCaptures:
    """Everything that was kept."""
    held = [
        pb.HeldCapture(arm=one.arm, sample=one.sample, capture_id=one.capture_id, size=one.size)
        for one in captures
    ]
    return pb.HeldCaptures(captures=held)


def parse_held(message: pb.HeldCaptures) -> tuple[HeldCapture, ...]:
    """Everything that was kept."""
    return tuple(
        HeldCapture(one.arm, one.sample, one.capture_id, one.size) for one in message.captures
    )
