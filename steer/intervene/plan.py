"""From a trial to a plan: operands loaded, sites checked, strengths absolute. No torch.

Everything wrong is reported at once, each violation with its field path.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from steer.errors import FailedPrecondition, InvalidRequest, NotImplementedYet, Violations
from steer.intervene.operands import ANYWHERE, Array, Directions, OperandResolver, norm, pick
from steer.intervene.where import touches_prompt
from steer.store import Store
from steer.store.store import content_hash
from steer.types import (
    BASELINE,
    NOISE_FLOOR,
    Add,
    Arm,
    Intervention,
    ModelInfo,
    Project,
    Prompt,
    ResolvedArm,
    ResolvedIntervention,
    Sampling,
    ScoreTrial,
    Site,
    Started,
    Strength,
    Trial,
    Unit,
    Where,
)

LARGEST_BIAS = 1e6
"""Of a logit: far beyond any effect, and no sum of two overflows."""

Encode = Callable[[Prompt, str], tuple[int, ...]]
EncodeBare = Callable[[Prompt, str], tuple[int, ...]]
MeasureNorms = Callable[[tuple[int, ...], tuple[Site, ...]], Mapping[Site, float]]


@dataclass(frozen=True)
class Edit:
    """One intervention at one site. ``params``: the op's numbers, the coefficient first."""

    site: Site
    direction: Array
    params: tuple[float, ...]


@dataclass(frozen=True)
class PlannedIntervention:
    """An intervention with everything resolved."""

    op: str
    operand: str
    content_hash: str
    edits: tuple[Edit, ...]
    where: Where
    keep_norm: bool
    must_fire: bool

    @property
    def key(self) -> tuple[object, ...]:
        """Equal for interventions that do the same to the same tokens."""
        sites = tuple((edit.site, edit.params) for edit in self.edits)
        return (self.op, self.content_hash, sites, self.where, self.keep_norm)


@dataclass(frozen=True)
class PlannedArm:
    """An arm with token ids and resolved interventions."""

    name: str
    prompt: tuple[int, ...]
    forced: tuple[int, ...]
    interventions: tuple[PlannedIntervention, ...]
    logit_bias: Mapping[int, float]

    @property
    def prefix_key(self) -> tuple[object, ...]:
        """Arms with equal keys have equal keys and values at positions before P-1."""
        touching = (item.key for item in self.interventions if touches_prompt(item.where))
        return (self.prompt, *touching)


@dataclass(frozen=True)
class Plan:
    """What the engine runs. ``prompt``: the trial's own, unsteered, which measurements refer to.
    ``scoring``: teacher-forced, nothing is sampled."""

    request_id: str
    prompt: tuple[int, ...]
    arms: tuple[PlannedArm, ...]
    sampling: Sampling
    samples: int = 1
    measure: bool = True
    scoring: bool = False
    deadline: float | None = None

    def started(self, model: ModelInfo) -> Started:
        """The first message of the answer."""
        prefixes = [arm.prefix_key for arm in self.arms]
        return Started(
            request_id=self.request_id,
            model=model.id,
            fingerprint=model.fingerprint,
            sampling=self.sampling,
            samples=self.samples,
            arms=tuple(
                ResolvedArm(
                    name=arm.name,
                    prompt_token_ids=arm.prompt,
                    forced_token_ids=arm.forced,
                    interventions=tuple(map(_resolved, arm.interventions)),
                    shares_prefill=prefixes.count(arm.prefix_key) > 1,
                )
                for arm in self.arms
            ),
        )


