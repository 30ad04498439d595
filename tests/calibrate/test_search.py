"""How layers are put back to float, with trials whose outcome the test decides."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnx
import pytest

from spinert.calibrate import search as searching
from spinert.calibrate.agreement import Agreement
from spinert.calibrate.search import Attempt, Graphs, HeldOut, Target, search
from spinert.calibrate.sensitivity import Keep, Layer
from tests.calibrate.test_agreement import HOLDS

TARGET = Target("int8-cpu", "ort", None, timed=True)
RANKING = [Layer("landmarks", f"c{place}", 1.0 / (1 + place), operations=1) for place in range(20)]
NOWHERE: Any = HeldOut(None, (), (), (1, 1), 1)  # type: ignore[arg-type]

Judge = Callable[[int], dict[str, Any]]
"""Number of layers float -> fields of the attempt."""


@pytest.fixture
def searched(monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[list[int], Attempt, set[str]]]:
    """Search over a judge; returns how many layers were float in each trial, the attempt and what its graphs keep."""

    def run(judge: Judge, first: int = 0, ranking: list[Layer] = RANKING) -> tuple[list[int], Attempt, set[str]]:
        tried: list[Attempt] = []

        def attempt(target: Target, graphs: Graphs, kept: list[Layer], held_out: HeldOut, folder: Path) -> Attempt:
            agreement: Agreement | None = HOLDS
            given: dict[str, Any] = {"agreement": agreement, "broken": ("worse",), "speedup": 2.0} | judge(len(kept))
            return Attempt(backend="ort", layout="any", kept_float=tuple(each.node for each in kept), **given)

        def make(keep: Keep) -> Graphs:
            model = onnx.ModelProto()
            model.graph.name = " ".join(sorted(keep.get("landmarks", ())))
            return {"landmarks": model}

        monkeypatch.setattr(searching, "attempt", attempt)
        result, graphs = search(TARGET, make, ranking, first, NOWHERE, Path(), tried.append)
        assert result == tried[-1]
        return [len(each.kept_float) for each in tried], result, set(graphs["landmarks"].graph.name.split())

    return run


def test_it_ends_with_the_first_that_holds(searched: Any) -> None:
    counts, result, kept = searched(lambda count: {"broken": () if count >= 3 else ("worse",)})
    assert counts == [0, 1, 2, 3]
    assert kept == set(result.kept_float) == {"c0", "c1", "c2"}


def test_steps_grow_with_what_is_float_already(searched: Any) -> None:
    many = [Layer("landmarks", f"c{place}", 1.0 / (1 + place), operations=1) for place in range(40)]
    assert searched(lambda count: {}, first=14, ranking=many)[0] == [14, 15, 16, 18, 20]


def test_it_begins_where_it_is_told(searched: Any) -> None:
    assert searched(lambda count: {"broken": ()}, first=4)[0] == [4]


def test_it_ends_where_fp32_is_as_fast(searched: Any) -> None:
    counts, result, _ = searched(lambda count: {"speedup": 1.0 if count >= 2 else 1.5})
    assert counts == [0, 1, 2]
    assert result.broken


def test_it_ends_where_the_backend_cannot_run_it(searched: Any) -> None:
    assert searched(lambda count: {"agreement": None})[0] == [0]


def test_it_ends_with_half_of_the_operations_float(searched: Any) -> None:
    counts, result, kept = searched(lambda count: {})
    assert counts == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]
    assert len(kept) == len(result.kept_float) == len(RANKING) // 2


@pytest.mark.parametrize("layers", [0, 1])
def test_what_has_no_layers_to_put_back_is_tried_once(searched: Any, layers: int) -> None:
    assert searched(lambda count: {"speedup": None}, ranking=RANKING[:layers])[0] == [0]
