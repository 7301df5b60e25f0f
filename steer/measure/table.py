"""Records as arrays: items down, arms across."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import count

import numpy as np

from steer.measure.bootstrap import Floats, Ints
from steer.measure.records import Record

Value = Callable[[Record], float | None]


@dataclass(frozen=True, slots=True)
class Table:
    """Records sorted into cells (item, arm); a cell may hold several samples.

    ``clusters`` (items,): number of each item's template, from 0; an item without a template has a
    number of its own. ``records``: by arm.
    """

    items: Mapping[str, int]
    clusters: Ints
    records: Mapping[str, tuple[Record, ...]]

    def mean(self, arm: str, value: Value) -> Floats:
        """Mean of ``value`` over the samples of each item: (items,); NaN where there is none."""
        found = [(self.items[one.item], value(one)) for one in self.records.get(arm, ())]
        known = [(item, number) for item, number in found if number is not None]
        places = np.array([item for item, _ in known], dtype=np.int64)
        sums = np.bincount(places, [float(number) for _, number in known], len(self.items))
        counts = np.bincount(places, minlength=len(self.items))
        means = np.full(len(sums), np.nan)
        np.divide(sums, counts, out=means, where=counts > 0)
        return means

    def means(self, arms: Iterable[str], value: Value) -> Floats:
        """``mean`` of several arms: (items, arms)."""
        names = list(arms)
        columns = {name: self.mean(name, value) for name in names}
        found = [columns[name] for name in names]
        return np.stack(found, axis=1) if found else np.zeros((len(self.items), 0))

    def samples(self, arm: str) -> Ints:
        """Samples of each item: (items,)."""
        places = [self.items[record.item] for record in self.records.get(arm, ())]
        return np.bincount(np.array(places, dtype=np.int64), minlength=len(self.items))


def table(records: Iterable[Record]) -> Table:
    """Sort records, which must be consistent (``checks.check``)."""
    items: dict[str, int] = {}
    templates: dict[str, int] = {}
    numbers, clusters = count(), []
    by_arm: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        by_arm[record.arm].append(record)
        if record.item not in items:
            items[record.item] = len(items)
            new = record.template == "" or record.template not in templates
            number = next(numbers) if new else templates[record.template]
            templates.setdefault(record.template, number)
            clusters.append(number)
    sorted_ = {arm: tuple(of) for arm, of in by_arm.items()}
    return Table(items, np.array(clusters, dtype=np.int64), sorted_)
