import json
from pathlib import Path

import pytest

from spinert.export import Description, read_description

FACTS = {
    "name": "tiny",
    "pipeline": "cobb_landmarks",
    "settings": {
        "confidence_radius_cells": 3,
        "least_confidence": 0.5,
        "least_cobb_degrees": 10.0,
    },
    "class_names": [f"T{n}" for n in range(1, 13)] + [f"L{n}" for n in range(1, 6)],
    "data": "random weights",
    "split": "none",
    "date": "2026-11-20",
}
PROGRAM = {"recipe": "tests", "network": "landmarks", "inputs": ["image"], "outputs": ["heatmaps"]}


@pytest.fixture
def facts() -> dict[str, object]:
    """A valid description of a recipe, to be changed at will."""
    return json.loads(json.dumps(FACTS))


@pytest.fixture
def description(tmp_path: Path, facts: dict[str, object]) -> Description:
    path = tmp_path / "description.json"
    path.write_text(json.dumps(facts))
    return read_description(path)


@pytest.fixture
def program_description(tmp_path: Path, facts: dict[str, object]) -> Description:
    path = tmp_path / "program_description.json"
    path.write_text(json.dumps(facts | {"program": PROGRAM}))
    return read_description(path)
