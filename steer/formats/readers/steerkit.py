"""steerkit's probes: safetensors with a direction for each method, at one place.

``direction.<method>`` in the metadata's ``layer``, at ``hook_name`` (steerkit ``probe.py``,
``extract.py``): layer -1 are the embeddings, the number of layers is behind the final norm.
Directions have unit norm while ``bias_json`` belongs to the weights before that, so that no probe
can be made of them.
"""

from steer.errors import InvalidRequest
from steer.formats.containers.safetensors import Safetensors, read_safetensors
from steer.formats.containers.text import parse_json
from steer.formats.draft import Draft
from steer.formats.fields import Fields
from steer.formats.hooks import hooked_site
from steer.formats.reading import Reading
from steer.formats.refusal import refuse
from steer.formats.source import File, Source

_PREFIX = "direction."
_MARK = "hook_site"


def recognise(source: Source) -> bool:
    """Safetensors files with steerkit's metadata."""
    return bool(_files(source))


def _files(source: Source) -> list[File]:
    files = source.ending(".safetensors")
    return [file for file in files if _MARK in read_safetensors(file).metadata]


def read(reading: Reading) -> Draft:
    """The direction of one method, which has to be chosen where there are several."""
    file = reading.choose_file(_files(reading.source), "probes")
    content = read_safetensors(file)
    fields = reading.fields(content.metadata, "metadata")
    methods = {
        name.removeprefix(_PREFIX): tensor
        for name, tensor in content.tensors.items()
        if name.startswith(_PREFIX)
    }
    if not methods:
        refuse(file.at, "NOT_SUPPORTED", "has no direction.<method>: a probe of several classes?")
    method, tensor = reading.choose(methods, "methods")
    if len(methods) > 1:
        reading.dropped.append(f"the methods {', '.join(sorted(set(methods) - {method}))}")
    site = hooked_site(reading, _hook(fields), "metadata.hook_name")
    if len(tensor.shape) != 1:
        reading.found.add(tensor.at, "WRONG_SHAPE", f"has shape {tensor.shape}, want one side")
    reading.found.raise_if_any()
    if "bias_json" in content.metadata:
        reading.dropped.append("bias_json, which is of the weights before they were normalised")
    alpha = _number(fields.text("auto_alpha"))
    return Draft(
        "direction",
        (site,),
        {str(site): tensor.array()},
        tensor.shape[0] if tensor.shape else 0,
        "steerkit",
        convention="the place is the hook the file names",
        scale="unit norm as written"
        + (f"; the default strength is the file's auto_alpha {alpha:g}" if alpha else ""),
        model=fields.text("model_id"),
        method=method,
        strength=alpha or 1.0,
        created=fields.text("created_at"),
        measured=_metrics(file, content),
    )


def _hook(fields: Fields) -> str:
    """The name of the hook; files before schema 3 have layer and site alone."""
    layer, site = fields.text("layer"), fields.text("hook_site")
    if layer == "-1":
        return "hook_embed"
    if layer and layer == fields.text("n_total_layers"):
        return "ln_final.hook_normalized"
    return fields.text("hook_name") or f"blocks.{layer}.hook_{site}"


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if 0 < abs(value) < 1e30 else None


def _metrics(file: File, content: Safetensors) -> dict[str, float]:
    try:
        raw = parse_json(content.metadata.get("metrics_json", "{}"), file.at)
    except InvalidRequest:
        return {}
    return {k: v for k, v in raw.items() if type(v) is float and abs(v) < 1e300}
