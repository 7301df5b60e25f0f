"""``.svec`` of IBM's activation-steering: JSON with a direction for each layer.

By its sources ``directions[L]`` is taken from the output of block L (``steering_vector.py``,
``batched_get_hiddens``), but ``LeashLayer.forward`` adds it to what enters block L.
"""

import numpy as np

from steer.formats.draft import Draft, directions
from steer.formats.matrix import Array
from steer.formats.reading import Reading
from steer.formats.refusal import refuse
from steer.formats.source import Source
from steer.types import Point, Site


def recognise(source: Source) -> bool:
    """One file that is called so."""
    return len(source.ending(".svec")) == 1


def read(reading: Reading) -> Draft:
    """Each direction at the block it was taken from."""
    file = reading.source.ending(".svec")[0]
    fields = reading.json(file)
    raw = fields.need("directions", dict)
    point = Point(reading.take("point") or Point.RESID_POST)
    found: dict[Site, Array] = {}
    for key, values in raw.items():
        at = f"directions[{key[:20]}]"
        if not (key.isdecimal() and len(key) < 5):
            reading.found.add(at, "BAD_LAYER", "is no layer")
        elif not _are_numbers(values):
            reading.found.add(at, "WRONG_TYPE", "is not a list of numbers")
        elif (site := reading.site(int(key), 0, point)) in found:
            reading.found.add(at, "DUPLICATE", f"is {site}, as another is")
        else:
            found[site] = np.array(values, "f8").astype("f4")
    reading.found.raise_if_any()
    if not found:
        refuse(file.at, "EMPTY", "has no directions")
    if "explained_variances" in fields:
        reading.dropped.append("explained_variances")
    tensors, width = directions(found)
    return Draft(
        "direction",
        tuple(found),
        tensors,
        width,
        "IBM activation-steering",
        convention="L is the block whose output it was taken from, as ours; IBM's own code adds it "
        "to what enters block L (index_offset -1 does that)",
        model=fields.text("model_type"),
    )


def _are_numbers(values: object) -> bool:
    if not isinstance(values, list) or not values:
        return False
    return all(type(v) is float or (type(v) is int and abs(v) < 1 << 53) for v in values)
