"""repsteer bundles: ``manifest.json``, ``tensors.safetensors`` and ``checksums.json``.

Layout and meaning by ``repsteer/artifacts/io.py`` and ``base.py``; sites by ``core/site.py``.
"""

from steer.formats.containers.safetensors import read_safetensors
from steer.formats.draft import Draft
from steer.formats.fields import Fields
from steer.formats.matrix import Array, Tensor
from steer.formats.reading import Reading
from steer.formats.refusal import refuse
from steer.formats.source import File, Source
from steer.types import Point, Site

MANIFEST, TENSORS, CHECKSUMS = "manifest.json", "tensors.safetensors", "checksums.json"
_DIRECTIONS = {"direction": "direction", "sae_feature": "decoder_direction"}


def recognise(source: Source) -> bool:
    """A folder with the bundle's manifest and tensors at its top."""
    return {MANIFEST, TENSORS} <= source.files.keys()


def read(reading: Reading) -> Draft:
    """A direction, an SAE feature's direction, or a probe, its checksums verified."""
    files = reading.source.files
    _verify(reading, files[MANIFEST], files[TENSORS])
    fields = reading.json(files[MANIFEST])
    if fields.text("schema_version").partition(".")[0] != "1":
        fields.refuse("schema_version", f"is {fields.text('schema_version')!r}, want 1.x")
    tensors = dict(read_safetensors(files[TENSORS]).tensors)
    kind = fields.text("artifact_type")
    site = _site(reading, fields.inner("site"))
    reading.found.raise_if_any()
    if kind == "probe":
        return _draft(fields, "probe", site, _probe(files[TENSORS], tensors, site))
    if kind not in _DIRECTIONS:
        known = ", ".join([*_DIRECTIONS, "probe"])
        refuse("manifest.json.artifact_type", "NOT_SUPPORTED", f"is {kind!r}, want {known}")
    tensor = _need(files[TENSORS], tensors, _DIRECTIONS[kind])
    return _draft(fields, "direction", site, {str(site): tensor.array()})


def _draft(fields: Fields, kind: str, site: Site, parts: dict[str, Array]) -> Draft:
    model, config = fields.inner("model"), fields.inner("config")
    first = next(iter(parts.values()))
    feature = config.get("feature_id", 0) if "feature_id" in config else None
    return Draft(
        kind,
        (site,),
        parts,
        first.shape[-1] if first.ndim else 0,
        "repsteer",
        convention="the layer is the block, as ours",
        scale=f"normalised: {fields.text('normalization')}" if "normalization" in fields else "",
        model=model.text("id"),
        revision=model.text("revision"),
        method=fields.text("method") or fields.text("artifact_type"),
        data_hash=fields.text("dataset_fingerprint"),
        parameters={} if feature is None else {"feature": feature},
    )


def _verify(reading: Reading, *files: File) -> None:
    """Check the checksums; a bundle without them is refused, as repsteer does."""
    checksums = reading.source.files.get(CHECKSUMS)
    if checksums is None:
        refuse("files", "MISSING", f"{CHECKSUMS} is missing, so that nothing can be verified")
    fields = reading.json(checksums)
    if fields.text("algorithm") != "sha256":
        fields.refuse("algorithm", "is not sha256")
    announced = fields.inner("files")
    for file in files:
        found = file.sha256()
        if announced.text(file.name).removeprefix("sha256:") != found:
            reading.found.add(file.at, "CHECKSUM", f"has sha256 {found}, the bundle says otherwise")
    reading.found.raise_if_any()


def _site(reading: Reading, fields: Fields) -> Site:
    at = "manifest.json.site"
    component, stream = fields.text("component"), fields.get("stream", "language")
    layer = fields.need("layer", int)
    plain = fields.raw.get("unit") is None and not fields.get("tensor_path", [])
    if component not in set(Point) or stream != "language" or not plain:
        message = f"is {component!r} of the {stream} stream; the points are {', '.join(Point)}"
        reading.found.add(at, "NO_SUCH_POINT", message)
        return Site(0)
    if fields.get("io", "output") != "output":
        reading.found.add(at, "NO_SUCH_POINT", f"is what enters {component}")
    return reading.site(layer, 0, Point(component))


def _probe(file: File, tensors: dict[str, Tensor], site: Site) -> dict[str, Array]:
    weight = _need(file, tensors, "weight").array()
    bias = tensors["bias"].array() if "bias" in tensors else weight.reshape(-1)[:1] * 0
    if weight.ndim != 1 or bias.size != 1:
        refuse("tensors[weight]", "NOT_SUPPORTED", f"has shape {weight.shape}, want a binary probe")
    return {f"weight.{site}": weight, f"bias.{site}": bias.reshape(1)}


def _need(file: File, tensors: dict[str, Tensor], name: str) -> Tensor:
    if name not in tensors:
        refuse(file.at, "MISSING", f"has no tensor {name!r}")
    return tensors[name]
