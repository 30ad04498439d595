"""Checkpoints and programs that cannot be exported say why."""

import hashlib
import io

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason='needs pip install "spinert[export]"')

from torch import nn  # noqa: E402

from spinert.errors import BadRequest, ExportFailed  # noqa: E402
from spinert.export import source  # noqa: E402
from spinert.export.recipes import landmarks  # noqa: E402

NAMES = {"network": "landmarks", "inputs": ("image",), "outputs": ("heatmaps",), "recipe": "tests"}


@pytest.fixture(scope="module")
def state():
    torch.manual_seed(0)
    return landmarks.LandmarkNet().state_dict()


@pytest.fixture
def saved(tmp_path):
    def save(content):
        path = tmp_path / "weights.pt"
        torch.save(content, path)
        return path

    return save


def program_file(tmp_path, network, *example):
    batch = torch.export.Dim("batch")
    example = example or (torch.zeros(2, 1, 8, 8),)
    program = torch.export.export(network, example, dynamic_shapes=tuple({0: batch} for _ in example))
    path = tmp_path / "network.pt2"
    torch.export.save(program, path)
    return path


class Executed:
    """Unpickling it would write a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


def test_a_recipe_gives_its_network_at_the_size_asked_for(saved, state):
    path = saved(state)
    origin = source.from_recipe("landmarks", path, (64, 32))
    assert (origin.network, origin.inputs, origin.outputs) == ("landmarks", ("image",), ("heatmaps",))
    assert origin.weights_sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    image = np.random.default_rng(0).random((1, 1, 64, 32), np.float32)
    network = landmarks.network(landmarks.Options()).eval()
    network.load_state_dict(state)
    expected = network(torch.from_numpy(image)).detach().numpy()
    np.testing.assert_allclose(origin.reference({"image": image})["heatmaps"], expected, atol=1e-6)


def test_a_pickled_object_is_refused_and_not_run(saved, tmp_path):
    witness = tmp_path / "executed"
    with pytest.raises(ExportFailed, match=r"holds more than tensors.*could run code \(.*open"):
        source.from_recipe("landmarks", saved({"head.weight": Executed(witness)}), None)
    assert not witness.exists()


def test_a_pickled_network_is_refused(saved):
    with pytest.raises(ExportFailed, match=r"could run code \(.*Linear"):
        source.from_recipe("landmarks", saved(nn.Linear(2, 2)), None)


@pytest.mark.parametrize(
    ("content", "kind"),
    [({"network": {"a": torch.zeros(1)}, "epoch": 3}, "'network', 'epoch'"), ([torch.zeros(1)], "list")],
)
def test_a_checkpoint_that_is_no_state_dict_says_what_it_holds(saved, content, kind):
    with pytest.raises(ExportFailed, match=f"holds .*{kind}, not named tensors"):
        source.from_recipe("landmarks", saved(content), None)


@pytest.mark.parametrize("content", [b"", b"weights", b"\x80\x02}R.", b"PK\x03\x04 cut"])
def test_a_file_that_is_no_checkpoint_is_refused(tmp_path, content):
    path = tmp_path / "weights.pt"
    path.write_bytes(content)
    with pytest.raises(ExportFailed, match=r"weights\.pt is"):
        source.from_recipe("landmarks", path, None)


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(BadRequest, match=r"cannot read .*absent\.pt: No such file"):
        source.from_recipe("landmarks", tmp_path / "absent.pt", None)


def test_missing_unexpected_and_misshapen_weights_are_named(saved, state):
    changed = {key: value for key, value in state.items() if key != "head.bias"}
    changed |= {"tail.bias": torch.zeros(1), "head.weight": torch.zeros(4, 64, 1, 1)}
    with pytest.raises(ExportFailed) as caught:
        source.from_recipe("landmarks", saved(changed), None)
    for part in ('Missing key(s) in state_dict: "head.bias"', '"tail.bias"', "[4, 64, 1, 1]", "[68, 64, 1, 1]"):
        assert part in str(caught.value)


@pytest.mark.parametrize("size", [(64,), (64, 64, 64), (64, 0)])
def test_a_size_of_the_wrong_rank_is_refused(saved, state, size):
    with pytest.raises(BadRequest, match=r"does not fit an input of shape \[1, 768, 320\]"):
        source.from_recipe("landmarks", saved(state), size)


def test_a_size_that_the_network_cannot_take_is_refused(saved, state):
    with pytest.raises(ExportFailed, match=r"cannot be traced with inputs \[\[1, 70, 32\]\]"):
        source.from_recipe("landmarks", saved(state), (70, 32))


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_not_finite_are_named(tmp_path, value):
    network = nn.Sequential(nn.Conv2d(1, 2, 3)).eval()
    nn.init.constant_(network[0].bias, value)
    with pytest.raises(ExportFailed, match=r"not finite: 0\.bias"):
        source.from_program(program_file(tmp_path, network), **NAMES)


@pytest.mark.parametrize("layer", [nn.BatchNorm2d(1), nn.Dropout(0.5)])
def test_a_program_in_training_mode_is_refused(tmp_path, layer):
    with pytest.raises(ExportFailed, match=r"in training mode: aten\."):
        source.from_program(program_file(tmp_path, nn.Sequential(layer).train()), **NAMES)


class Sum(nn.Module):
    def forward(self, a, b):
        return a + b


def test_a_program_with_another_number_of_tensors_is_refused(tmp_path):
    pair = program_file(tmp_path, Sum(), torch.zeros(2, 3), torch.zeros(2, 3))
    with pytest.raises(ExportFailed, match=r"has 2 inputs \(a, b\), 1 are named: image"):
        source.from_program(pair, **NAMES)
    with pytest.raises(ExportFailed, match=r"has 1 outputs \(add\), 2 are named: c, d"):
        source.from_program(pair, **(NAMES | {"inputs": ("a", "b"), "outputs": ("c", "d")}))


def test_inputs_of_a_program_go_by_the_names_given(tmp_path):
    pair = program_file(tmp_path, Sum(), torch.zeros(2, 3), torch.zeros(2, 3))
    origin = source.from_program(pair, **(NAMES | {"inputs": ("left", "right")}))
    ones = np.ones((1, 3), np.float32)
    np.testing.assert_array_equal(origin.reference({"right": ones, "left": 2 * ones})["heatmaps"], 3 * ones)


def test_a_program_of_another_format_is_refused(tmp_path):
    path = tmp_path / "network.pt2"
    torch.save({"a": torch.zeros(1)}, path)
    with pytest.raises(ExportFailed, match=r"network\.pt2 is refused.*data\.pkl"):
        source.from_program(path, **NAMES)
    path.write_bytes(io.BytesIO(b"PK").getvalue())
    with pytest.raises(ExportFailed, match=r"network\.pt2 is no \.pt2 archive"):
        source.from_program(path, **NAMES)


def test_options_replace_the_recipe_s_own(saved):
    narrow = {"widths": (8, 8, 8, 8, 8), "top_down": 8}
    state = landmarks.network(landmarks.Options(**narrow)).state_dict()
    origin = source.from_recipe("landmarks", saved(state), (64, 32), narrow)
    assert origin.program.state_dict["head.weight"].shape == (68, 8, 1, 1)


def test_an_option_that_the_recipe_lacks_is_named(saved):
    with pytest.raises(BadRequest, match=r"options of recipe 'landmarks': .*depth"):
        source.from_recipe("landmarks", saved({}), None, {"depth": 50})
