"""AxBench: one row for each concept.

``<Method>_weight.pt`` (concepts, width) and ``<Method>_bias.pt`` (concepts,), rows in the order of
training (``axbench/models/model.py``); added to the output of a block, times ``factor · max_act``
of the concept, which lies elsewhere. The layer is in no file; runs are called ``…_l20_…``.
"""

import re

from steer.formats.containers.pickled import read_pickled
from steer.formats.draft import Draft
from steer.formats.hooks import Place, said_site
from steer.formats.matrix import Array, Tensor
from steer.formats.readers.linear_sae import tensors_of
from steer.formats.reading import Reading
from steer.formats.refusal import refuse
from steer.formats.sae import Origin, Sae, Weights, sae_draft
from steer.formats.source import File, Source
from steer.store import Architecture

_WEIGHT, _BIAS = "_weight.pt", "_bias.pt"
_RUN = re.compile(r"_l(?P<layer>\d{1,3})(?:_|/|$)")
KINDS = ("direction", "probe")
_SAE = {"W_enc", "W_dec", "b_enc", "b_dec", "threshold"}
_OWN = {"encoder_bias": "b_enc", "threshold": "threshold"}
_NOWHERE = "AxBench has the layer in no file"
_CONVENTION = "not in the file: said by you or by the name of the run; output of the block"


def recognise(source: Source) -> bool:
    """Files that are called so."""
    return bool(source.ending(_WEIGHT))


def read(reading: Reading) -> Draft:
    """One row of one method; with its bias as a probe where ``kind`` says so."""
    source = reading.source
    methods = {file.name.removesuffix(_WEIGHT): file for file in source.ending(_WEIGHT)}
    method, file = reading.choose(methods, "methods")
    weight = _tensor(file, 2)
    row = _row(reading.rest_of_choice(), method, weight.shape[0])
    site = said_site(reading, _hint(reading, file), _NOWHERE)
    kind = reading.take("kind") or "direction"
    if kind not in KINDS:
        reading.found.add("options.kind", "NOT_FOUND", f"is {kind!r}, want {' or '.join(KINDS)}")
    values = weight.matrix().rows(row, row + 1)[0]
    parts = {str(site): values} if kind == "direction" else _probe(reading, file, row, values, site)
    if kind == "direction":
        reading.dropped.append("the bias of the row (kind=probe keeps it)")
    reading.dropped.append(f"the other {weight.shape[0] - 1} rows")
    return Draft(
        kind,
        (site,),
        parts,
        weight.shape[1],
        "AxBench",
        _CONVENTION,
        scale="AxBench adds it times factor · max_act of the concept, which is not in the file",
        method=method,
        parameters={"row": row},
    )


def recognise_sae(source: Source) -> bool:
    """One file of torch with exactly these tensors."""
    files = source.ending(".pt")
    return len(files) == len(source.files) == 1 and tensors_of(files[0]).keys() == _SAE


def read_sae(reading: Reading) -> Draft:
    """The latents of a Gemma Scope SAE that AxBench kept (``axbench/models/sae.py``)."""
    file = reading.source.ending(".pt")[0]
    weights = Weights(reading, tensors_of(file))
    sae = Sae(
        Architecture.JUMPRELU,
        said_site(reading, _hint(reading, file), _NOWHERE),
        weights.matrix("W_enc").T,
        weights.matrix("W_dec"),
        weights.vector("b_dec"),
        {name: weights.vector(theirs) for name, theirs in _OWN.items()},
        apply_b_dec_to_input=False,
    )
    reading.warnings.append("only some latents of an SAE: what it gives out is not all of h")
    return sae_draft(reading, sae, Origin("AxBench", _CONVENTION, method="jumprelu"))


def _hint(reading: Reading, file: File) -> Place | None:
    run = _RUN.search(reading.source.where(file).lower())
    return Place(int(run["layer"])) if run else None


def _row(text: str, method: str, rows: int) -> int:
    """The chosen row: of a choice ``3``, or ``LsReFT:3`` where there are several methods."""
    row = int(text) if text.isdecimal() and len(text) < 10 else rows
    if row >= rows:
        message = f"is {text!r}, want a concept's row of {method}: 0 to {rows - 1}"
        refuse("options.choice", "CHOICE_NEEDED", message)
    return row


def _probe(reading: Reading, file: File, row: int, weight: Array, site: object) -> dict[str, Array]:
    """sigmoid(w·h + b), as AxBench's ``probe.py`` trains it."""
    beside = reading.source.beside(file, file.name.removesuffix(_WEIGHT) + _BIAS)
    if beside is None:
        refuse("files", "MISSING", f"{file.path} has no {_BIAS} beside it, which a probe needs")
    bias = _tensor(beside, 1)
    if bias.shape[0] <= row:
        refuse(beside.at, "WRONG_SHAPE", f"has {bias.shape[0]} values, want one for row {row}")
    return {f"weight.{site}": weight, f"bias.{site}": bias.read(row, row + 1)}


def _tensor(file: File, sides: int) -> Tensor:
    content = read_pickled(file)
    if not isinstance(content, Tensor) or len(content.shape) != sides:
        refuse(file.at, "WRONG_SHAPE", f"is not a tensor with {sides} sides")
    return content
