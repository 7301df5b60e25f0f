"""Expressions: what they mean, against Python's own arithmetic; what is none of them."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from steer.errors import InvalidRequest
from steer.expressions import (
    DEEPEST,
    LONGEST,
    Name,
    Node,
    Orthogonal,
    Scaled,
    Sum,
    is_expression,
    names,
    parse,
    renamed,
)

VECTORS = {
    name: np.random.default_rng(seed).standard_normal(5)
    for seed, name in enumerate(
        ("a", "b-c", "team/calm", "x.y_z", "a@2", "a@sha256:0f3a9b21", "3d", "7", "0.5", "mean")
    )
}
A, B, C = Name("a"), Name("b"), Name("c")


def value(node: Node) -> np.ndarray:
    """By the definitions, in float64."""
    match node:
        case Name(address):
            return VECTORS[address]
        case Scaled(of, by):
            return value(of) * by
        case Sum(parts):
            return np.sum([value(part) for part in parts], axis=0)
        case Orthogonal(of, to):
            along = value(to) / np.linalg.norm(value(to))
            return value(of) - (value(of) @ along) * along


@pytest.mark.parametrize(
    ("text", "node"),
    [
        ("a", A),
        (" ( (a) ) ", A),
        ("a-b", Name("a-b")),
        ("a - b", Sum((A, Scaled(B, -1)))),
        ("a -b", Sum((A, Scaled(B, -1)))),
        ("a/2", Name("a/2")),
        ("a / 2", Scaled(A, 0.5)),
        ("0.5*b", Scaled(B, 0.5)),
        ("a*.5", Scaled(A, 0.5)),
        ("-a", Scaled(A, -1)),
        ("--a", A),
        ("- 2 * -a", Scaled(A, 2)),
        ("1e-1*a", Scaled(A, 0.1)),
        ("1E+2 * a", Scaled(A, 100)),
        ("(1 + 2)*a - b/4", Sum((Scaled(A, 3), Scaled(Name("b/4"), -1)))),
        ("2*(a + b)", Scaled(Sum((A, B)), 2)),
        ("1 - 2 - 3 + 5 * a * 2", None),
        ("6 / 3 / 2 * a", A),
        ("a + b - c", Sum((A, B, Scaled(C, -1)))),
        ("a - (b - c)", Sum((A, Scaled(Sum((B, Scaled(C, -1))), -1)))),
        ("mean(a, b)", Scaled(Sum((A, B)), 0.5)),
        ("mean (a)", Sum((A,))),
        ("mean", Name("mean")),
        ("orthogonal_to(a, b + c)", Orthogonal(A, Sum((B, C)))),
        ("'7' + \"0.5\"", Sum((Name("7"), Name("0.5")))),
        ("3d - 3", None),
        ("3d", Name("3d")),
        ("team/calm@2 - a@sha256:0f3a9b21", Sum((Name("team/calm@2"), None))),
    ],
)
def test_what_it_means(text, node):
    if node is None:
        with pytest.raises(InvalidRequest, match="a number is added to a vector"):
            parse(text)
    elif isinstance(node, Sum) and node.parts[-1] is None:
        address = Name("a@sha256:0f3a9b21")
        assert parse(text) == Sum((*node.parts[:-1], Scaled(address, -1)))
    else:
        assert parse(text) == node


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", r"wants a vector or a number in place of the end \(1\)"),
        ("a +", r"place of the end \(4\)"),
        ("a b", r"wants an operator in place of 'b' \(at 3\)"),
        ("a- b", r"wants an operator in place of 'b' \(at 4\)"),
        ("a, b", r"wants an operator in place of ','"),
        ("(a", r"wants '\)' in place of the end"),
        ("a)", r"wants an operator in place of '\)' \(at 2\)"),
        ("()", r"place of '\)' \(at 2\)"),
        ("* a", r"place of '\*' \(at 1\)"),
        ("1", r"the whole takes vectors, not the number 1 "),
        ("1 + a", "a number is added to a vector"),
        ("a * b", "multiplied by a vector"),
        ("2 / a", "divided by a vector"),
        ("a / 0", "divides by zero"),
        ("a / (1 - 1)", "divides by zero"),
        ("1e999 * a", "too large"),
        ("1e308*10 * a", "too large"),
        ("1e308 * (1e308 * a)", "too large"),
        ("a / 1e-320", "too large"),
        ("A + b", "'A' at 1 has no meaning"),
        ("a + b; import os", "';' at 6 has no meaning"),
        ("a ** 2", r"place of '\*' \(at 4\)"),
        ("__import__('os')", "'_' at 1 has no meaning"),
        ("'a", '"\'" at 1 has no meaning'),
        ("norm(a)", r"'norm' \(at 1\) is no function; there are mean and orthogonal_to"),
        ("mean()", r"place of '\)'"),
        ("mean(a, 2)", "mean takes vectors, not the number 2"),
        ("orthogonal_to(a)", "takes at least 2 vectors"),
        ("orthogonal_to(a, b, c)", r"wants '\)' in place of ','"),
        ("a" * (LONGEST + 1), f"has {LONGEST + 1} characters; give at most {LONGEST}"),
        ("(" * (DEEPEST + 1) + "a" + ")" * (DEEPEST + 1), f"more than {DEEPEST} brackets"),
        ("mean(" * (DEEPEST + 1) + "a" + ")" * (DEEPEST + 1), f"more than {DEEPEST} brackets"),
    ],
)
def test_what_is_none_says_where_it_goes_wrong(text, says):
    with pytest.raises(InvalidRequest, match=says) as caught:
        parse(text)
    assert caught.value.reason == "BAD_EXPRESSION"
    assert caught.value.message.startswith("the expression ")


def test_as_long_and_as_deep_as_may_be():
    assert parse("(" * DEEPEST + "a" + ")" * DEEPEST) == A
    assert parse("-" * (LONGEST - 1) + "a") == Scaled(A, -1)
    assert parse("a*1*" + "2*" * 100 + "1") == Scaled(A, 2.0**100)
    many = parse(" + ".join(["a"] * 250))
    assert isinstance(many, Sum) and len(many.parts) == 250


def test_names_are_told_once_in_order():
    assert names(parse("b - mean(a, c, b) + 2*orthogonal_to(d, a)")) == ("b", "a", "c", "d")


@pytest.mark.parametrize("text", ["a - b", "2*a", "-a", "a+b", "mean(a)", "'a'", "(a", " a", "A b"])
def test_what_no_name_can_be_is_an_expression(text):
    assert is_expression(text)


@pytest.mark.parametrize(
    "text", ["a", "a-b", "team/calm@2", "a@sha256:00", "a/2", "A", "", "ü", "2"]
)
def test_what_may_be_a_name_is_none(text):
    assert not is_expression(text)


spaces = st.sampled_from(["", " ", "\t ", "\n"])
numbers = st.floats(-9, 9).map(lambda x: round(x, 3)).filter(bool)


@st.composite
def written(draw, of):
    """A text in our grammar, the same in Python's, and whether it is a vector."""

    def pad(text):
        return draw(spaces) + text + draw(spaces)

    kind = draw(st.sampled_from(["sum", "product", "quotient", "sign", "mean", "orthogonal"]))
    ours, python, vector = draw(of)
    if kind == "sign":
        return f"-{pad(f'({ours})')}", f"-({python})", vector
    if kind == "product":
        factor = draw(numbers)
        pair = [f"({ours})", f"({factor!r})"][:: draw(st.sampled_from([1, -1]))]
        return pad("*").join(pair), f"({python}) * ({factor!r})", vector
    if kind == "quotient":
        factor = draw(numbers)
        return f"({ours}) / {factor!r}", f"({python}) / ({factor!r})", vector
    others = [one for one in draw(st.lists(of, min_size=1, max_size=2)) if one[2] == vector]
    if kind == "orthogonal":
        if vector and others:
            return (
                f"orthogonal_to({pad(ours)},{pad(others[0][0])})",
                f"reject({python}, {others[0][1]})",
                True,
            )
        return ours, python, vector
    if kind == "mean" and vector:
        texts = [ours, *(other[0] for other in others)]
        pythons = [python, *(other[1] for other in others)]
        joined = f"({' + '.join(f'({p})' for p in pythons)}) / {len(pythons)}"
        return f"mean({pad(','.join(texts))})", joined, True
    for other in others:
        sign = draw(st.sampled_from("+-"))
        ours, python = f"{ours} {sign} ({pad(other[0])})", f"({python}) {sign} ({other[1]})"
    return ours, python, vector


