"""Resolving the arms of a trial: prompts, recipes, interventions, gates, patches. No torch."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

from steer.errors import InvalidRequest, SteerError, Violations
from steer.intervene.captures import Captures
from steer.intervene.decide import decide
from steer.intervene.gates import check_latents
from steer.intervene.operands import OperandResolver
from steer.intervene.plan import PlannedArm, Readout
from steer.intervene.ports import Reader, Recipes, Text
from steer.intervene.resolve import InterventionResolver
from steer.intervene.shape import check_bias
from steer.intervene.sources import Sources, source_arms, wanted_sites
from steer.store import Dictionary, Store
from steer.types import BASELINE, Arm, FeatureReadout, Intervention, ModelInfo, Prompt

Encode = Callable[[Prompt, str], tuple[int, ...]]
Given = Sequence[tuple[Intervention, str]]
"""Interventions of an arm, those of its recipes first, each with its field path."""


@dataclass(frozen=True)
class ArmResolver:
    """Resolves arms against one model and one store; see ``Planner`` for the parts. Collects what
    is wrong in ``found``."""

    model: ModelInfo
    store: Store
    text: Text
    reader: Reader
    recipes: Recipes
    captures: Captures
    allow_mismatch: bool
    found: Violations

    def baseline(self, prompt: Prompt, path: str) -> PlannedArm:
        """The unsteered prompt of the trial."""
        return PlannedArm(BASELINE, self._prompt(prompt, path), (), (), {})

    def arms(self, baseline: PlannedArm, arms: Sequence[Arm], path: str) -> list[PlannedArm]:
        """All arms; ``path`` names the list of them."""
        paths = [f"{path}[{index}]" for index in range(len(arms))]
        given = [self._given(arm, at) for arm, at in zip(arms, paths, strict=True)]
        items = [[item for item, _ in one] for one in given]
        patchable = {BASELINE: baseline} | {arm.name: None for arm in arms}
        sources = Sources(self.model, self.reader, patchable, wanted_sites(items))
        resolver = self._resolver(sources)
        planned: dict[int, PlannedArm] = {}
        # Arms that are patched from others come second: they need the others' activations.
        for patched in (False, True):
            wave = [i for i in range(len(arms)) if bool(source_arms(items[i])) is patched]
            ready = [
                self._arm(baseline.prompt, arms[i], given[i], paths[i], resolver) for i in wave
            ]
            if not self.found:
                ready = decide(ready, self.reader)
            planned |= dict(zip(wave, ready, strict=True))
            if not patched:
                sources.arms |= {arms[i].name: planned[i] for i in wave}
        return [planned[index] for index in range(len(arms))]

    def tokens(self, prompt: Prompt, path: str, encode: Encode) -> tuple[int, ...]:
        """Token ids; none when something was wrong."""
        if prompt == Prompt():
            return ()  # reported when it was read
        try:
            return encode(prompt, path)
        except InvalidRequest as error:
            for item in error.violations:
                self.found.add(item.field, item.reason, item.message)
            return ()

    def readout(self, asked: FeatureReadout, path: str) -> Readout | None:
        """What to read of a dictionary; None when something was wrong."""
        at = f"{path}.dictionary"
        dictionary = self._operands.item(asked.dictionary, Dictionary, "dictionary", at)
        if dictionary is None:
            return None
        paths = tuple(f"{path}.indices[{place}]" for place in range(len(asked.indices)))
        if not check_latents(asked.indices, dictionary, paths, self.found):
            return None
        return Readout(dictionary, asked.top_k, asked.indices)

    @cached_property
    def _operands(self) -> OperandResolver:
        return OperandResolver(
            self.store, self.model.d_model, self.model.fingerprint, self.allow_mismatch, self.found
        )

    def _resolver(self, sources: Sources) -> InterventionResolver:
        return InterventionResolver(
            self.model, self.text, self.reader, self._operands, self.captures, sources
        )

    def _given(self, arm: Arm, path: str) -> Given:
        stored: list[tuple[Intervention, str]] = []
        for index, name in enumerate(arm.recipes):
            at = f"{path}.recipes[{index}]"
            try:
                recipe = self.recipes.get(name)
            except SteerError as error:
                self.found.add(at, error.reason, error.message, type(error))
                continue
            stored += _numbered(recipe.interventions, at)
        return [*stored, *_numbered(arm.interventions, path)]

    def _arm(
        self,
        prompt: tuple[int, ...],
        arm: Arm,
        given: Given,
        path: str,
        resolver: InterventionResolver,
    ) -> PlannedArm:
        ids = prompt if arm.prompt is None else self._prompt(arm.prompt, f"{path}.prompt")
        forced: tuple[int, ...] = ()
        if arm.forced_prefix is not None:
            at = f"{path}.forced_prefix"
            forced = self.tokens(arm.forced_prefix, at, self.text.encode_bare)
            self._check_length(ids + forced, at)
        check_bias(arm.logit_bias, f"{path}.logit_bias", self.model, self.found)
        interventions = [resolver.resolve(item, at, ids) for item, at in given]
        return PlannedArm(
            arm.name, ids, forced, tuple(item for item in interventions if item), arm.logit_bias
        )

    def _prompt(self, prompt: Prompt, path: str) -> tuple[int, ...]:
        ids = self.tokens(prompt, path, self.text.encode)
        self._check_length(ids, path)
        return ids

    def _check_length(self, ids: Sequence[int], path: str) -> None:
        longest = self.model.context_length
        if len(ids) >= longest:
            message = (
                f"has {len(ids)} tokens, which leaves no room; the model's context is {longest}"
            )
            self.found.add(path, "TOO_LONG", message)


def _numbered(items: Sequence[Intervention], path: str) -> list[tuple[Intervention, str]]:
    return [(item, f"{path}.interventions[{index}]") for index, item in enumerate(items)]
