"""From a trial to a plan: operands loaded, sites checked, strengths absolute. No torch.

Everything wrong is reported at once, each violation with its field path.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from steer.errors import Violations
from steer.intervene.arms import ArmResolver
from steer.intervene.branching import plan_branching
from steer.intervene.captures import Captures
from steer.intervene.plan import CapturePlan, Edit, Plan, PlannedArm
from steer.intervene.ports import Reader, Recipes, Text
from steer.intervene.shape import check_bias, check_ids, check_site, check_where
from steer.store import Store
from steer.types import NOISE_FLOOR, CaptureTrial, ModelInfo, Sampling, ScoreTrial, Trial


@dataclass(frozen=True)
class Planner:
    """Resolves trials against one model and one store. May block: norms, gates and patches are
    read off the model."""

    model: ModelInfo
    store: Store
    text: Text
    reader: Reader
    recipes: Recipes
    captures: Captures

    def trial(
        self,
        trial: Trial,
        request_id: str,
        deadline: float | None = None,
        found: Violations | None = None,
    ) -> Plan:
        """Plan a trial; ``found`` is what was wrong with it before.

        Raises InvalidRequest, NotFound, FailedPrecondition.
        """
        found = Violations() if found is None else found
        resolver = self._resolver(trial.allow_model_mismatch, found)
        arms = self._arms(trial, resolver)
        branching = plan_branching(trial, arms, self.model, self.text.special, found)
        found.raise_if_any()
        plan = self._plan(trial, arms, request_id, deadline)
        if branching is None:
            return plan
        return replace(plan, samples=branching.asked.k, branching=branching)

    def capture(
        self,
        request: CaptureTrial,
        request_id: str,
        deadline: float | None = None,
        found: Violations | None = None,
    ) -> Plan:
        """Plan a trial whose activations are read. Raises as ``trial`` does."""
        found = Violations() if found is None else found
        trial = replace(request.trial, measure=False)
        resolver = self._resolver(trial.allow_model_mismatch, found)
        arms = self._arms(trial, resolver)
        for index, site in enumerate(request.sites):
            check_site(site, self.model, f"sites[{index}]", found)
        check_where(request.where, "where", self.model, found)
        if trial.branching is not None:
            message = "branches are chosen among by Generate and Compare; here nothing would be"
            found.add("trial.branching", "NOT_FOR_CAPTURE", message)
        features = [
            resolver.readout(one, f"features[{index}]")
            for index, one in enumerate(request.features)
        ]
        found.raise_if_any()
        readouts = tuple(one for one in features if one is not None)
        capture = CapturePlan(request.sites, readouts, request.where)
        return replace(self._plan(trial, arms, request_id, deadline), capture=capture)

    def _arms(self, trial: Trial, resolver: ArmResolver) -> list[PlannedArm]:
        """The baseline, the arms that run: the first is always the trial's own prompt."""
        found = resolver.found
        baseline = resolver.baseline(trial.prompt, "trial.prompt")
        arms = resolver.arms(baseline, trial.arms, "trial.arms")
        for index, arm in enumerate(arms):
            if len(arm.forced) > trial.sampling.max_tokens:
                message = f"has {len(arm.forced)} tokens, more than sampling.max_tokens"
                found.add(f"trial.arms[{index}].forced_prefix", "LONGER_THAN_MAX_TOKENS", message)
        if trial.noise_floor:
            arms += _noise_floor(arms, found)
        _check_sampling(trial.sampling, self.model, found)
        if not arms and not trial.baseline:
            found.add("trial.arms", "NO_ARMS", "nothing to run: no arms and no baseline")
        return [baseline, *arms]

    def _plan(
        self, trial: Trial, arms: Sequence[PlannedArm], request_id: str, deadline: float | None
    ) -> Plan:
        return Plan(
            request_id=request_id,
            prompt=arms[0].prompt,
            arms=tuple(arms if trial.baseline else arms[1:]),
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
        resolver = self._resolver(trial.allow_model_mismatch, found)
        baseline = resolver.baseline(trial.prompt, "prompt")
        arms = [baseline, *resolver.arms(baseline, trial.arms, "arms")]
        for index, arm in enumerate(trial.arms):
            if arm.forced_prefix is not None:
                path = f"arms[{index}].forced_prefix"
                found.add(path, "NOT_FOR_SCORE", "the continuation is what is forced here")
        forced = resolver.tokens(trial.continuation, "continuation", self.text.encode_bare)
        longest = max(len(arm.prompt) for arm in arms) + len(forced)
        if longest > self.model.context_length:
            message = (
                f"prompt and continuation have {longest} tokens; the model's context is "
                f"{self.model.context_length}"
            )
            found.add("continuation", "TOO_LONG", message)
        found.raise_if_any()
        sampling = Sampling(max_tokens=len(forced), ignore_eos=True)
        planned = tuple(replace(arm, forced=forced) for arm in arms)
        return Plan(request_id, baseline.prompt, planned, sampling, scoring=True, deadline=deadline)

    def _resolver(self, allow_mismatch: bool, found: Violations) -> ArmResolver:
        return ArmResolver(
            self.model,
            self.store,
            self.text,
            self.reader,
            self.recipes,
            self.captures,
            allow_mismatch,
            found,
        )


def _noise_floor(arms: Sequence[PlannedArm], found: Violations) -> list[PlannedArm]:
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


def _at_zero(edit: Edit) -> Edit:
    silent = (replace(one, params=(0.0, *one.params[1:])) for one in edit.components)
    return replace(edit, components=tuple(silent))


def _check_sampling(sampling: Sampling, model: ModelInfo, found: Violations) -> None:
    check_bias(sampling.logit_bias, "trial.sampling.logit_bias", model, found)
    for index, token in enumerate(sampling.stop_token_ids):
        check_ids((token,), f"trial.sampling.stop_token_ids[{index}]", model, found)
