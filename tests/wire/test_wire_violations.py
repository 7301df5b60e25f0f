"""What is wrong with a request is told all at once, with field paths, and what would be valid."""

import math
import struct
from typing import Any

import pytest

import steer.v1 as pb
from steer import wire
from steer.errors import InvalidRequest
from steer.types import (
    Add,
    Gate,
    Intervention,
    Phase,
    Replace,
    Sampling,
    Site,
    Stored,
    Where,
)

X = pb.Operand(vector="x")
ADD = pb.Add(operand=X)


def floats(*xs: float) -> bytes:
    return struct.pack(f"<{len(xs)}f", *xs)


def inline(**tensor: object) -> pb.Intervention:
    direction = pb.Direction(tensor=pb.Tensor(**tensor))
    return pb.Intervention(
        add=pb.Add(operand=pb.Operand(inline=pb.InlineVector(directions=[direction])))
    )


def directions(*sites: pb.Site | None, widths: tuple[int, ...] = (1, 1, 1)) -> pb.Intervention:
    made = [
        pb.Direction(tensor=pb.Tensor(shape=[w], data=floats(*[1] * w)), site=site)
        for site, w in zip(sites, widths, strict=False)
    ]
    return pb.Intervention(add=pb.Add(operand=pb.Operand(inline=pb.InlineVector(directions=made))))


def gate(**fields: object) -> pb.Intervention:
    return pb.Intervention(add=ADD, gate=pb.Gate(**fields))


def where(**fields: object) -> pb.Intervention:
    return pb.Intervention(add=ADD, where=pb.Where(**fields))


SITE = pb.Site(layer=1)
LATENT = pb.FeatureGate(dictionary="d", index=3)
TENSOR = "add.operand.inline.directions[0].tensor"
NAN, INF = math.nan, math.inf

