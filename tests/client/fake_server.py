"""A server that answers by the book of the protocol and runs no model."""

import itertools
import struct
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import grpc
from google.protobuf.any_pb2 import Any as Packed
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_status import rpc_status

import steer.v1 as pb
from steer import wire
from steer.errors import NotFound, SteerError
from steer.types import (
    Arm,
    CapturedActivations,
    CapturedFeatures,
    CaptureTrial,
    Chunk,
    Finished,
    FinishReason,
    HeldCapture,
    Latents,
    Measurement,
    ModelInfo,
    Point,
    Receipt,
    ResolvedArm,
    ScoredArm,
    Site,
    SiteStatistics,
    Started,
    Trial,
    Usage,
    VectorInfo,
)

WORDS = {"baseline": ("THINK", " <1>", " 2"), "steered": ("THINK", " <b>", " 9")}
MODEL = ModelInfo(
    id="organism/fake",
    revision="",
    fingerprint="f",
    architecture="None",
    layers=4,
    d_model=8,
    vocab_size=100,
    context_length=64,
    parameters=0,
    dtype="float32",
    device="cpu",
    points=(Point.RESID_POST,),
    ops=("add",),
    has_chat_template=False,
    max_rows=8,
    kv_tokens=512,
    server_version="0",
)


def vector(name):
    return VectorInfo(
        name, "sha256:0", "direction", "d", "m", "f", 8, (Site(1),), (2.0,), "dom", "Apache-2.0",
        "2026-01-01", {"hyper": {"lr": 0.5}},
    )  # fmt: skip


def abort(context, error):
    """End a call as the real server does."""
    info = ErrorInfo(reason=error.reason, domain="steer")
    bad = [
        BadRequest.FieldViolation(field=v.field, reason=v.reason, description=v.message)
        for v in error.violations
    ]
    details = [info, *([BadRequest(field_violations=bad)] if bad else [])]
    if error.retry_after is not None:
        nanos = round(error.retry_after * 1e9)
        details.append(RetryInfo(retry_delay=Duration(seconds=0, nanos=nanos)))
    packed = [Packed() for _ in details]
    for slot, detail in zip(packed, details, strict=True):
        slot.Pack(detail)
    number = grpc.StatusCode[error.code].value[0]
    status = Status(code=number, message=error.message, details=packed)
    ready = rpc_status.to_status(status)
    trailer = (("x-request-id", "req-1"), *ready.trailing_metadata)
    context.abort_with_status(ready._replace(trailing_metadata=trailer))


class Fake(
    pb.SteeringServiceServicer,
    pb.VectorServiceServicer,
    pb.RecipeServiceServicer,
    health_pb2_grpc.HealthServicer,
):
    """What a test may look at and set."""

    def __init__(self):
        self.trials: list[Trial] = []
        self.captures: list[CaptureTrial] = []
        self.recipes: dict[str, pb.Recipe] = {}
        self.metadata: list[dict[str, str]] = []
        self.calls = itertools.count(1)
        self.errors: list[SteerError] = []
        self.cancelled = threading.Event()
        self.endless = False
        self.serving = True
        self.kl = (0.0, 1.0, 0.5)

    def answer(self, trial):
        return answer(trial, self.kl)

    def Check(self, request, context):
        up = self.serving and request.service == "steer.v1.SteeringService"
        status = health_pb2.HealthCheckResponse
        return status(status=status.SERVING if up else status.NOT_SERVING)

    def _accept(self, request, context, parse):
        self.metadata.append(dict(context.invocation_metadata()))
        if self.errors:
            abort(context, self.errors.pop(0))
        try:
            return parse(request)
        except SteerError as error:
            abort(context, error)

    def GetModel(self, request, context):
        self._accept(request, context, lambda _: None)
        return wire.build_model(MODEL)

    def Tokenize(self, request, context):
        prompt = self._accept(request.prompt, context, wire.parse_prompt)
        words = (prompt.text or "").split()
        return pb.TokenizeResponse(
            token_ids=range(len(words)), pieces=words, special=[False] * len(words)
        )

    def Compare(self, request, context):
        trial = self._accept(request.trial, context, wire.parse_trial)
        self.trials.append(trial)
        started, rows = self.answer(trial)
        return pb.CompareResponse(
            started=wire.build_started(started),
            rows=[wire.build_row(whole(chunks), end) for chunks, end, _ in rows],
            measurements=[wire.build_measurement(m) for *_, m in rows if trial.measure],
        )

    def Generate(self, request, context):
        context.add_callback(self.cancelled.set)
        trial = self._accept(request.trial, context, wire.parse_trial)
        started, rows = self.answer(trial)
        yield pb.GenerateResponse(started=wire.build_started(started))
        while self.endless and context.is_active():
            chunk = pb.Chunk(arm="baseline", token_ids=[1], text="x")
            yield pb.GenerateResponse(chunks=pb.Chunks(chunks=[chunk]))
        for step in range(3):
            new = [wire.build_chunk(chunks[step]) for chunks, *_ in rows]
            yield pb.GenerateResponse(chunks=pb.Chunks(chunks=new))
        for _, end, _ in rows:
            yield pb.GenerateResponse(finished=wire.build_finished(end))
        if trial.measure:
            all_ = [wire.build_measurement(m) for *_, m in rows]
            yield pb.GenerateResponse(measurements=pb.Measurements(measurements=all_))

    def Capture(self, request, context):
        capture = self._accept(request, context, wire.parse_capture)
        self.captures.append(capture)
        started, rows = self.answer(capture.trial)
        yield pb.CaptureResponse(started=wire.build_started(started))
        for chunks, end, _ in rows:
            yield pb.CaptureResponse(chunks=pb.Chunks(chunks=map(wire.build_chunk, chunks)))
            yield from captured(capture, end.arm, end.sample)
            yield pb.CaptureResponse(finished=wire.build_finished(end))
        if self.endless:
            return
        held = [
            HeldCapture(end.arm, end.sample, f"cap-{end.arm}-{end.sample}", 96)
            for _, end, _ in rows
            if capture.keep
        ]
        yield pb.CaptureResponse(held=wire.build_held(held))

    def PutRecipe(self, request, context):
        recipe = self._accept(request.recipe, context, wire.parse_recipe)
        stored = wire.build_recipe(replace(recipe, content_hash="sha256:0"))
        self.recipes[recipe.name] = stored
        return pb.PutRecipeResponse(recipe=stored)

    def GetRecipe(self, request, context):
        self._known(request, context)
        return pb.GetRecipeResponse(recipe=self.recipes[request.name])

    def ListRecipes(self, request, context):
        at = int(request.page_token or 0)
        names = sorted(self.recipes)
        return pb.ListRecipesResponse(
            recipes=[self.recipes[name] for name in names[at : at + 2]],
            next_page_token=str(at + 2) if names[at + 2 :] else "",
        )

    def DeleteRecipe(self, request, context):
        self._known(request, context)
        del self.recipes[request.name]
        return pb.DeleteRecipeResponse()

    def _known(self, request, context):
        if request.name not in self.recipes:
            abort(context, NotFound(f"no recipe named {request.name!r}"))

    def Score(self, request, context):
        trial = self._accept(request, context, wire.parse_score)
        names = ["baseline", *(arm.name for arm in trial.arms)]
        arms = [ScoredArm(name, (-1.0, -0.5), (1, 2), (), ()) for name in names]
        return pb.ScoreResponse(
            started=wire.build_started(self.answer(Trial(trial.prompt))[0]),
            token_ids=[4, 5],
            arms=map(wire.build_scored_arm, arms),
        )

    def ListVectors(self, request, context):
        at = int(request.page_token or 0)
        return pb.ListVectorsResponse(
            vectors=[wire.build_vector(vector(f"v{at + i}"), False) for i in range(2)],
            next_page_token=str(at + 2) if at < 4 else "",
        )

    def GetVector(self, request, context):
        found = vector(request.name)
        sizes = map(SiteStatistics, found.sites, found.norms)
        return pb.GetVectorResponse(
            vector=wire.build_vector(found, True),
            statistics=map(wire.build_statistics, sizes),
        )

    def ListVectorVersions(self, request, context):
        return pb.ListVectorVersionsResponse(
            versions=[wire.build_vector(vector(request.name), False)]
        )


