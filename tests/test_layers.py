"""Dependencies point one way, and light things stay light."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "steer"
ALLOWED = {
    "types": set(),
    "errors": set(),
    "specs": {"types", "errors", "critiquing"},
    "expressions": {"errors"},
    "foreign": {"types"},
    "critiquing": {"types", "errors"},
    "folder": {"errors"},
    "unique": set(),
    "v1": set(),
    "wire": {"types", "specs", "errors", "expressions", "foreign", "unique", "v1", "critiquing"},
    "client": {
        *("types", "specs", "errors", "expressions", "foreign", "folder", "critiquing"),
        *("v1", "wire"),
    },
    "store": {"types", "errors", "expressions", "unique"},
    "formats": {"types", "errors", "foreign", "folder", "unique", "store"},
    "models": {"types", "errors", "tasks"},
    "measure": {"types", "errors"},
    "tasks": {"types", "errors", "unique"},
    "intervene": {"types", "errors", "expressions", "store", "tasks"},
    "engine": {"types", "errors", "store", "models", "measure", "intervene"},
    "elicit": {"types", "errors", "store", "models", "measure", "tasks", "intervene", "engine"},
    "runs": {
        *("types", "specs", "errors", "store", "models", "measure", "tasks"),
        *("intervene", "engine", "elicit", "expressions", "critiquing"),
    },
    "report": set(),
    "server": {
        *("types", "specs", "errors", "store", "models", "intervene", "engine", "runs"),
        *("foreign", "folder", "formats", "wire", "v1"),
    },
}
NO_TORCH = (
    "types",
    "critiquing",
    "specs",
    "errors",
    "unique",
    "wire",
    "client",
    "cli",
    "tasks",
    "measure",
    "store",
    "formats",
    "report",
    "runs",
)
# Files of torch are read by torch, which is imported then.
LAZY_TORCH = ("formats/containers/pickled.py",)
NO_TORCH_FILES = (
    *(f"engine/{name}.py" for name in ("base", "branches", "collector", "rows", "scheduler")),
    *(
        f"intervene/{name}.py"
        for name in (
            "arms branching captures decide gates layouts markers materials operands order plan "
            "planner ports resolve shape sources where"
        ).split()
    ),
)


def imports(path: Path) -> set[str]:
    """Modules a file imports anywhere."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            found |= {node.module, *(names if node.module == "steer" else [])}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return found


def part(module: str) -> str:
    return module.split(".")[1]


def files(name: str) -> list[Path]:
    single = PACKAGE / f"{name}.py"
    return [single] if single.exists() else sorted((PACKAGE / name).rglob("*.py"))


@pytest.mark.parametrize("name", ALLOWED)
def test_dependencies_point_one_way(name):
    for path in files(name):
        used = {part(m) for m in imports(path) if m.startswith("steer.")} - {name}
        assert used <= ALLOWED[name], f"{path.name} may not import {used - ALLOWED[name]}"


LIGHT = [p for n in NO_TORCH for p in files(n) if p not in {PACKAGE / f for f in LAZY_TORCH}]


@pytest.mark.parametrize("path", LIGHT, ids=str)
def test_light_parts_do_not_import_torch(path):
    assert not {m for m in imports(path) if m.split(".")[0] in ("torch", "transformers")}


@pytest.mark.parametrize("name", NO_TORCH_FILES)
def test_decisions_on_the_host_do_not_import_torch(name):
    assert not {m for m in imports(PACKAGE / name) if m.split(".")[0] == "torch"}


def test_every_part_is_listed():
    parts = {p.stem for p in PACKAGE.iterdir() if p.suffix == ".py" or (p / "__init__.py").exists()}
    assert parts - {"__init__", "__main__", "cli"} == set(ALLOWED)
