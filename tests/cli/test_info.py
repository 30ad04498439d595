import json
import os
import pty
import subprocess
import sys
from pathlib import Path

from spinert import bundle as bundles
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
