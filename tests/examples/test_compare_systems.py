"""The table of systems, of bundles whose scores are known."""

from pathlib import Path

import msgspec
import pytest

pytest.importorskip("torch", reason="the trainings need torch")

from examples import compare_systems
from spinert.evaluate import datasets, evaluate
from spinert.evaluate.scores import scores_of
from tests.evaluate import made


def test_the_table_has_a_row_for_each_bundle_and_counts_films_without_a_result(tmp_path: Path) -> None:
    cases = datasets.read("aasce", made.aasce_folder(tmp_path / "data"), 0)
    perfect = evaluate(made.perfect_bundle(tmp_path / "perfect"), cases).scores
    blind = msgspec.structs.replace(perfect, bundle="blind", all_films=scores_of([], angles=False))
    heading, line, first, second = compare_systems.table([perfect, blind], {"truth": "SMAPE 22 %"}).splitlines()
    assert heading.count("|") == line.count("|") == first.count("|") == second.count("|") == 9
    assert first.startswith("| truth | 0.")
    assert first.endswith("| SMAPE 22 % |")
    assert "| 100 | 0 of 2 |" in first
    assert "| n/a | n/a | n/a | 0 of 0 | n/a |" in second
