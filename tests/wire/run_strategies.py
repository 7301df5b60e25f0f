"""Valid values of what goes over the wire of stored runs."""

import wire_strategies as s
from hypothesis import strategies as st

from steer import specs as r
from steer import types as t
from steer.critiquing import CritiqueTemplates

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
templates = st.builds(
    CritiqueTemplates,
    st.sampled_from(["", "{question}{answer}?", "{{so}}"]),
    st.sampled_from(["", "{question}{answer}{critique}!"]),
)
revisions = st.builds(
    r.Revision,
    st.lists(st.sampled_from(r.Stage), min_size=1, unique=True).map(tuple),
    templates,
    st.integers(0, 99),
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
    swapped_target=s.text,
    untaught=s.text,
    measure=st.booleans(),
    allow_model_mismatch=st.booleans(),
    branching=st.none() | s.branchings,
    revision=st.none() | revisions,
)
seeds = st.integers(0, 2**53 - 1)
counts = st.integers(1, 1_000_000)
weights = st.floats(0, 1e6)
tasks = s.words | plain | by_regex
passages = st.builds(r.Passage, prompt=s.prompts, answer=s.text)
spanned = st.builds(
    r.Passage,
    prompt=s.prompts,
    answer=s.text,
    spans=s.several(st.tuples(st.integers(0, 9), st.integers(10, 99))),
)
found = {
    "into": s.words,
    "normalise": st.booleans(),
    "scale": s.finite.filter(bool),
    "pooling": st.sampled_from(r.Pooling),
    "sites": s.several(s.sites, unique=True),
    "where": st.none() | s.wheres,
    "description": s.text,
    "licence": s.text,
    "seed": seeds,
}
read_ats = st.sampled_from([one for one in r.ReadAt if one is not r.ReadAt.EVENT])
some = st.lists(passages, min_size=1, max_size=2).map(tuple)
of_texts = st.builds(
    r.ExtractSpec,
    **found,
    positive=some,
    negative=some,
    method=st.just(r.ExtractMethod.PROBE),
    as_probe=st.booleans(),
    read_at=st.just(r.ReadAt.EVENT),
    event=s.words,
    offset=st.integers(-1000, 0),
    paired=st.just(False),
)
of_spans = st.builds(
    r.ExtractSpec,
    **found,
    positive=st.lists(spanned, min_size=1, max_size=2).map(tuple),
    negative=st.lists(spanned, min_size=1, max_size=2).map(tuple),
    read_at=st.just(r.ReadAt.SPANS),
)
of_task = st.builds(
    r.ExtractSpec,
    **found,
    task=tasks,
    n=counts,
    method=st.sampled_from(r.ExtractMethod),
    read_at=read_ats,
    paired=st.sampled_from([None, True]),
)
trained = {
    "into": s.words,
    "sites": st.lists(s.sites, min_size=1, max_size=3, unique=True).map(tuple),
    "phase": st.sampled_from([t.Phase.ALL, t.Phase.DECODE, t.Phase.GENERATED, t.Phase.FIRST]),
    "steps": counts,
    "batch": st.integers(1, 65_536),
    "group": st.integers(2, 1024),
    "rate": st.floats(0, 1000, exclude_min=True),
    "cosine": st.booleans(),
    "temperature": st.floats(0, 100, exclude_min=True),
    "max_tokens": st.integers(0, 2**20),
    "kl": weights,
    "norm": weights,
    "teacher_top_k": st.integers(1, 65_536),
    "select_n": counts,
    "select_every": counts,
    "enough": st.none() | st.floats(0, 1, exclude_min=True),
    "patience": counts,
    "seed": seeds,
    "description": s.text,
    "licence": s.text,
}
imitated = st.builds(
    r.TrainSpec,
    **trained,
    objective=st.just(r.Objective.CROSS_ENTROPY),
    demonstrations=st.lists(
        st.builds(r.Demonstration, s.prompts, s.words), min_size=1, max_size=2
    ).map(tuple),
)
of_traces = st.builds(
    r.TrainSpec,
    **trained,
    objective=st.just(r.Objective.CROSS_ENTROPY),
    task=tasks,
    train_n=counts,
    swapped=st.booleans(),
    retain=weights,
    teacher=weights,
)
rewarded = st.builds(
    r.TrainSpec,
    **trained,
    objective=st.sampled_from([r.Objective.RLOO, r.Objective.GRPO_NO_STD]),
    task=tasks,
    train_n=counts,
    retain=weights,
)
sweeps = st.builds(
    r.SweepSpec,
    task=tasks,
    arms=s.arm_lists.map(
        lambda arms: tuple(a for a in arms if a.interventions or a.recipes)
    ).filter(bool),
    layers=s.several(s.uint32, unique=True),
    points=s.several(st.sampled_from(t.Point), unique=True),
    strengths=st.lists(s.finite.filter(bool), min_size=1, max_size=3, unique=True).map(tuple),
    select_n=counts,
    report_n=counts,
    random_seeds=st.integers(20, 10_000),
    compare_modes=st.booleans(),
    sampling=samplings,
    seed=seeds,
    allow_model_mismatch=st.booleans(),
)
works = evaluations | of_texts | of_spans | of_task | imitated | of_traces | rewarded | sweeps
run_specs = st.builds(r.RunSpec, works, s.text)
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
