"""Every way an intervention can be wrong: a typed status that names the field."""

import math
import shutil
from collections.abc import Iterator
from dataclasses import replace as replaced
from typing import Any

import grpc
import pytest

import steer
import steer.v1 as pb
from steer.store import Store, bundled
from tests.server.conftest import Served, serving
from tests.server.items import SITE, low_rank, probe, sae, transcoder
from tests.server.messages import PROMPT, add, arm, healthy, refusal

BAD, LOST, UNFIT = steer.InvalidRequest, steer.NotFound, steer.FailedPrecondition
SHORT = pb.Sampling(max_tokens=2)
I0 = "trial.arms[0].interventions[0]"
NAN = math.nan
X = pb.Operand(vector="a1-rloo")
L0 = [pb.Site(layer=0)]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    root = tmp_path_factory.mktemp("store") / "vectors"
    shutil.copytree(bundled(), root)
    store = Store(root)
    fingerprint = store.get("a1-rloo").card.fingerprint
    for name, item in {
        "sae": sae(64, fingerprint),
        "narrow": sae(32, fingerprint),
        "foreign": sae(64, "sha256:other"),
        "coder": transcoder(64, fingerprint),
        "reft": low_rank(64, fingerprint),
        "probe": probe(64, fingerprint),
    }.items():
        store.put(replaced(item, name=name))
    with serving(tmp_path_factory.mktemp("s"), store=root) as running:
        yield running


def feature(dictionary: str = "sae", index: int = 0, **fields: Any) -> pb.Intervention:
    edits = [pb.FeatureEdit(index=index, value=1.0)]
    return pb.Intervention(feature=pb.Feature(dictionary=dictionary, edits=edits), **fields)


def replace(**fields: Any) -> pb.Intervention:
    return pb.Intervention(replace=pb.Replace(**fields), sites=L0)


def gated(site: int = 0, **fields: Any) -> pb.Intervention:
    given = {"cosine": X} | fields if not {"probe", "feature"} & set(fields) else fields
    return add(sites=[pb.Site(layer=1)], gate=pb.Gate(site=pb.Site(layer=site), **given))


def feature_gate(dictionary: str = "sae", index: int = 0, site: int = SITE.layer) -> Any:
    reading = pb.FeatureGate(dictionary=dictionary, index=index)
    where = pb.Site(layer=site)
    return add(sites=[pb.Site(layer=2)], gate=pb.Gate(feature=reading, site=where))


def marked(**fields: Any) -> pb.Intervention:
    return add(where=pb.Where(markers=[pb.Marker(**fields)]))


def operand(source: Any) -> pb.Intervention:
    return pb.Intervention(add=pb.Add(operand=source))