@dataclass(frozen=True)
class Planner:
    """Resolves trials against one model and one store.

    ``encode`` turns a prompt into token ids; ``encode_bare`` does so without adding special
    tokens; both raise InvalidRequest. ``measure_norms`` gives mean ‖h‖ over a prompt at sites.
    """

    model: ModelInfo
    store: Store
    encode: Encode
    encode_bare: EncodeBare
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
        found = found or Violations()
        arms = self._arms(trial.prompt, trial.arms, trial.allow_model_mismatch, "trial", found)
        for index, arm in enumerate(arms):
            if len(arm.forced) > trial.sampling.max_tokens:
                message = f"has {len(arm.forced)} tokens, more than sampling.max_tokens"
                found.add(f"trial.arms[{index}].forced_prefix", "LONGER_THAN_MAX_TOKENS", message)
        baseline = self._baseline(trial.prompt, "trial", found)
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
        found = found or Violations()
        arms = self._arms(trial.prompt, trial.arms, trial.allow_model_mismatch, "", found)
        baseline = self._baseline(trial.prompt, "", found)
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
        self, prompt: Prompt, arms: Sequence[Arm], allow: bool, path: str, found: Violations
    ) -> list[PlannedArm]:
        operands = OperandResolver(
            self.store, self.model.d_model, self.model.fingerprint, allow, found
        )
        return [
            self._arm(prompt, arm, _join(path, f"arms[{index}]"), operands)
            for index, arm in enumerate(arms)
        ]

    def _arm(self, prompt: Prompt, arm: Arm, path: str, operands: OperandResolver) -> PlannedArm:
        found = operands.violations
        forced: tuple[int, ...] = ()
        if arm.prompt is not None:
            ids = self._tokens(arm.prompt, f"{path}.prompt", self.encode, found)
            self._check_length(ids, f"{path}.prompt", found)
        else:
            # The trial's own prompt is reported once, with the baseline.
            ids = self._tokens(prompt, "", self.encode, Violations())
        if arm.forced_prefix is not None:
            at = f"{path}.forced_prefix"
            forced = self._tokens(arm.forced_prefix, at, self.encode_bare, found)
            self._check_length(ids + forced, at, found)
        _check_bias(arm.logit_bias, f"{path}.logit_bias", self.model, found)
        interventions = (
            self._intervention(item, f"{path}.interventions[{index}]", ids, operands)
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

    def _intervention(
        self, item: Intervention, path: str, prompt: tuple[int, ...], operands: OperandResolver
    ) -> PlannedIntervention | None:
        found = operands.violations
        _check_supported(item, path, found)
        op = item.op
        if not isinstance(op, Add | Project):
            return None
        directions = operands.resolve(op.operand, f"{path}.{op.name}.operand")
        if directions is None:
            return None
        sites = self._sites(item.sites, directions, path, found)
        strength = _strength(item, directions)
        if strength.unit is Unit.RELATIVE and isinstance(op, Project):
            message = "a projection's strength is a fraction already; use RAW"
            found.add(f"{path}.strength.unit", "NOT_FOR_PROJECT", message)
        if found or not sites or not prompt:
            return None
        scales = self._scales(strength, sites, directions, prompt)
        bounds = (op.low, op.high) if isinstance(op, Project) else ()
        arrays = {site: _direction(directions, site) for site in sites}
        return PlannedIntervention(
            op=op.name,
            operand=directions.described,
            content_hash=content_hash(arrays),
            edits=tuple(Edit(site, arrays[site], (scales[site], *bounds)) for site in sites),
            where=item.where or (directions.card.where if directions.card else Where()),
            keep_norm=item.keep_norm,
            must_fire=item.must_fire,
        )

    def _sites(
        self, asked: tuple[Site, ...], directions: Directions, path: str, found: Violations
    ) -> tuple[Site, ...]:
        own = tuple(site for site in directions.arrays if site is not ANYWHERE)
        sites = asked or own
        if not sites:
            found.add(f"{path}.sites", "NO_SITE", "an inline vector without sites needs a layer")
        if len(set(sites)) < len(sites):
            found.add(f"{path}.sites", "DUPLICATE_SITE", "each site may be given once")
        for index, site in enumerate(sites):
            at = f"{path}.sites[{index}]"
            if site.layer >= self.model.layers:
                message = f"layer {site.layer} is outside the model (0 to {self.model.layers - 1})"
                found.add(f"{at}.layer", "LAYER_OUT_OF_RANGE", message)
            elif site.point not in self.model.points:
                message = f"this architecture has no {site.point.value}"
                found.add(f"{at}.point", "NO_SUCH_POINT", message, FailedPrecondition)
            elif pick(directions, site) is None:
                has = ", ".join(map(str, own))
                message = f"{directions.described} has no direction at {site}; it has {has}"
                found.add(at, "SITE_MISSING", message)
        return sites

    def _scales(
        self,
        strength: Strength,
        sites: tuple[Site, ...],
        directions: Directions,
        prompt: tuple[int, ...],
    ) -> Mapping[Site, float]:
        if strength.unit is Unit.RAW:
            return dict.fromkeys(sites, strength.value)
        card_norms = directions.card.residual_norms if directions.card else {}
        missing = tuple(site for site in sites if site not in card_norms)
        norms = {**card_norms, **(self.measure_norms(prompt, missing) if missing else {})}
        return {
            site: strength.value * norms[site] / norm(_direction(directions, site))
            for site in sites
        }


def _direction(directions: Directions, site: Site) -> Array:
    array = pick(directions, site)
    assert array is not None
    return array


def _strength(item: Intervention, directions: Directions) -> Strength:
    if item.strength is not None:
        return item.strength
    use_card = directions.card is not None and isinstance(item.op, Add)
    return directions.card.strength if use_card and directions.card else Strength()


def _at_zero(edit: Edit) -> Edit:
    return replace(edit, params=(0.0, *edit.params[1:]))


def _resolved(item: PlannedIntervention) -> ResolvedIntervention:
    coefficients = tuple((edit.site, edit.params[0]) for edit in item.edits)
    return ResolvedIntervention(item.op, item.operand, item.content_hash, coefficients, item.where)


def _check_supported(item: Intervention, path: str, found: Violations) -> None:
    where = item.where or Where()
    missing = {
        f".{item.op.name}": not isinstance(item.op, Add | Project),
        ".gate": item.gate is not None,
        ".where.ranges": bool(where.ranges),
        ".where.token_ids": bool(where.token_ids),
        ".where.exclude_token_ids": bool(where.exclude_token_ids),
        ".where.markers": bool(where.markers),
        ".where.every": where.every != 1,
        ".where.decay": where.decay is not None,
    }
    for field, used in missing.items():
        if used:
            message = "is in the contract, this server does not apply it yet"
            found.add(f"{path}{field}", "NOT_IMPLEMENTED", message, NotImplementedYet)


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
