"""Valid values of every type that goes over the wire."""

import struct
from dataclasses import replace

from hypothesis import strategies as st

from steer import types as t
from steer.foreign import Account, Options
from steer.types.operand import LARGEST

MAX32 = 2**32 - 1
finite = st.floats(-LARGEST, LARGEST)
open_ended = finite | st.sampled_from([float("-inf"), float("inf")])
numbers = st.floats(allow_nan=False)
uint32 = st.integers(0, MAX32)
uint64 = st.integers(0, 2**64 - 1)
ids = st.lists(uint32, max_size=4).map(tuple)
text = st.text(max_size=8)
words = st.text(min_size=1, max_size=8)
names = st.from_regex(r"\A[a-z0-9][a-z0-9._-]{0,8}\Z")
sites = st.builds(t.Site, uint32, st.sampled_from(t.Point))
arm_names = st.from_regex(r"\A[A-Za-z0-9][A-Za-z0-9 ._:/@+-]{0,20}\Z").filter(
    lambda name: name not in (t.BASELINE, t.NOISE_FLOOR)
)


def several(strategy, min_size=0, **kwargs):
    return st.lists(strategy, min_size=min_size, max_size=3, **kwargs).map(tuple)


@st.composite
def inlines(draw):
    width = draw(st.integers(1, 4))
    floats = st.floats(width=32, allow_nan=False, allow_infinity=False)
    data = st.lists(floats, min_size=width, max_size=width).map(
        lambda xs: struct.pack(f"<{width}f", *xs)
    )
    if draw(st.booleans()):
        return t.Inline((t.Direction(draw(data)),))
    places = draw(st.lists(sites, min_size=1, max_size=3, unique=True))
    return t.Inline(tuple(t.Direction(draw(data), site) for site in places))


