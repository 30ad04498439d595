"""The committed stubs are what nanobind generates, so that a change of the bindings is a visible change."""

import ast
import importlib
from pathlib import Path

import pytest

STUBS = Path(__file__).parents[2] / "src" / "spinert" / "kernels"


@pytest.mark.parametrize("name", ["_cpu", "_cuda"])
def test_the_stub_is_up_to_date(name: str) -> None:
    stubgen = pytest.importorskip("nanobind.stubgen", reason="needs nanobind")
    try:
        module = importlib.import_module(f"spinert.kernels.{name}")
    except ImportError as error:
        if name == "_cpu":
            raise
        pytest.skip(f"built without nvcc: {error}")
    generator = stubgen.StubGen(module)
    generator.put(module)
    committed = (STUBS / f"{name}.pyi").read_text(encoding="utf-8")
    assert generator.get() == committed, f"python -m nanobind.stubgen -m spinert.kernels.{name} -O src/spinert/kernels"


def functions(stub: str) -> set[str]:
    tree = ast.parse((STUBS / f"{stub}.pyi").read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_every_kernel_has_its_cuda_twin() -> None:
    choice_of_isa = {"active_isa", "compiled_isas", "force_isa", "usable_isas"}
    assert functions("_cpu") - functions("_cuda") == choice_of_isa
