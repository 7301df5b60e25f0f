"""Every call as data: which method, what request, how its answer is read. No input or output, so
that the two clients share all of it."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from google.protobuf.message import Message as Proto
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse

import steer.v1 as pb
from steer import wire
from steer.client import captures
from steer.client.arms import Treatment
from steer.client.assembly import Event, events, from_answer
from steer.client.captures import CaptureEvent
from steer.client.checked import build
from steer.client.options import check_names
from steer.client.prompts import PromptLike, one_prompt
from steer.client.recipe import Recipe, interventions_of
from steer.client.requests import (
    ArmOptions,
    CaptureOptions,
    TrialOptions,
    make_capture,
    make_score,
    make_trial,
)
from steer.client.results import Comparison, Scores, Tokenized
from steer.types import Intervention, Message, ModelInfo, StoredRecipe

T = TypeVar("T")
STEERING = "/steer.v1.SteeringService/"
RECIPES = "/steer.v1.RecipeService/"


@dataclass(frozen=True, slots=True)
class Call(Generic[T]):
    """One call: ``read`` makes the result of a message of class ``answer``."""

    method: str
    request: Proto
    answer: type[Any]
    read: Callable[[Any], T]

    @property
    def codec(self) -> dict[str, Any]:
        """How a channel turns the messages into bytes and back."""
        return {
            "request_serializer": type(self.request).SerializeToString,
            "response_deserializer": self.answer.FromString,
        }


@dataclass(frozen=True, slots=True)
class Sending(Generic[T]):
    """One call that streams its request: messages of class ``kind``, made while they are sent."""

    method: str
    requests: Callable[[], Iterator[Proto]]
    kind: type[Any]
    answer: type[Any]
    read: Callable[[Any], T]

    @property
    def codec(self) -> dict[str, Any]:
        """How a channel turns the messages into bytes and back."""
        return {
            "request_serializer": self.kind.SerializeToString,
            "response_deserializer": self.answer.FromString,
        }


def compare(
    prompt: PromptLike | None, intervention: Treatment | None, options: TrialOptions
) -> Call[Comparison]:
    """A trial, returned whole."""
    request = pb.CompareRequest(trial=make_trial(prompt, intervention, **options))
    return Call(STEERING + "Compare", request, pb.CompareResponse, from_answer)


def generate(
    prompt: PromptLike | None, intervention: Treatment | None, options: TrialOptions
) -> Call[Iterator[Event]]:
    """A trial, streamed; what is read is the events of one message."""
    request = pb.GenerateRequest(trial=make_trial(prompt, intervention, **options))
    return Call(STEERING + "Generate", request, pb.GenerateResponse, events)


def capture(
    prompt: PromptLike | None, intervention: Treatment | None, options: CaptureOptions
) -> Call[Iterator[CaptureEvent]]:
    """A capture, streamed; what is read is the events of one message."""
    request = make_capture(prompt, intervention, **options)
    return Call(STEERING + "Capture", request, pb.CaptureResponse, captures.events)


def score(
    prompt: PromptLike | None,
    continuation: str | Iterable[int],
    intervention: Treatment | None,
    options: ArmOptions,
) -> Call[Scores]:
    """Log-probabilities of a given continuation."""
    check_names(options, ArmOptions)
    request = make_score(prompt, continuation, intervention, **options)
    return Call(STEERING + "Score", request, pb.ScoreResponse, _read_scores)


def model() -> Call[ModelInfo]:
    """What is served."""
    return Call(STEERING + "GetModel", pb.GetModelRequest(), pb.GetModelResponse, wire.parse_model)


def tokenize(
    prompt: PromptLike | None,
    messages: Iterable[Mapping[str, str] | Message] | None,
    token_ids: Iterable[int] | None,
) -> Call[Tokenized]:
    """Tokens of a prompt."""
    form = one_prompt(prompt, messages, token_ids)
    request = pb.TokenizeRequest(prompt=build(wire.build_prompt, form))
    return Call(STEERING + "Tokenize", request, pb.TokenizeResponse, _read_tokens)


def health() -> Call[bool]:
    """Whether generation is served."""
    request = HealthCheckRequest(service="steer.v1.SteeringService")
    return Call("/grpc.health.v1.Health/Check", request, HealthCheckResponse, _read_health)


def put_recipe(
    name: str,
    recipe: Recipe | Intervention | Iterable[Recipe | Intervention],
    description: str | None,
) -> Call[Recipe]:
    """A recipe to keep; what is read is the recipe with its hash."""
    if description is None:
        description = recipe.description if isinstance(recipe, Recipe) else ""
    stored = StoredRecipe(name, interventions_of(recipe), description)
    request = pb.PutRecipeRequest(recipe=build(wire.build_recipe, stored))
    return Call(RECIPES + "PutRecipe", request, pb.PutRecipeResponse, _read_recipe)


def get_recipe(name: str) -> Call[Recipe]:
    """One stored recipe."""
    request = build(pb.GetRecipeRequest, name=name)
    return Call(RECIPES + "GetRecipe", request, pb.GetRecipeResponse, _read_recipe)


def list_recipes(page_token: str) -> Call[tuple[tuple[Recipe, ...], str]]:
    """One page of stored recipes, and the token of the next page."""
    request = pb.ListRecipesRequest(page_token=page_token)
    return Call(RECIPES + "ListRecipes", request, pb.ListRecipesResponse, _read_recipes)


def delete_recipe(name: str) -> Call[None]:
    """A stored recipe to remove."""
    request = build(pb.DeleteRecipeRequest, name=name)
    return Call(RECIPES + "DeleteRecipe", request, pb.DeleteRecipeResponse, lambda _: None)


def _read_recipe(message: pb.PutRecipeResponse | pb.GetRecipeResponse) -> Recipe:
    return Recipe.of(wire.parse_recipe(message.recipe))


def _read_recipes(message: pb.ListRecipesResponse) -> tuple[tuple[Recipe, ...], str]:
    recipes = tuple(Recipe.of(wire.parse_recipe(one)) for one in message.recipes)
    return recipes, message.next_page_token


def _read_scores(message: pb.ScoreResponse) -> Scores:
    arms = tuple(map(wire.parse_scored_arm, message.arms))
    started = wire.parse_started(message.started)
    return Scores(started, tuple(message.token_ids), {arm.name: arm for arm in arms})


def _read_tokens(message: pb.TokenizeResponse) -> Tokenized:
    return Tokenized(tuple(message.token_ids), tuple(message.pieces), tuple(message.special))


def _read_health(message: HealthCheckResponse) -> bool:
    return bool(message.status == HealthCheckResponse.SERVING)
