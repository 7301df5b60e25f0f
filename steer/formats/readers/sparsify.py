"""Folders of EleutherAI's sparsify: ``<hookpoint>/cfg.json`` and ``sae.safetensors``.

By ``sparsify/sparse_coder.py``: ``encoder.weight`` and ``W_dec`` are both (latents, d), the
decoder's bias is subtracted unless it transcodes, activation is the top k of relu. The hookpoint is
the module whose output is reconstructed; a transcoder reads what enters it.
"""

import re

from steer.formats.containers.safetensors import read_safetensors
from steer.formats.draft import Draft
from steer.formats.fields import Fields
from steer.formats.hooks import Place, place, said_site
from steer.formats.reading import Reading
from steer.formats.sae import Origin, Sae, Weights, sae_draft
from steer.formats.source import File, Source
from steer.store import Architecture
from steer.types import Point, Site

_CONFIG, _WEIGHTS = "cfg.json", "sae.safetensors"
_HOOKPOINT = re.compile(r"(?:.*/)?(?P<name>[\w.]*(?:layers|h|embed)[\w.]*)")


def recognise(source: Source) -> bool:
    """Folders with both files, however deep."""
    return bool(source.folders(_WEIGHTS, _CONFIG))


def read(reading: Reading) -> Draft:
    """One of the hookpoints."""
    folder, file = reading.choose(reading.source.folders(_WEIGHTS, _CONFIG), "hookpoints")
    config = reading.source.beside(file, _CONFIG)
    assert config is not None
    fields = reading.json(config)
    if fields.get("activation", "topk") != "topk":
        message = "is not topk: groupmax takes the largest of each group of latents"
        fields.refuse("activation", message)
    if fields.get("signed", False):
        fields.refuse("signed", "takes the largest by size, whatever their sign")
    transcode = fields.get("transcode", False)
    site, out = _sites(reading, f"{reading.source.label}/{file.folder}".rstrip("/"), transcode)
    weights = Weights(reading, read_safetensors(file).tensors)
    encoder = weights.matrix("encoder.weight")
    sae = Sae(
        Architecture.TOPK,
        site,
        encoder,
        weights.matrix("W_dec"),
        weights.vector("b_dec"),
        {"encoder_bias": weights.vector("encoder.bias")},
        apply_b_dec_to_input=not transcode,
        k=fields.size("k"),
        site_out=out,
        skip=weights.matrix("W_skip") if "W_skip" in weights else None,
    )
    _check(reading, fields, sae)
    weights.tell_rest()
    origin = Origin(
        "EleutherAI sparsify",
        convention="the module the folder is called after, as ours",
        model=_model(reading, file),
        method="topk",
        parameters={"folder": folder},
    )
    return sae_draft(reading, sae, origin)


def _sites(reading: Reading, path: str, transcode: bool) -> tuple[Site, Site | None]:
    """The hookpoint is the last part of the path, also where the folder itself was given."""
    match = _HOOKPOINT.fullmatch(path)
    hint = place(match["name"]) if match else None
    if not transcode:
        return said_site(reading, hint, "the folder is not called after a module"), None
    if hint is not None and not hint.problem and hint.point is Point.RESID_POST:
        before = Place(hint.index, Point.RESID_PRE)
        return said_site(reading, before, ""), reading.site(hint.index)
    if hint is not None and not hint.problem:
        inside = Place(problem=f"a transcoder of {hint.point} reads what enters that module")
        return said_site(reading, inside, ""), reading.site(hint.index, 0, hint.point)
    return said_site(reading, hint, "the folder is not called after a module"), Site(0)


def _check(reading: Reading, fields: Fields, sae: Sae) -> None:
    width = fields.size("d_in")
    if sae.encoder.shape[1] != width and not reading.found:
        message = f"has shape {sae.encoder.shape}, the configuration says d_in {width}"
        reading.found.add("tensors[encoder.weight]", "WRONG_SHAPE", message)
    latents = fields.get("num_latents", 0)
    if latents and latents != sae.encoder.shape[0] and not reading.found:
        message = f"has shape {sae.encoder.shape}, the configuration says num_latents {latents}"
        reading.found.add("tensors[encoder.weight]", "WRONG_SHAPE", message)
    if sae.skip is not None and sae.site_out is None:
        fields.refuse("skip_connection", "is there without transcode")
    reading.found.raise_if_any()


def _model(reading: Reading, file: File) -> str:
    """The run's own configuration lies beside the hookpoints."""
    above = file.folder.rpartition("/")[0]
    config = reading.source.files.get(f"{above}/config.json".lstrip("/"))
    return reading.json(config).text("model") if config else ""
