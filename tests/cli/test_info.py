import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import numpy as np

from spinert import bundle as bundles
from tests.bundles import SETTINGS, write_several
from tests.cli.conftest import Run


def test_info_shows_tensors_settings_provenance_hash_and_card(run: Run, bundle: Path) -> None:
    done = run("info", bundle)
    assert done.returncode == 0, done.stderr
    for part in (
        "image float32 [N, 1, 192, 96]",
        "heatmaps float32 [N, 68, 48, 24]",
        "fp32      landmarks.onnx",
        "opset 20",
        "least_cobb_degrees = 10.0",
        "a phantom",
        bundles.load(bundle).sha256,
        "# truth",
    ):
        assert part in done.stdout


def test_info_as_json_is_the_content_of_the_manifest(run: Run, bundle: Path) -> None:
    shown = json.loads(run("info", bundle, "--json").stdout)
    assert shown == json.loads((bundle / bundles.MANIFEST).read_text())


def test_info_refuses_what_is_no_bundle(run: Run) -> None:
    done = run("info", "nothing")
    assert done.returncode == 5
    assert "no bundle 'nothing'" in done.stderr


def test_the_card_is_laid_out_in_a_terminal(bundle: Path) -> None:
    terminal, screen = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "80"}
    subprocess.run([sys.executable, "-m", "spinert", "info", bundle], stdout=screen, env=environment, check=True)
    os.close(screen)
    shown = os.read(terminal, 100_000).decode()
    os.close(terminal)
    assert "# truth" not in shown
    assert any("truth" in line for line in shown.splitlines()[-3:])


def test_info_shows_each_proof_and_what_was_fastest(run: Run) -> None:
    shown = run("info", "cobb").stdout
    for part in ("int8-cpu: percentile", "reports/int8-cpu.json", "int8-cpu with openvino: ", "x fp32 with ort"):
        assert part in shown


def test_info_shows_ensembles_members_and_their_fusion(run: Run, tmp_path: Path) -> None:
    maps = np.zeros((68, 48, 24), np.float32)
    member = {"pipeline": "cobb_landmarks", "networks": {"landmarks": "c"}, "settings": SETTINGS}
    fields = {
        "ensembles": {"landmarks": {"networks": ["a", "b"], "weights": [2.0, 1.0]}},
        "members": {"other": member},
        "fusion": {"method": "mean", "weights": [3.0, 1.0]},
    }
    bundle = write_several(tmp_path / "truth", dict.fromkeys("abc", maps), **fields)
    shown = run("info", bundle.folder).stdout
    for part in (
        "ensemble    landmarks = mean of 2 x a, 1 x b",
        "member      other, pipeline cobb_landmarks",
        "network   landmarks = c",
        "setting   least_cobb_degrees = 10.0",
        "fusion      mean of 3 x truth, 1 x other; flagged beyond 5 degrees",
    ):
        assert part in shown


def test_info_shows_a_vote(run: Run, tmp_path: Path) -> None:
    maps = np.zeros((68, 48, 24), np.float32)
    member = {"pipeline": "cobb_landmarks", "networks": {"landmarks": "b"}, "settings": SETTINGS}
    fusion = {"method": "vote", "side_ratio": 1.5, "most_degrees_apart": 8.0}
    answers = {"landmarks": maps, "b": maps}
    bundle = write_several(tmp_path / "truth", answers, members={"other": member}, fusion=fusion)
    shown = run("info", bundle.folder).stdout
    assert (
        "fusion      vote of truth, other, opposite sides at most 1.5 times as long; flagged beyond 8 degrees" in shown
    )
