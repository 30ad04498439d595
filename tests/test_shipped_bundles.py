"""What comes with spinert keeps its promises: every variant proven inside the gate, its file as the lint wants it."""

import json
from pathlib import Path
from typing import Any, get_args

import onnx
import pytest

from spinert.bundle import Precision, load
from spinert.calibrate import lint
from spinert.calibrate.agreement import LIMITS
from spinert.calibrate.graph import label
from spinert.calibrate.report import SCHEMA
from spinert.calibrate.rewrite import LayoutName
from spinert.runtime.infer import SHIPPED, shipped

LARGEST_BUNDLE = 30e6
"""Bytes; the wheel with all of them must stay small enough to carry on a stick or over a hospital's network."""
VARIANTS = [(name, precision) for name in shipped() for precision in load(SHIPPED / name).manifest.variants]
each_variant = pytest.mark.parametrize(("name", "precision"), VARIANTS)


def report_of(name: str, precision: Precision) -> dict[str, Any]:
    bundle = load(SHIPPED / name)
    found: dict[str, Any] = json.loads((bundle.folder / bundle.manifest.variants[precision].report).read_bytes())
    return found


def graph_of(name: str, network: str, precision: Precision) -> onnx.ModelProto:
    return onnx.load(load(SHIPPED / name).network_file(network, precision))


@pytest.mark.parametrize("name", shipped())
def test_a_bundle_has_variants_for_all_files_and_files_for_all_variants(name: str) -> None:
    manifest = load(SHIPPED / name).manifest
    for spec in manifest.networks.values():
        assert set(spec.files) == {"fp32", *manifest.variants}


@pytest.mark.parametrize("name", shipped())
def test_a_bundle_is_small_enough(name: str) -> None:
    assert sum(path.stat().st_size for path in Path(SHIPPED / name).rglob("*")) < LARGEST_BUNDLE


@pytest.mark.parametrize("name", shipped())
def test_int8_is_the_first_choice_on_a_cpu_where_there_is_one(name: str) -> None:
    manifest = load(SHIPPED / name).manifest
    assert sorted(manifest.cpu, key=lambda each: -each.speedup) == list(manifest.cpu)
    assert {each.precision for each in manifest.cpu} <= {"fp32", *manifest.variants}
    if "int8-cpu" in manifest.variants:
        assert manifest.cpu[0].precision == "int8-cpu"


@each_variant
def test_a_variant_is_inside_the_gate(name: str, precision: Precision) -> None:
    report = report_of(name, precision)
    assert (report["schema"], report["precision"]) == (SCHEMA, precision)
    assert report["limits"] == {limit.measure: limit.bound for limit in LIMITS}
    chosen = report["chosen"]
    assert chosen["broken"] == []
    for limit in LIMITS:
        assert limit.holds(chosen["agreement"][limit.measure]), limit.measure
    assert chosen["agreement"]["studies"] >= 16


@each_variant
def test_a_file_keeps_the_rules_of_its_precision_and_layout(name: str, precision: Precision) -> None:
    layout = report_of(name, precision)["chosen"]["layout"]
    assert layout in (*get_args(LayoutName), "fp16")
    terms = {"layout": layout} if precision == "int8-cpu" else {}
    for network in load(SHIPPED / name).manifest.networks:
        assert lint.lint(graph_of(name, network, precision), precision, **terms) == ()  # type: ignore[arg-type]


@each_variant
def test_layers_that_stay_float_are_nodes_that_are_float(name: str, precision: Precision) -> None:
    for each in report_of(name, precision)["chosen"]["kept_float"]:
        network, node = each.split(": ")
        (found,) = [one for one in graph_of(name, network, precision).graph.node if label(one) == node]
        assert not found.input[1].endswith("/dequantized")


@each_variant
def test_the_report_and_the_pictures_are_there(name: str, precision: Precision) -> None:
    bundle = load(SHIPPED / name)
    variant = bundle.manifest.variants[precision]
    assert (bundle.folder / variant.report).is_file()
    for picture in variant.pictures:
        assert (bundle.folder / picture).read_bytes().startswith(b"\x89PNG")