INTERVENTIONS = [
    (pb.Intervention(), ""),
    (pb.Intervention(add=pb.Add()), "add.operand"),
    (pb.Intervention(add=pb.Add(operand=pb.Operand(vector=""))), "add.operand.vector"),
    (pb.Intervention(add=ADD, sites=[pb.Site(point=99)]), "sites[0].point"),
    (pb.Intervention(add=ADD, sites=[SITE, SITE]), "sites"),
    (pb.Intervention(add=ADD, strength=pb.Strength(value=NAN)), "strength.value"),
    (pb.Intervention(add=ADD, strength=pb.Strength(value=INF)), "strength.value"),
    (pb.Intervention(add=ADD, strength=pb.Strength(value=-3.5e38)), "strength.value"),
    (pb.Intervention(add=ADD, strength=pb.Strength(unit=9)), "strength.unit"),
    (inline(), f"{TENSOR}.shape"),
    (inline(shape=[1, 2], data=floats(1, 2)), f"{TENSOR}.shape"),
    (inline(shape=[0]), f"{TENSOR}.shape"),
    (inline(shape=[3], data=floats(1, 2)), f"{TENSOR}.data"),
    (inline(shape=[2**63], data=b""), f"{TENSOR}.data"),
    (inline(shape=[2], data=floats(1, 2), dtype=7), f"{TENSOR}.dtype"),
    (inline(shape=[2], data=floats(1, NAN)), f"{TENSOR}.data"),
    (inline(shape=[2], data=floats(1, INF)), f"{TENSOR}.data"),
    (directions(), "add.operand.inline.directions"),
    (directions(SITE, SITE), "add.operand.inline.directions"),
    (directions(SITE, None), "add.operand.inline.directions"),
    (directions(SITE, pb.Site(), widths=(1, 2)), "add.operand.inline.directions"),
    (
        pb.Intervention(add=pb.Add(operand=pb.Operand(random_like=pb.RandomLike(of=pb.Operand())))),
        "add.operand.random_like.of",
    ),
    (pb.Intervention(project=pb.Project(operand=X, low=NAN)), "project.low"),
    (pb.Intervention(project=pb.Project(operand=X, low=-1e39)), "project.low"),
    (pb.Intervention(project=pb.Project(operand=X, high=1e39)), "project.high"),
    (pb.Intervention(project=pb.Project(operand=X, low=2, high=1)), "project.low"),
    (pb.Intervention(project=pb.Project(operand=X, low=INF, high=INF)), "project.low"),
    (pb.Intervention(project=pb.Project(operand=X, low=-INF, high=-INF)), "project.high"),
    (pb.Intervention(rotate=pb.Rotate(operand=X, degrees=181)), "rotate.degrees"),
    (pb.Intervention(rotate=pb.Rotate(operand=X, degrees=NAN)), "rotate.degrees"),
    (pb.Intervention(feature=pb.Feature(dictionary="d")), "feature.edits"),
    (
        pb.Intervention(feature=pb.Feature(dictionary="d", edits=[pb.FeatureEdit(value=NAN)])),
        "feature.edits[0].value",
    ),
    (
        pb.Intervention(feature=pb.Feature(dictionary="d", edits=[pb.FeatureEdit(value=1e39)])),
        "feature.edits[0].value",
    ),
    (
        pb.Intervention(
            feature=pb.Feature(dictionary="d", edits=[pb.FeatureEdit(), pb.FeatureEdit()])
        ),
        "feature.edits",
    ),
    (pb.Intervention(low_rank=pb.LowRank()), "low_rank.vector"),
    (pb.Intervention(replace=pb.Replace()), "replace"),
    (pb.Intervention(replace=pb.Replace(operand=X, fraction=1.5)), "replace.fraction"),
    (pb.Intervention(replace=pb.Replace(capture_id="")), "replace.capture_id"),
    (pb.Intervention(replace=pb.Replace(source_arm="")), "replace.source_arm"),
    (
        pb.Intervention(replace=pb.Replace(operand=X, source_position=0)),
        "replace.source_position",
    ),
    (where(phase=9), "where.phase"),
    (where(ranges=[pb.PositionRange(start=3, stop=3)]), "where.ranges[0]"),
    (where(markers=[pb.Marker(until="x")]), "where.markers[0]"),
    (where(markers=[pb.Marker(text="x", tokens=0)]), "where.markers[0].tokens"),
    (where(every=0), "where.every"),
    (where(decay=pb.Decay(tokens=1)), "where.decay.shape"),
    (where(decay=pb.Decay(shape=pb.DECAY_SHAPE_LINEAR)), "where.decay.tokens"),
    (gate(site=SITE), "gate"),
    (gate(probe="p", threshold=0.5), "gate.site"),
    (gate(site=SITE, probe="p", threshold=2), "gate.threshold"),
    (gate(site=SITE, cosine=X, threshold=-2), "gate.threshold"),
    (gate(site=SITE, cosine=X, threshold=NAN), "gate.threshold"),
    (gate(site=SITE, cosine=X, threshold=-0.1, absolute=True), "gate.threshold"),
    (gate(site=SITE, probe="p", threshold=NAN), "gate.threshold"),
    (gate(site=SITE, probe="", threshold=0.5), "gate.probe"),
    (gate(site=SITE, probe="p", threshold=0.5, scope=9), "gate.scope"),
    (gate(site=SITE, feature=LATENT, threshold=INF), "gate.threshold"),
    (gate(site=SITE, feature=LATENT, threshold=-1, absolute=True), "gate.threshold"),
    (gate(site=SITE, feature=pb.FeatureGate(index=3)), "gate.feature.dictionary"),
]