def quoted(name: str) -> str:
    return f"'{name}'" if name in ("7", "0.5") else name


leaves = st.sampled_from([(quoted(name), f"V[{name!r}]", True) for name in VECTORS]) | numbers.map(
    lambda number: (f"({number!r})", repr(number), False)
)
texts = st.recursive(leaves, written, max_leaves=8)


def reject(of: np.ndarray, to: np.ndarray) -> np.ndarray:
    return of - (of @ to) / (to @ to) * to


@given(texts)
def test_the_value_is_that_of_python(case):
    ours, python, vector = case
    if not vector or len(ours) > LONGEST:
        with pytest.raises(InvalidRequest):
            parse(ours)
        return
    with np.errstate(all="ignore"):
        wanted = eval(python, {"V": VECTORS, "reject": reject})
        found = value(parse(ours))
    if np.isfinite(wanted).all() and np.abs(wanted).max() > 1e-6:
        assert found == pytest.approx(wanted, rel=1e-6, abs=1e-6)


@given(st.text(alphabet="ab0.5-+*/()@:, 'e\"_\nmeanü", max_size=40))
@example("0" * 400 + "." + "9" * 400)
@example("a" + "-" * 900)
def test_any_text_is_read_or_refused(text):
    try:
        node = parse(text)
    except InvalidRequest as error:
        assert error.reason == "BAD_EXPRESSION"
    else:
        assert names(node) and all(name in text for name in names(node))


@pytest.mark.parametrize(
    ("text", "new"),
    [
        ("a", "a@1"),
        ("2*a - (b / 3)+a", "2*a@1 - (b@1 / 3)+a@1"),
        ("mean(a, mean)", "mean(a@1, mean@1)"),
        ("orthogonal_to( 'a' ,\t-\"0.5\")", "orthogonal_to( a@1 ,\t-0.5@1)"),
        ("x/y/z", "x/y/z@1"),
    ],
)
def test_names_are_replaced(text, new):
    assert renamed(text, lambda name: f"{name}@1") == new
    assert names(parse(renamed(text, lambda name: f"{name}@1"))) == tuple(
        f"{name}@1" for name in names(parse(text))
    )


def test_names_that_make_it_too_long():
    with pytest.raises(InvalidRequest, match="give at most"):
        renamed("a + b", lambda name: name * 600)
    with pytest.raises(InvalidRequest):
        renamed("a +", str)
