"""Everything a caller can get wrong: a typed status that names the field, and a healthy server.

Requests go out as raw messages, so that the SDK's own checks are out of the way.
"""

import json
import math
import shutil
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.rpc import error_details_pb2
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import steer
import steer.v1 as pb
from steer.errors import InvalidRequest, Violation
from steer.server.interceptor import status
from steer.store import Store, bundled
from tests.server.conftest import Served, serving
from tests.server.messages import PROMPT, add, arm, healthy, inline, refusal, sampling

SHORT = pb.Sampling(max_tokens=2)
LARGEST = 2**20
DAMAGED = {
    "tampered": "is not the file this card describes",
    "truncated": "is not the file this card describes",
    "no-json": "not JSON",
    "no-tensors": "vector.safetensors",
    "not-safetensors": "damaged",
}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundled store, a vector of another model, one of another width, and damaged ones."""
    root = tmp_path_factory.mktemp("store") / "vectors"
    shutil.copytree(bundled(), root)
    for name in ("foreign", *DAMAGED):
        shutil.copytree(bundled() / "a1-rloo", root / name)
    edit_card(root / "foreign", lambda card: card["model"].update(fingerprint="sha256:other"))
    data = bytearray((root / "tampered/vector.safetensors").read_bytes())
    data[-1] ^= 1
    (root / "tampered/vector.safetensors").write_bytes(data)
    (root / "truncated/vector.safetensors").write_bytes(data[:-4])
    (root / "no-json/card.json").write_text("{")
    (root / "no-tensors/vector.safetensors").unlink()
    (root / "not-safetensors/vector.safetensors").write_bytes(b"")
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    edit_card(root / "not-safetensors", lambda card: card.update(sha256=empty))
    import numpy as np

    from steer.store import Card, Vector
    from steer.types import Site

    card = Card("wide", "sha256:wide", 32, (Site(0),), "test")
    Store(root).put(Vector("wide", {Site(0): np.ones(32, np.float32)}, card))
    return root


def edit_card(folder: Path, change: Any) -> None:
    card = json.loads((folder / "card.json").read_text())
    change(card)
    (folder / "card.json").write_text(json.dumps(card))


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, store: Path) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("s")
    with serving(folder, store=store, max_message_bytes=LARGEST) as running:
        yield running


@pytest.fixture(scope="module")
def channel(served: Served) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(served.address) as opened:
        yield opened


I0 = "trial.arms[0].interventions[0]"
STORED = f"{I0}.add.operand.vector"
INLINE = f"{I0}.add.operand.inline.directions[0]"
X = pb.Operand(vector="a1-rloo")
NAN, INF = math.nan, math.inf
BAD, LOST, UNFIT = steer.InvalidRequest, steer.NotFound, steer.FailedPrecondition
RANDOM = pb.Operand(random_like=pb.RandomLike(of=pb.Operand(vector="nope")))
PARALLEL = pb.Operand(orthogonal_to=pb.OrthogonalTo(of=X, to=X))

# (what is wrong, exception, field, reason, what the message says would be valid)
CASES: list[tuple[dict[str, Any], type[steer.SteerError], str, str, str]] = [
    (arm(add("nope")), LOST, STORED, "VECTOR_NOT_FOUND", "stored: a1-dom, a1-rloo"),
    (
        arm(pb.Intervention(add=pb.Add(operand=RANDOM))),
        LOST,
        f"{I0}.add.operand.random_like.of.vector",
        "VECTOR_NOT_FOUND",
        "a1-rloo",
    ),
    (
        arm(pb.Intervention(add=pb.Add(operand=PARALLEL))),
        BAD,
        f"{I0}.add.operand.orthogonal_to",
        "ZERO_VECTOR",
        "parallel",
    ),
    *[
        (
            arm(pb.Intervention(add=pb.Add(operand=pb.Operand(expression=text)))),
            kind,
            f"{I0}.add.operand.expression{below}",
            reason,
            says,
        )
        for text, kind, below, reason, says in (
            (
                "a1-dom a1-rloo",
                BAD,
                "",
                "BAD_EXPRESSION",
                "wants an operator in place of",
            ),
            ("a1-dom; a1-rloo", BAD, "", "BAD_EXPRESSION", "no meaning"),
            ("", BAD, "", "BAD_EXPRESSION", "wants a vector"),
            ("a1-dom - a1-dom", UNFIT, "", "ZERO_VECTOR", "zero at resid_post.2"),
            ("a1-dom + nope", LOST, "[nope]", "VECTOR_NOT_FOUND", "a1-rloo"),
            ("a1-dom + ../x", BAD, "", "BAD_EXPRESSION", "'.' at 10"),
            ("a1-dom + a/../x", BAD, "[a/../x]", "BAD_NAME", "a-z0-9"),
            ("a1-dom + foreign", UNFIT, "[foreign]", "MODEL_MISMATCH", "allow_model_mismatch"),
            ("a1-dom + wide", UNFIT, "[wide]", "WIDTH_MISMATCH", "the model has 64"),
        )
    ],
    (arm(add("foreign")), UNFIT, STORED, "MODEL_MISMATCH", "allow_model_mismatch"),
    (arm(add("wide")), UNFIT, STORED, "WIDTH_MISMATCH", "the model has 64"),
    (arm(inline(1, 2, 3)), UNFIT, INLINE, "WIDTH_MISMATCH", "width is 64"),
    (arm(inline(*[0] * 64)), BAD, INLINE, "ZERO_VECTOR", "all zero"),
    (arm(inline(*[1] * 64, layer=None)), BAD, f"{I0}.sites", "NO_SITE", "needs a layer"),
    (arm(inline(*[NAN] * 64)), BAD, f"{INLINE}.tensor.data", "NOT_FINITE", "finite"),
    *[
        (arm(add(name)), BAD, STORED, "BAD_NAME", "a-z0-9")
        for name in ("../../etc/passwd", "/etc/passwd", "a/../b", "..", "a/b/c", "A", "a\0", "a\n")
    ],
    *[(arm(add(name)), UNFIT, STORED, "VECTOR_DAMAGED", says) for name, says in DAMAGED.items()],
    (
        arm(add(sites=[pb.Site(layer=3)])),
        BAD,
        f"{I0}.sites[0].layer",
        "LAYER_OUT_OF_RANGE",
        "0 to 2",
    ),
    (
        arm(add(strength=pb.Strength(value=NAN))),
        BAD,
        f"{I0}.strength.value",
        "NOT_FINITE",
        "give a finite number",
    ),
    (
        arm(add(strength=pb.Strength(value=-INF))),
        BAD,
        f"{I0}.strength.value",
        "NOT_FINITE",
        "give a finite number",
    ),
    (
        arm(
            pb.Intervention(
                project=pb.Project(operand=X), strength=pb.Strength(unit=pb.STRENGTH_UNIT_RELATIVE)
            )
        ),
        BAD,
        f"{I0}.strength.unit",
        "NOT_FOR_PROJECT",
        "use RAW",
    ),
    ({"prompt": pb.Prompt()}, BAD, "trial.prompt", "REQUIRED", "give one of"),
    ({"prompt": pb.Prompt(text="")}, BAD, "trial.prompt.text", "REQUIRED", "give"),
    ({"prompt": pb.Prompt(text="  ")}, BAD, "trial.prompt.text", "EMPTY", "no tokens"),
    (
        {"prompt": pb.Prompt(text="quiz " * 64)},
        BAD,
        "trial.prompt",
        "TOO_LONG",
        "context is 64",
    ),
    (
        {"prompt": pb.Prompt(tokens=pb.Tokens(ids=[3, 69]))},
        BAD,
        "trial.prompt.tokens.ids",
        "UNKNOWN_TOKEN",
        "0 to 68",
    ),
    (
        {"prompt": pb.Prompt(chat=pb.Chat(messages=[pb.ChatMessage(role="user", content="x")]))},
        BAD,
        "trial.prompt.chat",
        "NO_CHAT_TEMPLATE",
        "send text or token ids",
    ),
    (
        arm(forced_prefix=pb.Prompt(text="quiz quiz quiz")),
        BAD,
        "trial.arms[0].forced_prefix",
        "LONGER_THAN_MAX_TOKENS",
        "max_tokens",
    ),
    (
        arm(prompt=pb.Prompt(text="quiz " * 64)),
        BAD,
        "trial.arms[0].prompt",
        "TOO_LONG",
        "context is 64",
    ),
    (
        {"arms": [pb.Arm(name="a"), pb.Arm(name="a")]},
        BAD,
        "trial.arms[1].name",
        "DUPLICATE",
        "give another name",
    ),
    (
        {"arms": [pb.Arm(name="baseline")]},
        BAD,
        "trial.arms[0].name",
        "RESERVED",
        "give another",
    ),
    ({"arms": [pb.Arm(name="\n")]}, BAD, "trial.arms[0].name", "MALFORMED", "letters"),
    ({"noise_floor": True}, BAD, "trial.noise_floor", "CONTRADICTORY", "interventions"),
    ({"baseline": False}, BAD, "trial.arms", "REQUIRED", "give an arm"),
    ({"samples": 0}, BAD, "trial.samples", "OUT_OF_RANGE", "1"),
    (sampling(min_tokens=3), BAD, "trial.sampling.min_tokens", "CONTRADICTORY", "at most"),
    (sampling(temperature=-1), BAD, "trial.sampling.temperature", "OUT_OF_RANGE", "at least 0"),
    (sampling(top_p=0), BAD, "trial.sampling.top_p", "OUT_OF_RANGE", "up to 1"),
    (
        sampling(stop_token_ids=[1, 69]),
        BAD,
        "trial.sampling.stop_token_ids[1]",
        "UNKNOWN_TOKEN",
        "0 to 68",
    ),
    (
        sampling(logit_bias={69: 1.0}),
        BAD,
        "trial.sampling.logit_bias",
        "UNKNOWN_TOKEN",
        "0 to 68",
    ),
    (
        sampling(logit_bias={5: -1e30}),
        BAD,
        "trial.sampling.logit_bias[5]",
        "OUT_OF_RANGE",
        "from -1e+06 to 1e+06",
    ),
]


def ids(case: Any) -> str | None:
    return case if isinstance(case, str) and "[" not in case else None


@pytest.mark.parametrize(("fields", "kind", "field", "reason", "says"), CASES, ids=ids)
def test_one_thing_wrong(served, channel, fields, kind, field, reason, says):
    trial = pb.Trial(**{"prompt": PROMPT, "sampling": SHORT} | fields)
    stub = pb.SteeringServiceStub(channel)
    for call, request in (
        (stub.Compare, pb.CompareRequest(trial=trial)),
        (stub.Generate, pb.GenerateRequest(trial=trial)),
    ):
        error = refusal(call, request)
        assert type(error) is kind
        assert [(v.field, v.reason) for v in error.violations] == [(field, reason)]
        assert says in error.violations[0].message
        assert error.reason == reason and error.request_id
    assert healthy(served)


def test_a_vector_of_another_model_is_used_when_the_caller_says_so(served):
    recipe = steer.add("foreign", strength=1.0)
    result = served.client.compare(PROMPT.text, recipe, max_tokens=4, allow_model_mismatch=True)
    same = served.client.compare(
        PROMPT.text, steer.add("a1-rloo", layer=2, where="all"), max_tokens=4
    )
    assert result.steered.token_ids == same.steered.token_ids


def test_unrelated_problems_are_reported_together(served, channel):
    trial = pb.Trial(
        prompt=pb.Prompt(text="quiz " * 64),
        samples=0,
        sampling=pb.Sampling(top_p=2, stop_token_ids=[1000]),
        arms=[
            pb.Arm(name="a", interventions=[add("nope"), add(sites=[pb.Site(layer=9)])]),
            pb.Arm(name="a", interventions=[inline(1.0)]),
        ],
    )
    error = refusal(pb.SteeringServiceStub(channel).Compare, pb.CompareRequest(trial=trial))
    assert type(error) is steer.InvalidRequest
    assert {violation.field for violation in error.violations} == {
        "trial.prompt",
        "trial.samples",
        "trial.sampling.top_p",
        "trial.sampling.stop_token_ids[0]",
        "trial.arms[1].name",
        STORED,
        "trial.arms[0].interventions[1].sites[0].layer",
        "trial.arms[1].interventions[0].add.operand.inline.directions[0]",
    }
    assert healthy(served)


SCORES = [
    ({"continuation": pb.Prompt()}, BAD, "continuation"),
    ({"continuation": pb.Prompt(tokens=pb.Tokens(ids=[99]))}, BAD, "continuation.tokens.ids"),
    ({"continuation": pb.Prompt(text="quiz " * 63)}, BAD, "continuation"),
    ({"prompt": pb.Prompt()}, BAD, "prompt"),
    (arm(add("nope")), LOST, "arms[0].interventions[0].add.operand.vector"),
    (arm(forced_prefix=pb.Prompt(text="THINK")), BAD, "arms[0].forced_prefix"),
]


@pytest.mark.parametrize(("fields", "kind", "field"), SCORES)
def test_scoring_names_the_field_too(served, channel, fields, kind, field):
    good = {"prompt": PROMPT, "continuation": pb.Prompt(text="ANSWER 3")}
    error = refusal(pb.SteeringServiceStub(channel).Score, pb.ScoreRequest(**good | fields))
    assert type(error) is kind
    assert [violation.field for violation in error.violations] == [field]
    assert healthy(served)


def test_other_calls_name_the_field_too(served, channel):
    stub, vectors = pb.SteeringServiceStub(channel), pb.VectorServiceStub(channel)
    cases = [
        (stub.Tokenize, pb.TokenizeRequest(), BAD, "prompt"),
        (vectors.GetVector, pb.GetVectorRequest(name="nope"), LOST, "name"),
        (vectors.GetVector, pb.GetVectorRequest(name="../a1-rloo"), BAD, "name"),
        (vectors.GetVector, pb.GetVectorRequest(name="no-json"), UNFIT, "name"),
        (vectors.ListVectors, pb.ListVectorsRequest(page_size=0), BAD, "page_size"),
    ]
    for call, request, kind, field in cases:
        error = refusal(call, request)
        assert type(error) is kind
        assert [violation.field for violation in error.violations] == [field]


def test_a_damaged_vector_does_not_hide_the_others(served):
    names = [vector.name for vector in served.client.vectors.list()]
    # A listing reads cards, and sees which files there are; what is in them shows when it is used.
    unread = ["not-safetensors", "tampered", "truncated"]
    assert names == sorted([*Store(bundled()).names(), "foreign", "wide", *unread])


def test_a_message_that_is_too_large_is_refused(served):
    with pytest.raises(steer.TooLarge, match="larger than max"):
        served.client.compare("quiz " * LARGEST)
    assert healthy(served)


def test_an_arm_that_was_not_asked_for_is_a_key_error(served):
    result = served.client.compare(PROMPT.text, max_tokens=1)
    for name in ("steered", "other"):
        with pytest.raises(KeyError, match=name):
            result[name]


# ---- noise on the line --------------------------------------------------------------------------

TYPED = {
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.NOT_FOUND,
    grpc.StatusCode.FAILED_PRECONDITION,
    grpc.StatusCode.UNIMPLEMENTED,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
    grpc.StatusCode.DEADLINE_EXCEEDED,
}
METHODS = [
    *(("SteeringService", name) for name in ("Compare", "Generate", "Score", "Tokenize")),
    *(("VectorService", name) for name in ("GetVector", "ListVectors")),
    *(("RecipeService", name) for name in ("GetRecipe", "ListRecipes", "DeleteRecipe")),
]
FUZZ = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def send(channel: grpc.Channel, service: str, method: str, data: bytes) -> None:
    """Send bytes; an answer is fine, and so is a status that names the caller's mistake."""
    kind = channel.unary_stream if method == "Generate" else channel.unary_unary
    answer = kind(f"/steer.v1.{service}/{method}")
    try:
        given = answer(data, timeout=20)
        list(given) if method == "Generate" else given
    except grpc.RpcError as error:
        assert error.code() in TYPED, (method, data, error)


