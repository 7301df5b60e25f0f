"""The formats that are known, and finding out which one a source is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from steer.errors import InvalidRequest, SteerError
from steer.foreign import Options
from steer.formats.draft import Draft
from steer.formats.readers import (
    axbench,
    control_vector,
    dictionary_learning,
    layers,
    linear_sae,
    lm_eval,
    own,
    reft,
    repsteer,
    saelens,
    scope,
    sparsify,
    steerkit,
    svec,
)
from steer.formats.reading import Reading
from steer.formats.refusal import refuse
from steer.formats.source import Source
from steer.formats.understood import Understood, understand


@dataclass(frozen=True, slots=True)
class Format:
    """A format: what it is called, whether a source is one, and how it is read.

    ``recognise`` looks at names and, where they do not tell, at headers. ``read`` takes options and
    leaves notes through the reading.
    """

    description: str
    recognise: Callable[[Source], bool]
    read: Callable[[Reading], Draft]


FORMATS: Mapping[str, Format] = {
    "gguf": Format("GGUF control vector", control_vector.recognise, control_vector.read),
    "lm-eval-csv": Format("lm-eval steering csv", lm_eval.recognise_csv, lm_eval.read_csv),
    "steer": Format("our safetensors", own.recognise, own.read),
    "repsteer": Format("repsteer bundle", repsteer.recognise, repsteer.read),
    "steerkit": Format("steerkit probe", steerkit.recognise, steerkit.read),
    "llama-scope": Format("Llama Scope SAE", scope.recognise_llama, scope.read_llama),
    "saelens": Format("SAELens folder", saelens.recognise, saelens.read),
    "sparsify": Format("sparsify folder", sparsify.recognise, sparsify.read),
    "gemma-scope": Format("Gemma Scope npz", scope.recognise_gemma, scope.read_gemma),
    "gemma-scope-2": Format("Gemma Scope 2", scope.recognise_gemma_2, scope.read_gemma_2),
    "dictionary-learning": Format(
        "dictionary_learning folder",
        dictionary_learning.recognise,
        dictionary_learning.read,
    ),
    "svec": Format("IBM svec", svec.recognise, svec.read),
    "reft": Format("pyreft or pyvene folder", reft.recognise, reft.read),
    "axbench": Format("AxBench weights", axbench.recognise, axbench.read),
    "axbench-sae": Format("AxBench's SAE", axbench.recognise_sae, axbench.read_sae),
    "goodfire": Format("Goodfire SAE", linear_sae.recognise_goodfire, linear_sae.read_goodfire),
    "qwen-scope": Format("Qwen Scope SAE", linear_sae.recognise_qwen, linear_sae.read_qwen),
    "lm-eval": Format("lm-eval steering vectors", lm_eval.recognise_torch, lm_eval.read_torch),
    "safetensors": Format(
        "directions by layer in safetensors",
        layers.recognise_safetensors,
        layers.read_layers_safetensors,
    ),
    "torch": Format(
        "directions by layer of torch (hotwire, hidden-directions)",
        layers.recognise_torch,
        layers.read_layers_torch,
    ),
    "numpy": Format(
        "directions by layer of numpy", layers.recognise_numpy, layers.read_layers_numpy
    ),
}
"""By name. The first that recognises a source is it, so that those who know more come first."""


def detect(source: Source) -> str:
    """The name of the source's format.

    Raises InvalidRequest when it is none of them, or when its files can not be looked at.
    """
    if not source.files:
        refuse("files", "EMPTY", "are none")
    for name, row in FORMATS.items():
        if row.recognise(source):
            return name
    listed = "; ".join(f"{name} ({row.description})" for name, row in FORMATS.items())
    shown = ", ".join(list(source.files)[:10])
    refuse("files", "UNKNOWN_FORMAT", f"({shown}) are of none of the formats: {listed}")


def read(source: Source, options: Options | None = None) -> Understood:
    """Read a source; nothing is stored.

    Raises:
        ChoiceNeeded: it holds several things; the error lists them.
        InvalidRequest: everything else that is wrong with it or with the options.
    """
    options = options or Options()
    reading = Reading(source, options)
    try:
        # Values that are no numbers, or do not fit float32, are refused when all are there.
        with np.errstate(all="ignore"):
            name = _said(source, options.format) if options.format else detect(source)
            draft = _draft(FORMATS[name], reading)
            return understand(FORMATS[name].description, reading, draft)
    finally:
        source.forget()


def _said(source: Source, name: str) -> str:
    """The format someone says it is; readers rely on what is recognised."""
    if name not in FORMATS:
        listed = ", ".join(FORMATS)
        refuse("options.format", "NOT_FOUND", f"is {name!r}, want one of {listed}")
    if not FORMATS[name].recognise(source):
        message = f"is {name!r}, but nothing here looks like {FORMATS[name].description}"
        refuse("options.format", "NOT_THIS", message)
    return name


def _draft(format: Format, reading: Reading) -> Draft:
    try:
        return format.read(reading)
    except SteerError:
        # What was noted before comes along, so that everything wrong is said at once.
        reading.found.raise_if_any()
        raise


__all__ = ["FORMATS", "Format", "InvalidRequest", "detect", "read"]
