"""A real language model from its file to the answers: SmolLM2-135M-Instruct."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

import steer
from steer.models.load import LoadedModel, load
from steer.types import Message, Prompt

pytestmark = pytest.mark.slow

LAYER = 15
HAPPY = """I am so happy today, everything is wonderful
What a joyful and delightful celebration this was
We laughed and smiled all through the lovely afternoon
The great news filled her with happiness and excitement
He was thrilled, cheerful and full of love for life
It was the best and most beautiful day of my life"""
SAD = """I am so sad today, everything is terrible
What a gloomy and miserable funeral this was
We cried and wept all through the dreadful afternoon
The bad news filled her with sadness and despair
He was hopeless, lonely and full of grief for life
It was the worst and most painful day of my life"""
PROMPTS = [
    Prompt(text="The capital of France is"),
    Prompt(text="When I woke up this morning, I felt"),
    Prompt(messages=(Message("user", "Name three colours."),)),
]
FELT = PROMPTS[1].text
OFFLINE = {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}


@pytest.fixture(scope="session")
def gguf(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The model file, fetched once into ``$STEER_CACHE`` or a temporary folder."""
    folder = os.environ.get("STEER_CACHE") or str(tmp_path_factory.mktemp("smollm2"))
    script = Path(__file__).parents[2] / "scripts/fetch_smollm2.sh"
    done = subprocess.run([script, folder], check=True, capture_output=True, text=True)
    return done.stdout.splitlines()[-1]


@pytest.fixture(scope="session")
def model(gguf: str) -> LoadedModel:
    """The same model in this process, for reference."""
    return load(gguf, dtype="float32", device="cpu")


