"""Arms that other arms are patched from: the activations of their prompts. No torch."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import chain

from steer.errors import Violations
from steer.intervene.captures import Captured
from steer.intervene.plan import PlannedArm
from steer.intervene.ports import Reader
from steer.intervene.shape import check_site
from steer.types import Intervention, ModelInfo, Replace, Site


@dataclass
class Sources:
    """``arms``: what may be patched from, by name; None marks an arm that is itself patched from
    an arm. ``wanted``: the sites that a trial asks of each, so that an
    arm's prompt is run once."""

    model: ModelInfo
    reader: Reader
    arms: dict[str, PlannedArm | None]
    wanted: Mapping[str, frozenset[Site]] = field(default_factory=dict)
    _read: dict[str, Captured] = field(default_factory=dict)

    def get(
        self, name: str, sites: tuple[Site, ...], path: str, found: Violations
    ) -> Captured | None:
        """Activations of an arm's prompt; None when something was wrong, or is already known to
        be: then nothing is run."""
        if not sites:
            message = "patching from an arm has no sites of its own; give the layers"
            found.add(path.rpartition(".")[0] + ".sites", "NO_SITE", message)
        if name not in self.arms:
            known = ", ".join(self.arms)
            message = f"no arm {name!r} to patch from in this trial; there are {known}"
            found.add(f"{path}.source_arm", "NO_SUCH_ARM", message)
        elif self.arms[name] is None:
            message = f"arm {name!r} is itself patched from an arm; patch from that one"
            found.add(f"{path}.source_arm", "CHAINED_PATCH", message)
        arm = self.arms.get(name)
        if arm is None or found:
            return None
        if name not in self._read:
            self._read[name] = self._run(arm, self.wanted[name])
        return self._read[name]

    def _run(self, arm: PlannedArm, wanted: Iterable[Site]) -> Captured:
        quiet = Violations()
        sites = tuple(site for site in sorted(wanted) if check_site(site, self.model, "", quiet))
        positions = tuple(range(len(arm.prompt)))
        values = self.reader.activations(arm, sites)
        return Captured(len(arm.prompt), {site: (positions, values[site]) for site in sites})


def source_arms(interventions: Iterable[Intervention]) -> set[str]:
    """Names of the arms that these are patched from."""
    return {
        item.op.source_arm
        for item in interventions
        if isinstance(item.op, Replace) and item.op.source_arm
    }


def wanted_sites(arms: Iterable[Iterable[Intervention]]) -> Mapping[str, frozenset[Site]]:
    """Which sites the interventions of a trial's arms ask of each source arm."""
    wanted: dict[str, set[Site]] = defaultdict(set)
    for item in chain.from_iterable(arms):
        for name in source_arms((item,)):
            wanted[name] |= set(item.sites)
    return {name: frozenset(sites) for name, sites in wanted.items()}