WITHIN = pb.Operand(within_class=pb.WithinClass(of=X))
# (what is wrong, exception, field below the intervention, reason, what the message says)
CASES: list[tuple[pb.Intervention, type[steer.SteerError], str, str, str]] = [
    (
        pb.Intervention(rotate=pb.Rotate(operand=X, degrees=NAN)),
        BAD,
        "rotate.degrees",
        "OUT_OF_RANGE",
        "from -180 to 180",
    ),
    (
        pb.Intervention(
            rotate=pb.Rotate(operand=X, degrees=9),
            strength=pb.Strength(unit=pb.STRENGTH_UNIT_RELATIVE),
        ),
        BAD,
        "strength.unit",
        "NOT_FOR_ROTATE",
        "use RAW",
    ),
    (operand(WITHIN), UNFIT, "add.operand.within_class.of", "NO_WITHIN_CLASS", "random_like"),
    (operand(pb.Operand(vector="sae")), UNFIT, "add.operand.vector", "WRONG_KIND", "is a sae"),
    (feature("nope"), LOST, "feature.dictionary", "VECTOR_NOT_FOUND", "a1-rloo"),
    (feature("a1-rloo"), UNFIT, "feature.dictionary", "WRONG_KIND", "is a direction"),
    (feature("coder"), UNFIT, "feature.dictionary", "WRONG_KIND", "transcoder"),
    (feature("narrow"), UNFIT, "feature.dictionary", "WIDTH_MISMATCH", "the model has 64"),
    (feature("foreign"), UNFIT, "feature.dictionary", "MODEL_MISMATCH", "allow_model_mismatch"),
    (
        feature(index=96),
        BAD,
        "feature.edits[0].index",
        "FEATURE_OUT_OF_RANGE",
        "0 to 95",
    ),
    (feature(sites=[pb.Site(layer=2)]), UNFIT, "sites[0]", "SITE_MISMATCH", "resid_post.1"),
    (
        pb.Intervention(low_rank=pb.LowRank(vector="sae")),
        UNFIT,
        "low_rank.vector",
        "WRONG_KIND",
        "takes a low_rank",
    ),
    (
        pb.Intervention(low_rank=pb.LowRank(vector="reft"), sites=[pb.Site(layer=2)]),
        BAD,
        "sites[0]",
        "SITE_MISSING",
        "resid_post.1",
    ),
    (
        replace(capture_id="cap-0"),
        UNFIT,
        "replace.capture_id",
        "NO_SUCH_CAPTURE",
        "no capture 'cap-0' is held",
    ),
    (replace(source_arm="nope"), BAD, "replace.source_arm", "NO_SUCH_ARM", "there are baseline, a"),
    (replace(source_arm="a"), BAD, "replace.source_arm", "CHAINED_PATCH", "itself patched"),
    (
        replace(source_arm="baseline", source_position=99),
        UNFIT,
        "replace.source_position",
        "NO_SUCH_POSITION",
        "from 0 to",
    ),
    (
        replace(
            operand=pb.Operand(
                inline=pb.InlineVector(
                    directions=[pb.Direction(tensor=pb.Tensor(shape=[2], data=bytes(7) + b"\1"))]
                )
            )
        ),
        UNFIT,
        "replace.operand.inline.directions[0]",
        "WIDTH_MISMATCH",
        "the model's width is 64",
    ),
    (gated(2), BAD, "gate.site", "GATE_TOO_LATE", "earlier or equal"),
    (gated(3), BAD, "gate.site.layer", "LAYER_OUT_OF_RANGE", "0 to 2"),
    (gated(probe="sae"), UNFIT, "gate.probe", "WRONG_KIND", "takes a probe"),
    (gated(probe="probe"), UNFIT, "gate.probe", "SITE_MISMATCH", "resid_post.1"),
    (gated(threshold=2.0), BAD, "gate.threshold", "OUT_OF_RANGE", "-1 to 1"),
    (feature_gate(index=96), BAD, "gate.feature.index", "FEATURE_OUT_OF_RANGE", "0 to 95"),
    (feature_gate(site=0), UNFIT, "gate.feature.dictionary", "SITE_MISMATCH", "resid_post.1"),
    (add(where=pb.Where(token_ids=[69])), BAD, "where.token_ids", "UNKNOWN_TOKEN", "0 to 68"),
    (marked(regex="(a"), BAD, "where.markers[0].regex", "INVALID_REGEX", "RE2"),
    (marked(regex=r"(a)\1"), BAD, "where.markers[0].regex", "INVALID_REGEX", "backreferences"),
    (marked(regex="a*"), BAD, "where.markers[0].regex", "MATCHES_EMPTY", "empty text"),
    (marked(regex="(abcd){600}"), BAD, "where.markers[0].regex", "TOO_LARGE", "instructions"),
]


@pytest.mark.parametrize(("intervention", "kind", "field", "reason", "says"), CASES)
def test_one_thing_wrong(served, intervention, kind, field, reason, says):
    trial = pb.Trial(prompt=PROMPT, sampling=SHORT, **arm(intervention))
    with grpc.insecure_channel(served.address) as channel:
        error = refusal(pb.SteeringServiceStub(channel).Compare, pb.CompareRequest(trial=trial))
    assert [(v.field, v.reason) for v in error.violations] == [(f"{I0}.{field}", reason)]
    assert says in error.violations[0].message
    assert type(error) is kind and error.reason == reason