expressions = st.sampled_from(["a - 0.5*b-c", "mean(x, y@2) / 3", "orthogonal_to('7', a) + 2 * b"])
operands = st.recursive(
    st.builds(t.Stored, names) | inlines() | st.builds(t.Expression, expressions),
    lambda inner: st.one_of(
        st.builds(t.RandomLike, inner, uint64),
        st.builds(t.WithinClass, inner, uint64, st.booleans()),
        st.builds(t.OrthogonalTo, inner, inner),
    ),
    max_leaves=3,
)
bounds = (
    st.tuples(open_ended, open_ended)
    .map(sorted)
    .filter(lambda pair: pair[0] < float("inf") and pair[1] > float("-inf"))
)
edits = st.lists(
    st.builds(t.FeatureEdit, uint32, finite, st.sampled_from(t.FeatureMode)),
    min_size=1,
    max_size=3,
    unique_by=lambda edit: edit.index,
).map(tuple)
fractions = st.floats(0, 1)
positions = st.integers(-(2**62), 2**62)
ops = st.one_of(
    st.builds(t.Add, operands),
    st.builds(lambda operand, pair: t.Project(operand, *pair), operands, bounds),
    st.builds(t.Rotate, operands, st.floats(-180, 180)),
    st.builds(t.Feature, names, edits),
    st.builds(t.LowRank, names),
    st.builds(t.Replace, operands, fraction=fractions),
    st.builds(
        t.Replace, capture_id=words, fraction=fractions, source_position=st.none() | positions
    ),
    st.builds(
        t.Replace, source_arm=words, fraction=fractions, source_position=st.none() | positions
    ),
)
ranges = st.one_of(
    st.builds(t.Range, st.none() | positions, st.none()),
    st.builds(t.Range, st.none(), positions),
    st.tuples(st.integers(0, 50), st.integers(1, 50)).map(lambda p: t.Range(p[0], p[0] + p[1])),
)
counts = st.integers(1, MAX32)
markers = st.one_of(
    st.builds(t.Marker, words, st.just(""), text, st.none() | counts),
    st.builds(t.Marker, st.just(""), words, text, st.none() | counts),
)
wheres = st.builds(
    t.Where,
    phase=st.sampled_from(t.Phase),
    ranges=several(ranges),
    token_ids=ids,
    exclude_token_ids=ids,
    include_special_tokens=st.booleans(),
    markers=several(markers),
    every=counts,
    decay=st.none() | st.builds(t.Decay, st.sampled_from(t.DecayShape), counts),
)
scopes = st.sampled_from(t.GateScope)
modes = {"below": st.booleans(), "scope": scopes}
sized = modes | {"absolute": st.just(True)}
gates = st.one_of(
    st.builds(t.Gate, sites, st.floats(-1, 1), cosine=operands, **modes),
    st.builds(t.Gate, sites, st.floats(0, 1), cosine=operands, **sized),
    st.builds(t.Gate, sites, st.floats(0, 1), probe=words, absolute=st.booleans(), **modes),
    st.builds(t.Gate, sites, finite, dictionary=words, feature=uint32, **modes),
    st.builds(t.Gate, sites, finite.map(abs), dictionary=words, feature=uint32, **sized),
)
interventions = st.builds(
    t.Intervention,
    op=ops,
    sites=several(sites, unique=True),
    strength=st.none() | st.builds(t.Strength, finite, st.sampled_from(t.Unit)),
    where=st.none() | wheres,
    gate=st.none() | gates,
    keep_norm=st.booleans(),
    must_fire=st.booleans(),
)
messages = st.builds(t.Message, words, text)
plain_prompts = st.one_of(
    st.builds(t.Prompt, text=words),
    st.builds(t.Prompt, token_ids=several(uint32, min_size=1)),
)
prompts = plain_prompts | st.builds(t.Prompt, messages=several(messages, min_size=1))
biases = st.dictionaries(uint32, finite, max_size=3)
arms = st.builds(
    t.Arm,
    name=arm_names,
    interventions=several(interventions),
    forced_prefix=st.none() | plain_prompts,
    logit_bias=biases,
    prompt=st.none() | prompts,
    recipes=several(words),
)
arm_lists = several(arms, unique_by=lambda arm: arm.name)
positive = st.floats(min_value=0, exclude_min=True, allow_infinity=False)
samplings = st.builds(
    t.Sampling,
    temperature=st.floats(min_value=0, allow_infinity=False),
    top_p=st.floats(0, 1, exclude_min=True),
    top_k=uint32,
    min_p=st.floats(0, 1),
    repetition_penalty=positive,
    max_tokens=st.integers(50, MAX32),
    min_tokens=st.integers(0, 50),
    stop=several(words),
    stop_token_ids=ids,
    ignore_eos=st.booleans(),
    seed=uint64,
    logprobs=st.integers(0, 20),
    logit_bias=biases,
)
ways = st.sampled_from([one for one in t.Extractor if one is not t.Extractor.REGEX])
branchings = st.builds(t.Branching, st.integers(2, 1024), ways) | st.builds(
    t.Branching, st.integers(2, 1024), st.just(t.Extractor.REGEX), words
)
plain_trials = st.builds(
    t.Trial,
    prompt=prompts,
    arms=arm_lists,
    baseline=st.just(True),
    sampling=samplings,
    samples=st.integers(1, 1024),
    measure=st.booleans(),
    allow_model_mismatch=st.booleans(),
)
branched_trials = st.builds(
    lambda trial, branching: replace(
        trial,
        samples=1,
        sampling=replace(trial.sampling, temperature=0.0),
        branching=branching,
    ),
    plain_trials,
    branchings,
)
trials = plain_trials | branched_trials
readouts = st.one_of(
    st.builds(t.FeatureReadout, names, st.integers(1, 1000), several(uint32, unique=True)),
    st.builds(t.FeatureReadout, names, st.just(0), several(uint32, min_size=1, unique=True)),
)


def readout_lists(min_size):
    return several(readouts, min_size, unique_by=lambda readout: readout.dictionary)


some_sites = several(sites, min_size=1, unique=True)
captures = st.one_of(
    st.builds(t.CaptureTrial, trials, some_sites, wheres, readout_lists(0), st.booleans()),
    st.builds(t.CaptureTrial, trials, where=wheres, features=readout_lists(1)),
)
recipes = st.builds(t.StoredRecipe, text, several(interventions, min_size=1), text, text)
scores = st.builds(t.ScoreTrial, prompts, plain_prompts, arm_lists, st.booleans())

# ---- answers ----