@pytest.fixture(scope="session")
def client(gguf: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator:
    """A client of ``steer serve`` over a unix socket, which has a vector of twelve sentences."""
    folder = tmp_path_factory.mktemp("s")
    address = f"unix:{folder / 's'}"
    command = [sys.executable, "-m", "steer", "serve", "--model", gguf, "--address", address]
    command += ["--store", str(folder / "store"), "--dtype", "float32", "--device", "cpu"]
    process = subprocess.Popen([*command, "--threads", "1"], env=OFFLINE)
    try:
        wait_until_it_serves(address, process)
        with steer.Client(address, timeout=120) as made:
            classes = {"positive": HAPPY.splitlines(), "negative": SAD.splitlines()}
            made.runs.extract("happy", **classes, layers=[LAYER]).wait(timeout=300)
            yield made
    finally:
        process.terminate()
        assert process.wait(60) == 0


def wait_until_it_serves(address: str, process: subprocess.Popen) -> None:
    """Health says no while the model loads, and calls are refused with the reason."""
    refused = False
    for _ in range(600):
        assert process.poll() is None
        # A client each time: one that could not connect waits longer and longer.
        with steer.Client(address, timeout=10) as client:
            try:
                if client.health(timeout=1):
                    assert refused
                    return
                refused = refused or is_loading(client)
            except (steer.Unavailable, steer.DeadlineExceeded):
                pass
        time.sleep(0.2)
    raise AssertionError("the server never served")


def is_loading(client: steer.Client) -> bool:
    with pytest.raises(steer.Unavailable) as caught:
        client.model()
    return caught.value.reason == "LOADING"


def asked(prompt: Prompt) -> dict:
    if prompt.messages:
        return {"messages": prompt.messages}
    return {"prompt": prompt.text}


@pytest.mark.parametrize("prompt", PROMPTS, ids=["fact", "feeling", "chat"])
def test_the_baseline_is_what_generate_says(client, model, prompt):
    ids = model.text.encode(prompt, "prompt")
    given = torch.tensor([ids])
    with torch.inference_mode():
        out = model.network.generate(
            given, attention_mask=torch.ones_like(given), max_new_tokens=24, do_sample=False
        )
    result = client.compare(**asked(prompt), max_tokens=24, arms={"on": steer.add("happy")})
    assert result.started.arms[0].prompt_token_ids == ids
    assert list(result.baseline.token_ids) == out[0, len(ids) :].tolist()


def test_the_chat_template_is_the_model_s_own(client):
    assert client.model().has_chat_template
    tokens = client.tokenize(messages=[{"role": "user", "content": "hi"}])
    text = "".join(tokens.pieces)
    assert text.endswith("<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\n")
    assert tokens.special[0]


def test_the_card_says_how_the_vector_was_made(client):
    shown, model = client.vectors.get("happy"), client.model()
    assert (shown.method, shown.fingerprint) == ("difference_of_means", model.fingerprint)
    assert shown.card["residual_norms"][f"resid_post.{LAYER}"] > 0
    assert shown.card["data_hash"].startswith("sha256:")


def mood(strength: float) -> steer.Recipe:
    return steer.add("happy", strength=strength, relative=True, where="all")


def test_a_hundred_pairs_over_all_layers_make_a_vector_that_works_at_once(client):
    """One direction after each block, from cues around one list of prompts."""
    starts = "{} made me|Today {} was|I think {} will be|When I remember {}, I feel|They say {} is"
    starts += "|Nobody expected {} to be|After all, {} turned out|For me {} has always been"
    starts += "|My sister wrote that {} seemed|Honestly, {} left me"
    about = "the weather|my dog|the train ride|breakfast|the new office|a long walk|the concert"
    about += "|our garden|the exam|my neighbour"
    prompts = [start.format(one) for start in starts.split("|") for one in about.split("|")]
    cues = ("I am so happy, everything is wonderful. {}", "I am so sad, everything is terrible. {}")
    handle = client.runs.extract("cheer", prompts=prompts, cues=cues)
    run = handle.wait(timeout=600)
    print(f"100 pairs, {client.model().layers} layers: {run.ended - run.started:.0f} s")
    report = handle.report()
    assert (len(report["table"]), report["texts"]) == (30, 200)
    middle = report["table"][LAYER]
    assert middle["split_half_cosine"] > 0.9 and middle["anti_steerable"] < 0.05
    cheered = steer.add("cheer", strength=0.3, relative=True, layers=[LAYER])
    result = client.compare(FELT, cheered, max_tokens=12)
    assert result.steered.text != result.baseline.text
    assert 0.1 < result.steered.receipts[0].mean_change < 0.8


def test_the_vector_changes_the_text_and_says_so(client):
    result = client.compare(FELT, mood(0.4), max_tokens=24, noise_floor=True)
    assert result.steered.text != result.baseline.text
    (receipt,) = result.steered.receipts
    assert receipt.tokens > 20
    assert 0.2 < receipt.mean_change < 0.8
    measured = result.measurements["steered"]
    assert measured.mean_kl > 0.01
    assert measured.first_divergence is not None
    assert result["noise_floor"].token_ids == result.baseline.token_ids
    assert max(result["noise_floor"].measurement.kl) < 1e-6


def test_the_vector_favours_what_it_was_made_of(client):
    arms = {
        "plus": mood(0.3),
        "minus": mood(-0.3),
        **{f"random {i}": steer.random_like(mood(0.3), seed=i) for i in range(3)},
    }
    happy = client.score(FELT, " happy and wonderful", arms=arms)
    sad = client.score(FELT, " sad and terrible", arms=arms)
    odds = {name: happy[name].total - sad[name].total for name in happy.arms}
    assert odds["plus"] > odds["baseline"] > odds["minus"]
    assert odds["plus"] > max(odds[f"random {i}"] for i in range(3))


def test_streamed_text_never_holds_half_a_character(client, model):
    """A step takes 64 forced tokens; the text is one whose 64th token ends inside an emoji."""
    texts = ["a " * n + "Größe 東京 🎉🧪" * 12 for n in range(12)]
    ids = {text: client.tokenize(text).token_ids for text in texts}
    text = next(text for text in texts if model.text.decode(ids[text][:64]).endswith("\ufffd"))
    arms = {"emoji": steer.arm(forced_prefix=text)}
    with client.stream("Write emojis.", arms=arms, max_tokens=len(ids[text])) as stream:
        events = list(stream)
        whole = stream.result()["emoji"]
    pieces = [e.text for e in events if isinstance(e, steer.Chunk) and e.arm == "emoji"]
    assert whole.token_ids == ids[text]
    assert len(pieces) > 1 and not any("\ufffd" in piece for piece in pieces)
    assert "".join(pieces) == whole.text == text


def test_branches_are_those_of_plain_passes(client, model):
    """Each of the likeliest first tokens continued by `generate`, and the answer's margins."""
    prompt = PROMPTS[2]
    ids = model.text.encode(prompt, "prompt")
    result = client.compare(**asked(prompt), max_tokens=16, branches=3, measure=False)
    with torch.inference_mode():
        first = model.network(torch.tensor([ids])).logits[0, -1].topk(3).indices.tolist()
        for rank, token in enumerate(first):
            given = torch.tensor([[*ids, token]])
            out = model.network.generate(
                given, attention_mask=torch.ones_like(given), max_new_tokens=15, do_sample=False
            )
            row = result.baseline.samples[rank]
            assert list(row.token_ids) == out[0, len(ids) :].tolist()
            logits = model.network(out).logits[0, len(ids) - 1 : -1]
            best = torch.softmax(logits, -1).topk(2).values
            assert row.margins == pytest.approx((best[:, 0] - best[:, 1]).tolist(), abs=1e-4)


def test_a_critique_vector_is_made_and_used_in_a_conversation(client):
    sums = [(3, 4), (5, 9), (2, 8), (7, 6)]
    asked_for = [[{"role": "user", "content": f"What is {a} + {b}?"}] for a, b in sums]
    noisy = [f"It is {a + b + i}." for i, (a, b) in enumerate(sums)]
    positive, negative = steer.critique_pairs(zip(asked_for, noisy, strict=True))
    client.runs.extract(
        "critic", positive=positive, negative=negative, paired=True, layers=[LAYER], where="decode"
    ).wait()
    plain, steered = (
        steer.critique(client, asked_for[1], answer="It is 15.", critiquing=under, max_tokens=12)
        for under in (None, steer.add("critic"))
    )
    assert steered.rows[0].receipts[0].tokens == 12
    assert plain.answer == steered.answer and plain.critique != steered.critique
    assert steered.revised