@FUZZ
@given(method=st.sampled_from(METHODS), data=st.binary(max_size=60))
def test_random_bytes(served, channel, method, data):
    send(channel, *method, data)


uint32, uint64 = st.integers(0, 2**32 - 1), st.integers(0, 2**64 - 1)
numbers = st.floats() | st.sampled_from([0.0, 1.0, -1.0, 1e-300, 1e300])
small = st.integers(0, 80) | uint32


def maybe(**fields: Any) -> st.SearchStrategy[dict[str, Any]]:
    """Any of the fields, each there or not."""
    return st.fixed_dictionaries({}, optional=fields)


def message(kind: Any, **fields: Any) -> Any:
    return maybe(**fields).map(lambda given: kind(**given))


def several(of: Any) -> Any:
    return st.lists(of, max_size=3)


tensors = st.builds(
    lambda values: pb.Tensor(shape=[len(values)], data=struct.pack(f"<{len(values)}f", *values)),
    st.lists(st.floats(width=32), min_size=64, max_size=64)
    | st.sampled_from([[0.0] * 64, [1e-45] * 64, [3e38] * 64, [1.0] * 3, [NAN] * 64]),
)
sites = message(pb.Site, layer=st.integers(0, 4) | uint32, point=st.integers(0, 6))
directions = message(pb.Direction, tensor=tensors, site=sites)
leaves = st.builds(
    lambda name: pb.Operand(vector=name),
    st.sampled_from(["a1-rloo", "a1-dom", "wide", "tampered"]) | st.text(max_size=5),
) | st.builds(
    lambda given: pb.Operand(inline=pb.InlineVector(directions=given)), several(directions)
)
operands = st.recursive(
    leaves,
    lambda inner: (
        st.builds(
            lambda of, seed: pb.Operand(random_like=pb.RandomLike(of=of, seed=seed)), inner, uint64
        )
        | st.builds(
            lambda of, to: pb.Operand(orthogonal_to=pb.OrthogonalTo(of=of, to=to)), inner, inner
        )
    ),
    max_leaves=3,
)
interventions = st.builds(
    lambda op, rest: pb.Intervention(**op, **rest),
    message(pb.Add, operand=operands).map(lambda op: {"add": op})
    | message(pb.Project, operand=operands, low=numbers, high=numbers).map(
        lambda op: {"project": op}
    ),
    maybe(
        sites=several(sites),
        strength=message(pb.Strength, value=numbers, unit=st.integers(0, 3)),
        where=message(pb.Where, phase=st.integers(0, 6), include_special_tokens=st.booleans()),
        keep_norm=st.booleans(),
        must_fire=st.booleans(),
    ),
)
texts = st.sampled_from(["quiz 3 : d a h c c f =", "quiz", "THINK 4"]) | st.text(max_size=20)
prompts = st.builds(lambda text: pb.Prompt(text=text), texts) | st.builds(
    lambda ids: pb.Prompt(tokens=pb.Tokens(ids=ids)), several(small)
)
biases = st.dictionaries(small, numbers, max_size=2)
trials = message(
    pb.Trial,
    prompt=prompts,
    arms=several(
        message(
            pb.Arm,
            name=st.sampled_from(["a", "b", "c"]) | st.text(max_size=3),
            interventions=several(interventions),
            forced_prefix=prompts,
            logit_bias=biases,
            prompt=prompts,
        )
    ),
    baseline=st.booleans(),
    noise_floor=st.booleans(),
    sampling=message(
        pb.Sampling,
        temperature=numbers,
        top_p=numbers,
        top_k=small,
        min_p=numbers,
        repetition_penalty=numbers,
        max_tokens=st.integers(0, 4),
        min_tokens=st.integers(0, 4),
        stop=several(st.text(max_size=3)),
        stop_token_ids=several(small),
        ignore_eos=st.booleans(),
        seed=uint64,
        logprobs=st.integers(0, 22),
        logit_bias=biases,
    ),
    samples=st.integers(0, 3),
    measure=st.booleans(),
    allow_model_mismatch=st.booleans(),
)