values = several(numbers)
nanoseconds = st.integers(0, 10**14).map(lambda n: n / 10**9)
receipts = st.builds(
    t.Receipt,
    uint32,
    text,
    text,
    text,
    sites,
    finite,
    uint32,
    finite,
    gate=st.none() | st.builds(t.GateReceipt, uint32, uint32, numbers),
    features=several(st.builds(t.FeatureReceipt, uint32, numbers, numbers)),
)
alternatives = several(st.builds(t.Alternative, uint32, numbers))
chunks = st.builds(t.Chunk, text, uint32, ids, text, values, ids, several(alternatives), values)
spans = st.tuples(uint32, uint32)
answered = st.builds(t.Branch, uint32, uint32, uint32.filter(bool), finite, text, spans, finite)
unanswered = st.builds(
    t.Branch, uint32, st.none() | uint32, uint32.filter(bool), st.none() | finite
)
ranks = st.none() | uint32
branches = st.builds(
    t.Branches,
    text,
    several(answered | unanswered),
    several(st.builds(t.BranchedAnswer, text, finite, ids)),
    st.builds(t.Choices, ranks, ranks, ranks, ranks, uint32),
)
usages = st.builds(t.Usage, uint32, uint32, uint32, nanoseconds, nanoseconds, nanoseconds)
finished = st.builds(
    t.Finished, text, uint32, st.sampled_from(t.FinishReason), text, usages, several(receipts)
)
# Sums of these stay floats; a divergence may be infinite.
kls = several(st.floats(0, 1e300) | st.just(float("inf")))
logprobs = several(st.floats(-1e300, 0))
measurements = st.builds(t.Measurement, text, uint32, st.none() | uint32, kls, logprobs, logprobs)
decisions = st.none() | st.builds(t.GateDecision, numbers, st.booleans())
resolved = st.builds(
    t.ResolvedIntervention, text, text, text, several(st.tuples(sites, finite)), wheres, decisions
)
resolved_arms = st.builds(t.ResolvedArm, text, ids, ids, several(resolved), st.booleans())
started = st.builds(
    t.Started,
    text,
    text,
    text,
    samplings,
    uint32,
    several(resolved_arms),
    branching=st.none() | branchings,
)
scored_arms = st.builds(t.ScoredArm, text, logprobs, ids, kls, several(receipts))


@st.composite
def activations(draw):
    places, width = draw(ids), draw(st.integers(1, 4))
    size = 4 * width * len(places)
    data = draw(st.binary(min_size=size, max_size=size))
    return t.CapturedActivations(draw(text), draw(uint32), draw(sites), places, data)


singles = st.floats(width=32, allow_nan=False)
latents = st.builds(t.Latents, ids, several(singles))
features = st.builds(t.CapturedFeatures, text, uint32, text, ids, several(latents))
held = several(st.builds(t.HeldCapture, text, uint32, text, uint64))
models = st.builds(
    t.ModelInfo,
    id=text,
    revision=text,
    fingerprint=text,
    architecture=text,
    layers=uint32,
    d_model=uint32,
    vocab_size=uint32,
    context_length=uint32,
    parameters=uint64,
    dtype=text,
    device=text,
    points=several(st.sampled_from(t.Point)),
    ops=several(text),
    has_chat_template=st.booleans(),
    max_rows=uint32,
    kv_tokens=uint64,
    server_version=text,
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | finite | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=6,
)
vectors = st.builds(
    t.VectorInfo,
    name=text,
    content_hash=text,
    kind=text,
    description=text,
    model=text,
    fingerprint=text,
    d_model=uint32,
    sites=several(sites),
    norms=values,
    method=text,
    licence=text,
    created=text,
    card=st.dictionaries(text, json_values, max_size=3),
    version=uint32,
    digest=text,
    bundled=st.booleans(),
)
lens_tokens = st.builds(t.LensToken, uint32, finite, text)
statistics = st.builds(
    t.SiteStatistics,
    sites,
    finite,
    st.none() | finite,
    several(st.builds(t.Neighbour, text, st.floats(-1, 1))),
    several(lens_tokens),
    several(lens_tokens),
)
removals = st.builds(
    t.Removed, several(text), st.dictionaries(text, several(text, min_size=1), max_size=3)
)
store_reports = st.builds(
    t.StoreReport, uint32, several(st.builds(t.Damage, text, text)), several(text)
)
int32 = st.integers(-(2**31), 2**31 - 1)
import_options = st.builds(
    Options,
    format=text,
    model=text,
    layer=st.none() | uint32,
    point=st.none() | st.sampled_from(t.Point),
    index_offset=st.none() | int32,
    choice=text,
    kind=text,
    strength=st.none() | finite,
    scale=st.none() | finite,
    k=st.none() | uint32,
)
accounts = st.builds(
    Account,
    format=text,
    writer=text,
    kind=text,
    model=text,
    d_model=uint32,
    sites=several(sites),
    norms=values,
    convention=text,
    scale=text,
    detail=text,
    dropped=several(text),
    folded=several(text),
    warnings=several(text),
)
