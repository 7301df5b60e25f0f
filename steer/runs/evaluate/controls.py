"""The standard controls: arms that do what the subject does, but for one thing.

What they isolate: a first token (Sinii et al., arXiv 2509.06608), tokens without content (Pfau et
al., arXiv 2404.15758), the content of a trace (Lanham et al., arXiv 2307.13702; Stechly et al.,
arXiv 2505.13775). Two nulls that are in use elsewhere are not here because they draw the treatment
again: labels shuffled over all classes with the result rescaled, and random directions from the
pooled covariance.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from steer.errors import SteerError
from steer.intervene.ports import Text
from steer.measure.records import MeasuredArm, Role
from steer.runs.evaluate.directions import Sources, operands, scaled, wrapped
from steer.runs.evaluate.entries import Entry
from steer.tasks.task import Cues
from steer.types import (
    Add,
    Arm,
    Intervention,
    Operand,
    OrthogonalTo,
    Prompt,
    RandomLike,
    Rotate,
    WithinClass,
)

TRUNCATIONS = (0.0, 0.25, 0.5, 0.75)
"""Shares of the subject's trace that are kept before it has to answer."""
_APART = 1_000_000
"""Between the seeds of the interventions of one arm, so that they draw independently."""


@dataclass(frozen=True)
class Controls:
    """Makes the standard controls of one subject, whose strengths are explicit. ``checked``: the
    task knows traces. ``seeds``: random directions of each kind; ``seed``: where their seeds begin.
    ``others``: the other arms that claims are about, without whose directions the subject is tried.
    """

    subject: Arm
    cues: Cues
    checked: bool
    sources: Sources
    text: Text
    seeds: int
    seed: int
    others: Sequence[Arm] = ()

    def all(self) -> tuple[list[Entry], dict[Role, str], set[Role]]:
        """Every control there is, why there are not the others, and those of the others that a
        claim needs all the same."""
        entries: list[Entry] = []
        omitted: dict[Role, str] = {}
        needed: set[Role] = set()
        for role, make in self._table().items():
            try:
                entries += make()
            except NotHere as why:
                omitted[role] = str(why)
                if isinstance(why, NotSo):
                    needed.add(role)
        return entries, omitted, needed

    def _table(self) -> Mapping[Role, Callable[[], Sequence[Entry]]]:
        return {
            Role.RANDOM: self._random,
            Role.WITHIN_CLASS: self._within_class,
            Role.STRATIFIED: self._stratified,
            Role.NEGATED: self._negated,
            Role.ORTHOGONAL: self._orthogonal,
            Role.FORCED: self._forced,
            Role.BIAS: self._bias,
            Role.ANSWER_ONLY: self._answer_only,
            Role.FILLER: self._filler,
            Role.SWAPPED: lambda: self._written("swapped", Role.SWAPPED),
            Role.CORRUPTED: lambda: self._written("corrupted", Role.CORRUPTED),
            Role.TRUNCATED: self._truncated,
        }

    # ---- other directions -----------------------------------------------------------------------

    def _random(self) -> list[Entry]:
        items = self._directed()
        return [
            self._null("random", Role.RANDOM, seed, wrapped(items, _seeded(RandomLike, seed)))
            for seed in self._seeds()
        ]

    def _within_class(self) -> list[Entry]:
        items = self._directed()
        within = self.sources.within(items)
        if not within or not all(len(one.factor) for one in within):
            raise NotHere("the vector's card has no covariance within classes")
        return [
            self._null(
                "within", Role.WITHIN_CLASS, seed, wrapped(items, _seeded(WithinClass, seed))
            )
            for seed in self._seeds()
        ]

    def _stratified(self) -> list[Entry]:
        items = self._directed()
        stored = min((len(one.shuffles) for one in self.sources.within(items)), default=0)
        if not stored:
            raise NotHere("the vector's card has no labels shuffled inside its classes")
        return [
            self._null("stratified", Role.STRATIFIED, number, wrapped(items, _shuffle(number)))
            for number in range(min(self.seeds, stored))
        ]

    def _negated(self) -> list[Entry]:
        items = self._directed()
        if not all(isinstance(item.op, Add | Rotate) for item in items):
            raise NotHere("only the ops add and rotate have a negative")
        return [self._null("negated", Role.NEGATED, None, scaled(items, -1.0))]

    def _orthogonal(self) -> list[Entry]:
        """The subject without the component along each other arm's direction."""
        items = self._directed()
        found = [entry for other in self.others if (entry := self._without(items, other))]
        if not found:
            raise NotHere("no other arm has directions where the subject has them")
        return found

    def _without(self, items: tuple[Intervention, ...], other: Arm) -> Entry | None:
        theirs = operands(other.interventions)
        if len(theirs) != len(items):
            return None
        rest = wrapped(items, lambda operand, place: OrthogonalTo(operand, theirs[place]))
        try:
            return self._null(f"without-{other.name}", Role.ORTHOGONAL, None, rest)
        except SteerError:  # other sites, or the same direction
            return None

    def _null(
        self, name: str, role: Role, seed: int | None, items: tuple[Intervention, ...]
    ) -> Entry:
        cosines = self.sources.cosines(self.subject.interventions, items)
        about = MeasuredArm(
            name if seed is None else f"{name}-{seed}",
            role,
            value=None if seed is None else float(seed),
            cosine=max(cosines.values(), key=abs),
            of=self.subject.name,
        )
        return Entry(about, self._like_subject(about.name, items), cosines=cosines)

    def _directed(self) -> tuple[Intervention, ...]:
        """The subject's interventions, all of which have a direction."""
        items = self.subject.interventions
        if not items:
            raise NotHere("the subject has no interventions")
        if len(operands(items)) < len(items):
            raise NotHere("not every intervention of the subject has a direction")
        return items

    def _seeds(self) -> range:
        return range(self.seed, self.seed + self.seeds)

    # ---- other ways to the same output ----------------------------------------------------------

    def _forced(self) -> list[Entry]:
        prefix = self._cue("forced_prefix", "a prefix that begins a trace")
        return [self._entry("forced", Role.FORCED, None, Arm("", forced_prefix=Prompt(prefix)))]

    def _bias(self) -> list[Entry]:
        if not self.cues.bias_tokens:
            raise NotHere("the task names no token whose bias could bring reasoning about")
        return list(self._biased())

    def _biased(self) -> Iterator[Entry]:
        for token, sizes in self.cues.bias_tokens.items():
            ids = self.text.encode_bare(Prompt(token), "bias")
            if len(ids) != 1:
                raise NotHere(f"{token!r} is {len(ids)} tokens of this model, not one")
            for size in sizes:
                arm = Arm("", logit_bias={ids[0]: size})
                yield self._entry(f"bias-{token}{size:+g}", Role.BIAS, size, arm)

    def _answer_only(self) -> list[Entry]:
        prefix = self._cue("answer_only", "a prefix that goes straight to the answer")
        items = self._steered()
        arm = replace(self._like_subject("", items), forced_prefix=Prompt(prefix))
        return [self._entry("answer-only", Role.ANSWER_ONLY, None, arm)]

    # ---- other traces ---------------------------------------------------------------------------

    def _filler(self) -> list[Entry]:
        self._cue("filler", "a token that says nothing")
        return self._written("filler", Role.FILLER)

    def _truncated(self) -> list[Entry]:
        self._cue("answer_only", "a way to ask for the answer before the trace is over")
        return [
            entry
            for kept in TRUNCATIONS
            for entry in self._written(f"truncated-{kept:.0%}", Role.TRUNCATED, kept)
        ]

    def _written(self, name: str, role: Role, value: float | None = None) -> list[Entry]:
        if not self.checked:
            raise NotHere("the task knows no traces")
        if self.subject.forced_prefix is not None:
            raise NotSo("the subject's completions begin with a prefix of its own")
        return [self._entry(name, role, value, self._like_subject(name, self._steered()))]

    # ---- parts ----------------------------------------------------------------------------------

    def _steered(self) -> tuple[Intervention, ...]:
        if not self.subject.interventions:
            raise NotHere("the subject has no interventions")
        return self.subject.interventions

    def _cue(self, field: str, what: str) -> str:
        text: str = getattr(self.cues, field)
        if not text:
            raise NotHere(f"the task has no {field}: {what}")
        return text

    def _entry(self, name: str, role: Role, value: float | None, arm: Arm) -> Entry:
        about = MeasuredArm(name, role, value, of=self.subject.name)
        return Entry(about, replace(arm, name=name))

    def _like_subject(self, name: str, items: tuple[Intervention, ...]) -> Arm:
        return replace(self.subject, name=name, interventions=items)


class NotHere(Exception):
    """A control that does not exist for this subject, model and task; says why."""


class NotSo(NotHere):
    """A control that there would be, were the subject not asked for as it is."""


def _seeded(
    kind: type[RandomLike] | type[WithinClass], seed: int
) -> Callable[[Operand, int], Operand]:
    return lambda operand, place: kind(operand, seed + place * _APART)


def _shuffle(number: int) -> Callable[[Operand, int], Operand]:
    return lambda operand, place: WithinClass(operand, number, stratified=True)