@settings(FUZZ, max_examples=200)
@given(trial=trials)
def test_random_trials(served, channel, trial):
    send(channel, "SteeringService", "Compare", pb.CompareRequest(trial=trial).SerializeToString())


def good_parts(kind: Any, **fields: Any) -> Any:
    """A message with every field there."""
    return st.builds(kind, **fields)


plain = st.sampled_from(["a1-rloo", "a1-dom"]).map(lambda name: pb.Operand(vector=name)) | (
    st.sampled_from([1e-45, 1e-30, 1.0, 3e38]).map(lambda x: inline(*[x] * 64).add.operand)
)
finite = st.sampled_from([0.0, -1.0, 0.5, 1e-300, 1e30, 1e300, -1e300])


@settings(FUZZ, max_examples=80)
@given(
    operand=plain,
    value=finite,
    unit=st.integers(0, 2),
    seed=uint64,
    temperature=st.sampled_from([0.0, 1.0, 5e-324, 1e300]),
    phase=st.integers(0, 5),
)
def test_extreme_numbers(served, channel, operand, value, unit, seed, temperature, phase):
    wild = pb.Intervention(
        add=pb.Add(operand=pb.Operand(random_like=pb.RandomLike(of=operand, seed=seed))),
        sites=[pb.Site(layer=1)],
        strength=pb.Strength(value=value, unit=unit),
        where=pb.Where(phase=phase),
    )
    trial = pb.Trial(
        prompt=PROMPT,
        arms=[pb.Arm(name="a", interventions=[wild])],
        noise_floor=True,
        sampling=pb.Sampling(max_tokens=3, temperature=temperature, seed=seed),
    )
    send(channel, "SteeringService", "Compare", pb.CompareRequest(trial=trial).SerializeToString())


def test_it_is_healthy_after_all_of_that(served):
    assert healthy(served)
    assert served.load() == (0, 0)


def test_more_violations_than_a_status_holds_are_counted() -> None:
    """Clients refuse large metadata at random: what was wrong with the request would be lost."""
    many = [Violation(f"arms[{i}].name", "DUPLICATE", "is used twice; " * 5) for i in range(500)]
    found = status(InvalidRequest("; ".join(map(str, many)), violations=many))
    assert 4 * found.ByteSize() / 3 + len(found.message) < 7500
    told = error_details_pb2.BadRequest()
    found.details[1].Unpack(told)
    *shown, more = told.field_violations
    assert [one.field for one in shown] == [one.field for one in many[: len(shown)]]
    assert more.description == f"{500 - len(shown)} violations are not shown" and len(shown) > 20
    few = status(InvalidRequest("short", violations=many[:3]))
    few.details[1].Unpack(told := error_details_pb2.BadRequest())
    assert len(told.field_violations) == 3 and few.message == "short"
