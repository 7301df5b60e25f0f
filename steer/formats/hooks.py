"""Names others have for places in a network, and which of ours they are.

Names of TransformerLens (``blocks.3.hook_resid_post``; which point each is: its
``components/transformer_block.py``) and of modules of transformers (``model.layers.3.mlp``, of
which the output is meant). TransformerLens' ``hook_mlp_in`` is the residual stream before the norm
of the MLP. ``hook_attn_out`` and ``hook_mlp_out`` are after the post-norm where a model has one, as
ours are.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from steer.formats.reading import Reading
from steer.types import Point, Site

_LENS: Mapping[str, Point] = {
    "hook_resid_pre": Point.RESID_PRE,
    "hook_resid_mid": Point.RESID_MID,
    "hook_mlp_in": Point.RESID_MID,
    "hook_resid_post": Point.RESID_POST,
    "hook_attn_out": Point.ATTN_OUT,
    "hook_mlp_out": Point.MLP_OUT,
    "hook_in": Point.RESID_PRE,
    "hook_out": Point.RESID_POST,
}
_MODULES: Mapping[str, Point] = {
    "": Point.RESID_POST,
    "mlp": Point.MLP_OUT,
    "block_sparse_moe": Point.MLP_OUT,
    "post_feedforward_layernorm": Point.MLP_OUT,
    "self_attn": Point.ATTN_OUT,
    "attn": Point.ATTN_OUT,
    "attention": Point.ATTN_OUT,
}
_LENS_NAME = re.compile(r"blocks\.(?P<layer>\d{1,4})\.(?P<hook>[\w.]+)")
_MODULE_NAME = re.compile(
    r"(?:(?:base_)?model\.|language_model\.|transformer\.|gpt_neox\.|backbone\.)*"
    r"(?:layers|h|blocks)[._\[](?P<layer>\d{1,4})\]?(?:\.(?P<module>[\w.]+?))??(?:\.output)?"
)
_OWN_NAME = re.compile(rf"(?P<point>{'|'.join(Point)})\.(?P<layer>\d{{1,4}})")
EMBEDDING = {"hook_embed", "embed_tokens", "model.embed_tokens", "wte", "transformer.wte"}


@dataclass(frozen=True)
class Place:
    """Our name of a place: index (of the file) and point; or ``problem``, why it has none."""

    index: int = 0
    point: Point = Point.RESID_POST
    problem: str = ""
    note: str = ""


def place(name: str) -> Place:
    """What a hook or module of that name is, or a site as we write it."""
    own = _OWN_NAME.fullmatch(name)
    if own:
        return Place(int(own["layer"]), Point(own["point"]))
    if name in EMBEDDING:
        note = f"{name} is what enters block 0 only where nothing (a position) is added to it"
        return Place(0, Point.RESID_PRE, note=note)
    lens = _LENS_NAME.fullmatch(name)
    if lens and lens["hook"] in _LENS:
        return Place(int(lens["layer"]), _LENS[lens["hook"]])
    module = None if lens else _MODULE_NAME.fullmatch(name)
    if module and (module["module"] or "") in _MODULES:
        return Place(int(module["layer"]), _MODULES[module["module"] or ""])
    if "hook_z" in name or name.endswith(("o_proj.input", "o_proj")):
        return Place(problem=f"{name!r} is inside the attention (heads side by side)")
    if "normalized" in name or "layernorm" in name or ".mlp.hook_in" in name:
        return Place(problem=f"{name!r} is behind a norm, not in the residual stream")
    return Place(problem=f"{name[:200]!r} is none of our points")


def hooked_site(reading: Reading, name: str, at: str) -> Site:
    """The site a file says by name. ``layer`` and ``point`` together stand in for one we have not.

    A name that has no site is noted at the field ``at``.
    """
    known = place(name)
    if not known.problem:
        if known.note:
            reading.warnings.append(known.note)
        return reading.site(known.index, 0, known.point)
    layer, point = reading.take("layer"), reading.take("point")
    if layer is None or point is None:
        message = f"{known.problem}; the points are {', '.join(Point)} (options layer and point)"
        reading.found.add(at, "NO_SUCH_POINT", message)
        return Site(0)
    reading.warnings.append(f"used at {Site(layer, point)} because you say so: {known.problem}")
    return Site(int(layer), Point(point))


def said_site(reading: Reading, hint: Place | None, why: str) -> Site:
    """The site of a file that does not say: from options, or from the names of files.

    Options win, hints being weak. ``why``: what is not said.
    """
    layer, point = reading.take("layer"), reading.take("point")
    if layer is not None:
        return Site(int(layer), Point(point or (hint.point if hint else Point.RESID_POST)))
    if hint is None:
        return Site(int(reading.need("layer", why)), Point(point or Point.RESID_POST))
    if hint.problem and point is None:
        reading.found.add("files", "NO_SUCH_POINT", f"{hint.problem} (options layer and point)")
    if hint.note:
        reading.warnings.append(hint.note)
    return reading.site(hint.index, 0, Point(point or hint.point))