@pytest.mark.parametrize(("message", "field"), INTERVENTIONS)
def test_one_thing_wrong_with_an_intervention(message: pb.Intervention, field: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        wire.parse_intervention(message, path="i")
    assert [v.field for v in caught.value.violations] == ["i" + (f".{field}" if field else "")]
    assert "give" in caught.value.message


SAMPLINGS = [
    ({"temperature": -0.1}, "temperature"),
    ({"temperature": NAN}, "temperature"),
    ({"temperature": INF}, "temperature"),
    ({"top_p": 0}, "top_p"),
    ({"top_p": 1.1}, "top_p"),
    ({"min_p": -1}, "min_p"),
    ({"repetition_penalty": 0}, "repetition_penalty"),
    ({"max_tokens": 0}, "max_tokens"),
    ({"min_tokens": 5, "max_tokens": 4}, "min_tokens"),
    ({"logprobs": 21}, "logprobs"),
    ({"stop": ["a", ""]}, "stop[1]"),
    ({"logit_bias": {7: INF}}, "logit_bias[7]"),
]


@pytest.mark.parametrize(("fields", "field"), SAMPLINGS)
def test_one_thing_wrong_with_sampling(fields: dict[str, object], field: str) -> None:
    trial = pb.Trial(prompt=pb.Prompt(text="x"), sampling=pb.Sampling(**fields))
    assert refused(trial) == [f"trial.sampling.{field}"]


TEXT = pb.Prompt(text="x")
ARM = pb.Arm(name="a")
TRIALS = [
    (pb.Trial(), "prompt"),
    (pb.Trial(prompt=pb.Prompt(text="")), "prompt.text"),
    (pb.Trial(prompt=pb.Prompt(tokens=pb.Tokens())), "prompt.tokens.ids"),
    (pb.Trial(prompt=pb.Prompt(chat=pb.Chat())), "prompt.chat.messages"),
    (
        pb.Trial(prompt=pb.Prompt(chat=pb.Chat(messages=[pb.ChatMessage()]))),
        "prompt.chat.messages[0].role",
    ),
    (pb.Trial(prompt=TEXT, samples=0), "samples"),
    (pb.Trial(prompt=TEXT, samples=1025), "samples"),
    (pb.Trial(prompt=TEXT, baseline=False), "arms"),
    (pb.Trial(prompt=TEXT, branching=pb.Branching()), "branching.k"),
    (pb.Trial(prompt=TEXT, branching=pb.Branching(k=1)), "branching.k"),
    (pb.Trial(prompt=TEXT, branching=pb.Branching(k=1025)), "branching.k"),
    (pb.Trial(prompt=TEXT, branching=pb.Branching(k=2), samples=2), "samples"),
    (pb.Trial(prompt=TEXT, branching=pb.Branching(k=2, extractor=99)), "branching.extractor"),
    (pb.Trial(prompt=TEXT, branching=pb.Branching(k=2, pattern="x")), "branching.pattern"),
    (
        pb.Trial(prompt=TEXT, branching=pb.Branching(k=2, extractor=pb.EXTRACTOR_REGEX)),
        "branching.pattern",
    ),
    (
        pb.Trial(prompt=TEXT, branching=pb.Branching(k=2), sampling=pb.Sampling(temperature=1)),
        "sampling.temperature",
    ),
    (pb.Trial(prompt=TEXT, noise_floor=True), "noise_floor"),
    (pb.Trial(prompt=TEXT, arms=[ARM, ARM]), "arms[1].name"),
    (pb.Trial(prompt=TEXT, arms=[pb.Arm(name="baseline")]), "arms[0].name"),
    (pb.Trial(prompt=TEXT, arms=[pb.Arm(name="-a")]), "arms[0].name"),
    (pb.Trial(prompt=TEXT, arms=[pb.Arm(name="a" * 81)]), "arms[0].name"),
    (pb.Trial(prompt=TEXT, arms=[pb.Arm(name="a\n")]), "arms[0].name"),
    (
        pb.Trial(prompt=TEXT, arms=[pb.Arm(name="a", forced_prefix=pb.Prompt())]),
        "arms[0].forced_prefix",
    ),
    (
        pb.Trial(prompt=TEXT, arms=[pb.Arm(name="a", forced_prefix=pb.Prompt(chat=pb.Chat()))]),
        "arms[0].forced_prefix",
    ),
    (pb.Trial(prompt=TEXT, arms=[pb.Arm(name="a", prompt=pb.Prompt())]), "arms[0].prompt"),
    (pb.Trial(prompt=TEXT, arms=[pb.Arm(name="a", recipes=["r", ""])]), "arms[0].recipes[1]"),
    (pb.Trial(prompt=TEXT, arms=[pb.Arm(name="a", logit_bias={3: NAN})]), "arms[0].logit_bias[3]"),
]


@pytest.mark.parametrize(("message", "field"), TRIALS)
def test_one_thing_wrong_with_a_trial(message: pb.Trial, field: str) -> None:
    assert refused(message) == [f"trial.{field}"]


def refused(message: pb.Trial) -> list[str]:
    with pytest.raises(InvalidRequest) as caught:
        wire.parse_trial(message)
    assert all("give" in violation.message for violation in caught.value.violations)
    return [violation.field for violation in caught.value.violations]


def capture(**fields: object) -> pb.CaptureRequest:
    return pb.CaptureRequest(trial=pb.Trial(prompt=TEXT), **fields)


def readout(**fields: object) -> pb.CaptureRequest:
    return capture(features=[pb.FeatureReadout(**fields)])


CAPTURES = [
    (pb.CaptureRequest(sites=[SITE]), "trial.prompt"),
    (capture(), "sites"),
    (capture(sites=[SITE, SITE]), "sites"),
    (capture(sites=[pb.Site(point=9)]), "sites[0].point"),
    (capture(sites=[SITE], where=pb.Where(every=0)), "where.every"),
    (capture(features=[pb.FeatureReadout(dictionary="d", top_k=1)], keep=True), "keep"),
    (capture(features=[pb.FeatureReadout(dictionary="d", top_k=1)] * 2), "features"),
    (readout(top_k=1), "features[0].dictionary"),
    (readout(dictionary="d"), "features[0]"),
    (readout(dictionary="d", top_k=1001), "features[0].top_k"),
    (readout(dictionary="d", indices=[1, 1]), "features[0].indices"),
]


@pytest.mark.parametrize(("message", "field"), CAPTURES)
def test_one_thing_wrong_with_a_capture(message: pb.CaptureRequest, field: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        wire.parse_capture(message)
    assert [violation.field for violation in caught.value.violations] == [field]
    assert "give" in caught.value.message


def test_a_capture_reads_every_position_unless_told() -> None:
    assert wire.parse_capture(capture(sites=[SITE])).where == Where()


def test_a_recipe_has_interventions() -> None:
    with pytest.raises(InvalidRequest) as caught:
        wire.parse_recipe(pb.Recipe(name="r"))
    assert [violation.field for violation in caught.value.violations] == ["recipe.interventions"]
    with pytest.raises(InvalidRequest) as caught:
        wire.parse_recipe(pb.Recipe(interventions=[pb.Intervention()] * 2))
    assert [violation.field for violation in caught.value.violations] == [
        "recipe.interventions[0]",
        "recipe.interventions[1]",
    ]


def test_a_noise_floor_may_be_of_a_recipe() -> None:
    arm = pb.Arm(name="a", recipes=["r"])
    assert wire.parse_trial(pb.Trial(prompt=TEXT, arms=[arm], noise_floor=True)).noise_floor


@pytest.mark.parametrize(
    "op",
    [
        Replace(capture_id="c", source_arm="a"),
        Replace(Stored("x"), capture_id="c"),
    ],
)
def test_what_the_wire_can_not_say_is_not_built(op: Replace) -> None:
    with pytest.raises(ValueError, match="only one of"):
        wire.build_intervention(Intervention(op))


@pytest.mark.parametrize(
    "settings",
    [{"probe": "p", "cosine": Stored("x")}, {"probe": "p", "feature": 3}, {"dictionary": "d"}],
)
def test_a_gate_reads_one_thing(settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"only one of|needs a feature"):
        wire.build_intervention(Intervention(Add(Stored("x")), gate=Gate(Site(1), 0.5, **settings)))


def test_everything_wrong_is_told_at_once() -> None:
    arm = pb.Arm(name="", interventions=[pb.Intervention(add=ADD), pb.Intervention()])
    assert refused(pb.Trial(arms=[arm], samples=0, sampling=pb.Sampling(top_p=2))) == [
        "trial.prompt",
        "trial.arms[0].name",
        "trial.arms[0].interventions[1]",
        "trial.sampling.top_p",
        "trial.samples",
    ]


def test_scoring_names_its_fields_from_the_request() -> None:
    with pytest.raises(InvalidRequest) as caught:
        wire.parse_score(pb.ScoreRequest(continuation=pb.Prompt(chat=pb.Chat()), arms=[ARM, ARM]))
    fields = [violation.field for violation in caught.value.violations]
    assert fields == ["prompt", "continuation", "arms[1].name"]


def test_defaults_of_an_almost_empty_trial() -> None:
    trial = wire.parse_trial(pb.Trial(prompt=TEXT))
    assert trial.sampling == Sampling()
    assert (trial.baseline, trial.samples, trial.measure) == (True, 1, True)


def test_zero_is_not_absent() -> None:
    sampling = pb.Sampling(top_k=0, min_tokens=0, seed=0, temperature=0)
    assert wire.parse_trial(pb.Trial(prompt=TEXT, sampling=sampling)).sampling == Sampling()
    zero = wire.parse_intervention(pb.Intervention(add=ADD, strength=pb.Strength(value=0)))
    assert zero.strength is not None
    assert zero.strength.value == 0


def test_an_empty_where_leaves_the_word_to_the_card() -> None:
    assert wire.parse_intervention(where()).where is None
    assert wire.parse_intervention(pb.Intervention(add=ADD)).where is None
    assert wire.parse_intervention(where(token_ids=[3])).where == Where(Phase.ALL, token_ids=(3,))


def test_an_absent_dtype_and_point_are_the_defaults() -> None:
    made = wire.parse_intervention(inline(shape=[2], data=floats(1, 2)))
    assert wire.build_intervention(made).add.operand.inline.directions[0].tensor.dtype == 1
    assert wire.parse_intervention(directions(SITE)).op.operand.directions[0].site.layer == 1


def test_deep_nesting_is_read() -> None:
    operand = X
    for _ in range(20):
        operand = pb.Operand(random_like=pb.RandomLike(of=operand))
    assert wire.parse_intervention(pb.Intervention(add=pb.Add(operand=operand)))