def answer(trial, kl):
    arms = ([Arm("baseline")] if trial.baseline else []) + list(trial.arms)
    resolved = tuple(ResolvedArm(arm.name, (1, 2), (), (), True) for arm in arms)
    started = Started("req-1", MODEL.id, "f", trial.sampling, trial.samples, resolved)
    rows = [row(arm, sample, kl) for arm in arms for sample in range(trial.samples)]
    return started, rows


def row(arm, sample, kl):
    words = WORDS.get(arm.name, WORDS["steered"])
    chunks = [
        Chunk(arm.name, sample, (i,), word, (-0.5,), (1,), ()) for i, word in enumerate(words)
    ]
    receipts = tuple(
        Receipt(i, one.op.name, "x", "sha256:0", Site(1), 0.5, 3, 0.25)
        for i, one in enumerate(arm.interventions)
    )
    end = Finished(arm.name, sample, FinishReason.STOP, "<eos>", Usage(2, 3), receipts)
    differs = None if arm.name == "baseline" else 1
    return chunks, end, Measurement(arm.name, sample, differs, kl, (-0.5,) * 3, (-1.0,) * 3)


def captured(capture, arm, sample):
    """Three positions of one row, in two parts. Every number says its layer and position."""
    for positions in ((0, 1), (2,)):
        for site in capture.sites:
            numbers = [100.0 * site.layer + position for position in positions for _ in range(8)]
            data = struct.pack(f"<{len(numbers)}f", *numbers)
            one = CapturedActivations(arm, sample, site, positions, data)
            yield pb.CaptureResponse(activations=wire.build_activations(one))
        for readout in capture.features:
            latents = tuple(Latents((7, 3), (2.5, float(position))) for position in positions)
            two = CapturedFeatures(arm, sample, readout.dictionary, positions, latents)
            yield pb.CaptureResponse(features=wire.build_features(two))


def whole(chunks):
    return Chunk(
        chunks[0].arm,
        chunks[0].sample,
        tuple(i for chunk in chunks for i in chunk.token_ids),
        "".join(chunk.text for chunk in chunks),
        tuple(x for chunk in chunks for x in chunk.logprobs),
        tuple(x for chunk in chunks for x in chunk.ranks),
    )


def start(path):
    """A running fake and its target."""
    fake = Fake()
    server = grpc.server(
        ThreadPoolExecutor(8), options=[("grpc.max_receive_message_length", 100_000)]
    )
    pb.add_SteeringServiceServicer_to_server(fake, server)
    pb.add_VectorServiceServicer_to_server(fake, server)
    pb.add_RecipeServiceServicer_to_server(fake, server)
    health_pb2_grpc.add_HealthServicer_to_server(fake, server)
    fake.target = f"unix:{path}/s.sock"
    server.add_insecure_port(fake.target)
    server.start()
    return fake, server
