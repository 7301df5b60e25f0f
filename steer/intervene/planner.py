"""From a trial to a plan: operands loaded, sites checked, strengths absolute. No torch.

Everything wrong is reported at once, each violation with its field path.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from steer.errors import InvalidRequest, Violations
from steer.intervene.operands import OperandResolver
from steer.intervene.plan import Edit, Plan, PlannedArm
from steer.intervene.resolve import InterventionResolver, MeasureNorms
from steer.store import Store
from steer.types import (
    BASELINE,
    NOISE_FLOOR,
    Arm,
    ModelInfo,
    Prompt,
    Sampling,
    ScoreTrial,
    Trial,
)

LARGEST_BIAS = 1e6
"""Of a logit: far beyond any effect, and no sum of two overflows."""

Encode = Callable[[Prompt, str], tuple[int, ...]]


@dataclass(frozen=True)
class Planner:
    """Resolves trials against one model and one store.

    ``encode`` turns a prompt into token ids; ``encode_bare`` does so without adding special
    tokens; both raise InvalidRequest. ``measure_norms`` gives mean ‖h‖ over a prompt at sites.
    """

    model: ModelInfo
    store: Store
    encode: Encode
    encode_bare: Encode
    measure_norms: MeasureNorms

    def trial(
        self,
        trial: Trial,
        request_id: str,
        deadline: float | None = None,
        found: Violations | None = None,
    ) -> Plan:
        """Plan a trial; ``found`` is what was wrong with it before.

        Raises InvalidRequest, NotFound, FailedPrecondition, NotImplementedYet.
        """
        found = Violations() if found is None else found
        baseline = self._baseline(trial.prompt, "trial", found)
        arms = self._arms(baseline.prompt, trial.arms, trial.allow_model_mismatch, "trial", found)
        for index, arm in enumerate(arms):
            if len(arm.forced) > trial.sampling.max_tokens:
                message = f"has {len(arm.forced)} tokens, more than sampling.max_tokens"
                found.add(f"trial.arms[{index}].forced_prefix", "LONGER_THAN_MAX_TOKENS", message)
        arms = [baseline, *arms] if trial.baseline else arms
        if trial.noise_floor:
            arms += self._noise_floor(arms, found)
        _check_sampling(trial.sampling, self.model, found)
        if not arms:
            found.add("trial.arms", "NO_ARMS", "nothing to run: no arms and no baseline")
        found.raise_if_any()
        return Plan(
            request_id=request_id,
            prompt=baseline.prompt,
            arms=tuple(arms),
            sampling=trial.sampling,
            samples=trial.samples,
            measure=trial.measure,
            deadline=deadline,
        )

    def score(
        self,
        trial: ScoreTrial,
        request_id: str,
        deadline: float | None = None,
        found: Violations | None = None,
    ) -> Plan:
        """Plan teacher-forced scoring; every arm's ``forced`` is the continuation."""
        found = Violations() if found is None else found
        baseline = self._baseline(trial.prompt, "", found)
        arms = self._arms(baseline.prompt, trial.arms, trial.allow_model_mismatch, "", found)
        arms = [baseline, *arms]
        for index, arm in enumerate(trial.arms):
            if arm.forced_prefix is not None:
                path = f"arms[{index}].forced_prefix"
                found.add(path, "NOT_FOR_SCORE", "the continuation is what is forced here")
        continuation = self._tokens(trial.continuation, "continuation", self.encode_bare, found)
        longest = max((len(arm.prompt) for arm in arms), default=0) + len(continuation)
        if longest > self.model.context_length:
            message = f"prompt and continuation have {longest} tokens; " + self._context()
            found.add("continuation", "TOO_LONG", message)
        found.raise_if_any()
        sampling = Sampling(max_tokens=len(continuation), ignore_eos=True)
        planned = tuple(replace(arm, forced=continuation) for arm in arms)
        return Plan(request_id, baseline.prompt, planned, sampling, scoring=True, deadline=deadline)

    def _baseline(self, prompt: Prompt, path: str, found: Violations) -> PlannedArm:
        ids = self._tokens(prompt, _join(path, "prompt"), self.encode, found)
        self._check_length(ids, _join(path, "prompt"), found)
        return PlannedArm(BASELINE, ids, (), (), {})

    def _noise_floor(self, arms: Sequence[PlannedArm], found: Violations) -> list[PlannedArm]:
        steered = next((arm for arm in arms if arm.interventions), None)
        if steered is None:
            message = "needs an arm with interventions, whose strength it sets to zero"
            found.add("trial.noise_floor", "NO_INTERVENTION", message)
            return []
        silent = tuple(
            replace(item, edits=tuple(_at_zero(edit) for edit in item.edits))
            for item in steered.interventions
        )
        return [PlannedArm(NOISE_FLOOR, steered.prompt, (), silent, {})]

    def _arms(
        self,
        prompt: tuple[int, ...],
        arms: Sequence[Arm],
        allow: bool,
        path: str,
        found: Violations,
    ) -> list[PlannedArm]:
        operands = OperandResolver(
            self.store, self.model.d_model, self.model.fingerprint, allow, found
        )
        resolver = InterventionResolver(self.model, self.measure_norms, operands)
        return [
            self._arm(prompt, arm, _join(path, f"arms[{index}]"), resolver)
            for index, arm in enumerate(arms)
        ]

    def _arm(
        self, prompt: tuple[int, ...], arm: Arm, path: str, resolver: InterventionResolver
    ) -> PlannedArm:
        found = resolver.operands.violations
        ids = prompt
        forced: tuple[int, ...] = ()
        if arm.prompt is not None:
            ids = self._tokens(arm.prompt, f"{path}.prompt", self.encode, found)
            self._check_length(ids, f"{path}.prompt", found)
        if arm.forced_prefix is not None:
            at = f"{path}.forced_prefix"
            forced = self._tokens(arm.forced_prefix, at, self.encode_bare, found)
            self._check_length(ids + forced, at, found)
        _check_bias(arm.logit_bias, f"{path}.logit_bias", self.model, found)
        interventions = (
            resolver.resolve(item, f"{path}.interventions[{index}]", ids)
            for index, item in enumerate(arm.interventions)
        )
        return PlannedArm(
            arm.name, ids, forced, tuple(item for item in interventions if item), arm.logit_bias
        )

    def _tokens(
        self, prompt: Prompt, path: str, encode: Encode, found: Violations
    ) -> tuple[int, ...]:
        if prompt == Prompt():
            return ()  # reported when it was read
        try:
            return encode(prompt, path)
        except InvalidRequest as error:
            for item in error.violations:
                found.add(item.field, item.reason, item.message)
            return ()

    def _check_length(self, ids: Sequence[int], path: str, found: Violations) -> None:
        if len(ids) >= self.model.context_length:
            message = f"has {len(ids)} tokens, which leaves no room; {self._context()}"
            found.add(path, "TOO_LONG", message)

    def _context(self) -> str:
        return f"the model's context is {self.model.context_length}"


def _at_zero(edit: Edit) -> Edit:
    return replace(edit, params=(0.0, *edit.params[1:]))


def _check_sampling(sampling: Sampling, model: ModelInfo, found: Violations) -> None:
    _check_bias(sampling.logit_bias, "trial.sampling.logit_bias", model, found)
    for index, token in enumerate(sampling.stop_token_ids):
        _check_ids((token,), f"trial.sampling.stop_token_ids[{index}]", model, found)


def _check_bias(
    biases: Mapping[int, float], path: str, model: ModelInfo, found: Violations
) -> None:
    for token, value in biases.items():
        if abs(value) > LARGEST_BIAS:
            message = f"is {value:g}; give a number from {-LARGEST_BIAS:g} to {LARGEST_BIAS:g}"
            found.add(f"{path}[{token}]", "OUT_OF_RANGE", message)
    _check_ids(tuple(biases), path, model, found)


def _check_ids(ids: Sequence[int], path: str, model: ModelInfo, found: Violations) -> None:
    unknown = [token for token in ids if token >= model.vocab_size]
    if unknown:
        message = f"no such token: {unknown[:5]}; ids go from 0 to {model.vocab_size - 1}"
        found.add(path, "UNKNOWN_TOKEN", message)


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
