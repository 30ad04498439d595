"""Rules of the house that no linter knows. The import contracts themselves are checked by import-linter."""

import ast
import tomllib
from pathlib import Path

import pytest

import spinert

PACKAGE = Path(spinert.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))
LONGEST = 300
FORBIDDEN_CALLS = {"print", "exit", "quit", "urlopen", "eval", "exec"}
# pickle: an exception of its own may be caught, nothing may be loaded
FORBIDDEN_IMPORTS = {"pickle", "requests", "socket", "subprocess", "urllib", "http"}


def names(path: Path) -> str:
    return str(path.relative_to(PACKAGE))


@pytest.mark.parametrize("path", MODULES, ids=names)
def test_a_file_is_short_enough_to_read(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST


@pytest.mark.parametrize("path", [path for path in MODULES if "cli" not in path.parts], ids=names)
def test_the_library_neither_prints_nor_exits_nor_reaches_out(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    calls = {node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
    imports = {
        name.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names])
        if [alias.name for alias in node.names] != ["UnpicklingError"]
    }
    assert calls & FORBIDDEN_CALLS == set()
    assert imports & FORBIDDEN_IMPORTS == set()


@pytest.mark.parametrize("path", MODULES, ids=names)
def test_a_file_says_what_it_is(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))


def test_the_version_is_stated_alike_in_both_places() -> None:
    project = tomllib.loads(Path(__file__).parents[1].joinpath("pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["version"] == spinert.__version__


def test_no_name_hides_a_missing_concept() -> None:
    vague = {"utils", "helpers", "common", "types", "manager", "engine", "misc"}
    assert [path for path in MODULES if path.stem in vague] == []
