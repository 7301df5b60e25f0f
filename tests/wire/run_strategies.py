"""Valid values of what goes over the wire of stored runs."""

import wire_strategies as s
from hypothesis import strategies as st

from steer import specs as r
from steer import types as t

plain = st.builds(
    r.InlineTask,
    name=s.words,
    jsonl=s.words,
    extractor=st.sampled_from([one for one in r.Extractor if one is not r.Extractor.REGEX]),
)
by_regex = st.builds(r.InlineTask, s.words, s.words, st.just(r.Extractor.REGEX), pattern=s.words)
samplings = st.builds(
    lambda sampling, own: t.Sampling(max_tokens=0) if own else sampling,
    s.samplings,
    st.booleans(),
)
evaluations = st.builds(
    r.EvaluateSpec,
    task=s.words | plain | by_regex,
    arms=s.arm_lists,
    subject=s.text,
    controls=st.sampled_from(r.Controls),
    split=s.words,
    n=st.integers(1, 1_000_000),
    samples=st.integers(1, 1024),
    sampling=samplings,
    seed=st.integers(0, 2**53 - 1),
    random_seeds=st.integers(20, 10_000),
    strengths=s.several(s.finite, unique=True),
    ceiling=s.text,
    measure=st.booleans(),
    allow_model_mismatch=st.booleans(),
)
run_specs = st.builds(r.RunSpec, evaluations, s.text)
times = st.integers(0, 2**41).map(lambda ms: ms / 1000)
failures = st.builds(r.RunFailure, s.text, s.text, s.text)
runs = st.builds(
    r.Run,
    id=s.text,
    name=s.text,
    kind=s.text,
    state=st.sampled_from(r.RunState),
    spec_hash=s.text,
    model=s.text,
    fingerprint=s.text,
    created=times,
    sequence=s.uint64,
    total=s.uint64,
    done=s.uint64,
    attempts=s.uint32,
    cancelling=st.booleans(),
    started=st.none() | times,
    ended=st.none() | times,
    failure=st.none() | failures,
    spec=st.none() | run_specs,
)
json_objects = st.dictionaries(
    s.text,
    st.recursive(
        st.none() | st.booleans() | st.integers() | s.finite | s.text,
        lambda inner: st.lists(inner, max_size=3),
        max_leaves=4,
    ),
    max_size=3,
)
results = st.builds(r.UnitResult, s.text, s.uint64, json_objects)
events = st.builds(r.RunEvent, s.uint64, runs, s.several(results))
reports = st.builds(r.RunReport, runs, json_objects)