def test_the_server_is_well_after_all_that(served):
    assert healthy(served)


# No more than fit into a status.
@pytest.mark.parametrize("part", [slice(0, None, 3), slice(1, None, 3), slice(2, None, 3)])
def test_everything_wrong_is_said_at_once(served, part):
    wrong = [item for item, *_ in CASES if item.WhichOneof("op") != "replace"][part]
    trial = pb.Trial(prompt=PROMPT, sampling=SHORT, **arm(*wrong))
    with grpc.insecure_channel(served.address) as channel:
        error = refusal(pb.SteeringServiceStub(channel).Compare, pb.CompareRequest(trial=trial))
    named = {v.field.split(".")[2] for v in error.violations}
    assert named == {f"interventions[{index}]" for index in range(len(wrong))}


def test_a_marker_that_never_comes_is_zero_in_the_receipt_and_an_error_if_it_must(served):
    quiet = steer.add("a1-rloo", where=steer.Where(markers=(steer.Marker(text="never"),)))
    result = served.client.compare(PROMPT.text, quiet, max_tokens=4)
    assert [receipt.tokens for receipt in result.steered.receipts] == [0]
    assert result.steered.token_ids == result.baseline.token_ids
    must = steer.add("a1-rloo", must_fire=True, where=quiet.interventions[0].where)
    arms = {"a": steer.add("a1-rloo") + must, "b": must}
    paths = ["arms[0].interventions[1].must_fire", "arms[1].interventions[0].must_fire"]
    with pytest.raises(steer.FailedPrecondition) as caught:
        served.client.compare(PROMPT.text, arms=arms, max_tokens=1)
    assert caught.value.reason == "DID_NOT_FIRE"
    assert [violation.field for violation in caught.value.violations] == [
        f"trial.{path}" for path in paths
    ]
    with pytest.raises(steer.FailedPrecondition) as caught:
        served.client.score(PROMPT.text, " THINK", arms=arms)
    assert [violation.field for violation in caught.value.violations] == paths


@pytest.fixture(scope="module")
def channel(served: Served) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(served.address) as opened:
        yield opened


# (what is wrong, field, reason)
CAPTURES: list[tuple[dict[str, Any], str, str]] = [
    ({}, "sites", "REQUIRED"),
    ({"sites": [pb.Site(layer=9)]}, "sites[0].layer", "LAYER_OUT_OF_RANGE"),
    ({"features": [pb.FeatureReadout(dictionary="sae")]}, "features[0]", "REQUIRED"),
    (
        {"features": [pb.FeatureReadout(dictionary="probe", top_k=1)]},
        "features[0].dictionary",
        "WRONG_KIND",
    ),
    (
        {"features": [pb.FeatureReadout(dictionary="sae", indices=[3, 96])]},
        "features[0].indices[1]",
        "FEATURE_OUT_OF_RANGE",
    ),
    (
        {"sites": L0, "where": pb.Where(markers=[pb.Marker(regex="(")])},
        "where.markers[0].regex",
        "INVALID_REGEX",
    ),
]


@pytest.mark.parametrize(("fields", "field", "reason"), CAPTURES)
def test_one_thing_wrong_with_a_capture(channel, fields, field, reason):
    request = pb.CaptureRequest(trial=pb.Trial(prompt=PROMPT), **fields)
    error = refusal(pb.SteeringServiceStub(channel).Capture, request)
    assert [(v.field, v.reason) for v in error.violations] == [(field, reason)]


def test_the_folder_of_the_test_is_a_store(served: Served):
    names = {info.name for info in served.client.vectors.list()}
    assert {"sae", "coder", "reft", "probe", "a1-rloo"} <= names
