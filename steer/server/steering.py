"""SteeringService: thin handlers between the wire and the engine."""

import asyncio
from collections.abc import AsyncIterator

import steer.v1 as pb
from steer import wire
from steer.engine.base import Done, Event, size
from steer.engine.collector import RowCollector
from steer.errors import Unavailable
from steer.intervene.plan import Plan
from steer.models.text import Text
from steer.server.core import Core, deadline
from steer.server.holding import Holding
from steer.server.hub import Events
from steer.server.interceptor import Context, request_id
from steer.types import CapturedActivations, CapturedFeatures, Chunk, Finished


class SteeringService(pb.SteeringServiceServicer):
    """Answers once ``core`` is set; until then every call is UNAVAILABLE."""

    def __init__(self) -> None:
        self.core: Core | None = None

    def ready(self) -> Core:
        """The loaded model. Raises Unavailable before that."""
        if self.core is None:
            raise Unavailable("the model is loading", reason="LOADING")
        return self.core

    async def GetModel(self, request: pb.GetModelRequest, context: Context) -> pb.GetModelResponse:
        """What is served."""
        return wire.build_model(self.ready().model)

    async def Tokenize(self, request: pb.TokenizeRequest, context: Context) -> pb.TokenizeResponse:
        """Token ids of a prompt."""
        return await asyncio.to_thread(_tokens, self.ready().text, request)

    async def Generate(
        self, request: pb.GenerateRequest, context: Context
    ) -> AsyncIterator[pb.GenerateResponse]:
        """Stream a trial."""
        core = self.ready()
        plan = await _plan(core, request.trial, context)
        async with core.hub.running(plan) as steps:
            yield pb.GenerateResponse(started=wire.build_started(plan.started(core.model)))
            async for events in steps:
                for message in _messages(events):
                    yield message

    async def Compare(self, request: pb.CompareRequest, context: Context) -> pb.CompareResponse:
        """Run a trial and return it whole."""
        core = self.ready()
        plan = await _plan(core, request.trial, context)
        rows = RowCollector()
        async with core.hub.running(plan) as steps:
            done = await _collect(steps, rows)
        return pb.CompareResponse(
            started=wire.build_started(plan.started(core.model)),
            rows=[wire.build_row(*row) for row in rows.ordered(plan)],
            measurements=[wire.build_measurement(item) for item in done.measurements],
            branches=[wire.build_branches(one) for one in done.branches],
        )

    async def Score(self, request: pb.ScoreRequest, context: Context) -> pb.ScoreResponse:
        """Teacher-forced log-probabilities under each arm."""
        core = self.ready()
        trial, found = wire.read_score(request)
        plan = await asyncio.to_thread(
            core.planner.score, trial, request_id.get(), deadline(context), found
        )
        async with core.hub.running(plan) as steps:
            done = await _collect(steps, RowCollector())
        return pb.ScoreResponse(
            started=wire.build_started(plan.started(core.model)),
            token_ids=plan.arms[0].forced,
            arms=[wire.build_scored_arm(arm) for arm in done.scores],
        )

    async def Capture(
        self, request: pb.CaptureRequest, context: Context
    ) -> AsyncIterator[pb.CaptureResponse]:
        """Stream activations of a trial, no faster than the caller reads them."""
        core = self.ready()
        capture, found = wire.read_capture(request)
        plan = await asyncio.to_thread(
            core.planner.capture, capture, request_id.get(), deadline(context), found
        )
        holding = Holding(plan, core.planner.captures)
        async with core.hub.running(plan) as steps:
            yield pb.CaptureResponse(started=wire.build_started(plan.started(core.model)))
            async for events in steps:
                for event in events:
                    if capture.keep and isinstance(event, CapturedActivations):
                        holding.add(event)
                    for message in _captured(event):
                        yield message  # returns when the caller has room for it
                    core.engine.took(plan.request_id, size(event))
        yield pb.CaptureResponse(held=wire.build_held(holding.keep()))


def _tokens(text: Text, request: pb.TokenizeRequest) -> pb.TokenizeResponse:
    ids = text.encode(wire.parse_prompt(request.prompt), "prompt")
    special = [token in text.special for token in ids]
    return pb.TokenizeResponse(token_ids=ids, pieces=text.pieces(ids), special=special)


async def _plan(core: Core, trial: pb.Trial, context: Context) -> Plan:
    # In a thread: tokenising, reading the store and measuring norms may all take a while.
    parsed, found = wire.read_trial(trial)
    return await asyncio.to_thread(
        core.planner.trial, parsed, request_id.get(), deadline(context), found
    )


async def _collect(steps: AsyncIterator[Events], rows: RowCollector) -> Done:
    done = Done(())
    async for events in steps:
        for event in events:
            if isinstance(event, Done):
                done = event
            else:
                rows.add(event)
    return done


def _messages(events: Events) -> list[pb.GenerateResponse]:
    """One message for all chunks of a step, then what ended."""
    chunks = [wire.build_chunk(event) for event in events if isinstance(event, Chunk)]
    messages = [pb.GenerateResponse(chunks=pb.Chunks(chunks=chunks))] if chunks else []
    ends = (_ends(event) for event in events if not isinstance(event, Chunk))
    return messages + [message for end in ends for message in end]


def _captured(event: Event) -> list[pb.CaptureResponse]:
    match event:
        case CapturedActivations():
            return [pb.CaptureResponse(activations=wire.build_activations(event))]
        case CapturedFeatures():
            return [pb.CaptureResponse(features=wire.build_features(event))]
        case Chunk():
            return [pb.CaptureResponse(chunks=pb.Chunks(chunks=[wire.build_chunk(event)]))]
        case Finished():
            return [pb.CaptureResponse(finished=wire.build_finished(event))]
    return []


def _ends(event: Event) -> list[pb.GenerateResponse]:
    if isinstance(event, Finished):
        return [pb.GenerateResponse(finished=wire.build_finished(event))]
    assert isinstance(event, Done)
    measurements = [wire.build_measurement(item) for item in event.measurements]
    return [
        *(pb.GenerateResponse(branches=wire.build_branches(one)) for one in event.branches),
        pb.GenerateResponse(measurements=pb.Measurements(measurements=measurements)),
    ]
