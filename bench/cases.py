"""What is compared with what."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence

import steer
from bench import specs
from bench.ratios import Ratio, Timed, interleave, over
from bench.subject import Subject, served, trial, vector
from steer.types import Arm, Phase

ROWS = (1, 2, 8, 32)
COUNTS = (8, 32)
COUNTS_ALL_LAYERS = (1, 8)
PROMPT, TOKENS = 32, 64
LONG_PROMPT = 200

Results = Mapping[str, Ratio]
Call = Callable[[steer.AsyncClient, tuple[int, ...]], Awaitable[None]]


def engine_vs_generate(subject: Subject, repeats: int) -> Mapping[str, Ratio]:
    """Tokens/s of the engine over `model.generate`'s, by rows."""
    cases: dict[str, Timed] = {}
    for rows in ROWS:
        cases[f"engine {rows}"] = lambda rows=rows: subject.run(  # type: ignore[misc]
            [trial(ids, TOKENS) for ids in subject.prompts(rows, PROMPT)]
        )
        cases[f"generate {rows}"] = lambda rows=rows: subject.generate(  # type: ignore[misc]
            rows, PROMPT, TOKENS
        )
    seconds = interleave(cases, repeats)
    return {
        str(rows): over(seconds[f"generate {rows}"], seconds[f"engine {rows}"]) for rows in ROWS
    }


def arms(subject: Subject, repeats: int) -> Mapping[str, Ratio]:
    """Wall time of several arms over that of one row alone."""

    def timed(count: int, phase: Phase = Phase.DECODE, measure: bool = False) -> Timed:
        def run() -> float:
            (ids,) = subject.prompts(1, LONG_PROMPT)
            steered = [vector(seed, phase=phase) for seed in range(count - 1)]
            return subject.run([trial(ids, TOKENS, *steered, measure=measure)])

        return run

    seconds = interleave(
        {
            "one": timed(1),
            "pair_vs_one": timed(2, Phase.ALL),
            "pair_shared_prefill_vs_one": timed(2),
            "pair_measured_vs_one": timed(2, measure=True),
            "eight_arms_vs_one": timed(8),
        },
        repeats,
    )
    return {name: over(times, seconds["one"]) for name, times in seconds.items() if name != "one"}


def distinct_vectors_vs_one(subject: Subject, repeats: int) -> Mapping[str, Ratio]:
    """Tokens/s of 32 rows with several distinct vectors over 32 rows with one."""

    def timed(distinct: int) -> Timed:
        return lambda: subject.run(
            [
                trial(ids, TOKENS, vector(row % distinct), baseline=False)
                for row, ids in enumerate(subject.prompts(32, PROMPT))
            ]
        )

    seconds = interleave({str(count): timed(count) for count in (1, *COUNTS)}, repeats)
    return {str(count): over(seconds["1"], seconds[str(count)]) for count in COUNTS}


def specs_vs_one(subject: Subject, repeats: int) -> Mapping[str, Ratio]:
    """Tokens/s of 32 rows with 32 interventions that differ in op, layer, where and gate over 32
    rows with the same vector added; and what they cost the host, in milliseconds."""

    def timed(arms: Sequence[Arm]) -> Timed:
        return lambda: subject.run(
            [
                trial(ids, TOKENS, arm, baseline=False)
                for arm, ids in zip(arms, subject.prompts(len(arms), PROMPT), strict=True)
            ]
        )

    mixed = specs.arms(32)
    seconds = interleave({"one": timed([vector(0)] * 32), "mixed": timed(mixed)}, repeats)
    trials = [
        trial(ids, TOKENS, arm) for arm, ids in zip(mixed, subject.prompts(32, PROMPT), strict=True)
    ]
    costs = [subject.host_cost(trials) for _ in range(repeats)]
    host = {f"host_{name}": Ratio.of([cost[name] for cost in costs]) for name in costs[0]}
    return {"specs_32_vs_one": over(seconds["one"], seconds["mixed"])} | host


def all_layers_vs_none(subject: Subject, repeats: int) -> Mapping[str, Ratio]:
    """Wall time of rows with a vector added at every layer over rows with none."""

    def timed(rows: int, *arms: Arm) -> Timed:
        return lambda: subject.run(
            [trial(ids, TOKENS, *arms, baseline=not arms) for ids in subject.prompts(rows, PROMPT)]
        )

    everywhere = vector(0, layers=range(specs.LAYERS))
    cases: dict[str, Timed] = {}
    for rows in COUNTS_ALL_LAYERS:
        cases[f"none {rows}"] = timed(rows)
        cases[f"all {rows}"] = timed(rows, everywhere)
    seconds = interleave(cases, repeats)
    return {
        f"all_layers_vs_none_{rows}": over(seconds[f"all {rows}"], seconds[f"none {rows}"])
        for rows in COUNTS_ALL_LAYERS
    }


def grpc(subject: Subject, repeats: int) -> Mapping[str, Ratio]:
    """Tokens/s of eight calls at once, from another process, over the same in-process: as whole
    answers and as streams of a message a token. Client and server share the two cores."""
    rows = 8
    options = {"max_tokens": TOKENS, "ignore_eos": True, "measure": False}

    async def whole(client: steer.AsyncClient, ids: tuple[int, ...]) -> None:
        await client.compare(token_ids=list(ids), **options)

    async def stream(client: steer.AsyncClient, ids: tuple[int, ...]) -> None:
        async with client.stream(token_ids=list(ids), **options) as events:
            async for _ in events:
                pass

    async def timed(address: str, call: Call) -> float:
        async with steer.AsyncClient(address) as client:
            prompts = subject.prompts(rows, PROMPT)
            begin = time.perf_counter()
            await asyncio.gather(*(call(client, ids) for ids in prompts))
            return time.perf_counter() - begin

    with served() as address:
        cases: dict[str, Timed] = {
            "inprocess": lambda: subject.run(
                [trial(ids, TOKENS) for ids in subject.prompts(rows, PROMPT)]
            ),
            "grpc_vs_inprocess": lambda: asyncio.run(timed(address, whole)),
            "grpc_stream_vs_inprocess": lambda: asyncio.run(timed(address, stream)),
        }
        seconds = interleave(cases, repeats)
    inprocess = seconds.pop("inprocess")
    return {name: over(inprocess, taken) for name, taken in seconds.items()}


SUITE: Mapping[str, Callable[[Subject, int], Results]] = {
    "engine_vs_generate": engine_vs_generate,
    "arms": arms,
    "distinct_vectors_vs_one": distinct_vectors_vs_one,
    "specs_vs_one": specs_vs_one,
    "all_layers_vs_none": all_layers_vs_none,
    "grpc": grpc,
}
