"""A `.pt2` archive that could run code is refused before torch opens it."""

import io
import json
import pickle
import zipfile

import pytest

torch = pytest.importorskip("torch", reason='needs pip install "spinert[export]"')

from torch import nn  # noqa: E402

from spinert.errors import ExportFailed  # noqa: E402
from spinert.export.archive import refuse_code  # noqa: E402


@pytest.fixture(scope="module")
def archive() -> dict[str, bytes]:
    """Members of a real program with a free batch, weights and a constant."""

    class Network(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer, self.constant = nn.Conv2d(1, 2, 3), torch.arange(3.0)

        def forward(self, x):
            return self.layer(x).flatten(1)[:, :3].clamp(min=0) + self.constant

    example = (torch.zeros(2, 1, 8, 8),)
    program = torch.export.export(Network().eval(), example, dynamic_shapes=({0: torch.export.Dim("batch")},))
    file = io.BytesIO()
    torch.export.save(program, file)
    with zipfile.ZipFile(file) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def packed(members: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as opened:
        for name, content in members.items():
            opened.writestr(name, content)
    return file.getvalue()


def changed(archive: dict[str, bytes], ending: str, old: str, new: str) -> bytes:
    (name,) = [name for name in archive if name.endswith(ending)]
    text = archive[name].decode()
    assert old in text
    return packed(archive | {name: text.replace(old, new, 1).encode()})


def refused(content: bytes, why: str) -> None:
    with pytest.raises(ExportFailed, match=f"reading it could run code: .*{why}"):
        refuse_code(content, "network.pt2")


def test_a_plain_program_is_taken(archive):
    refuse_code(packed(archive), "network.pt2")


def test_example_inputs_that_are_objects_are_refused(archive):
    (name,) = [name for name in archive if name.endswith("sample_inputs/model.pt")]
    file = io.BytesIO()
    torch.save(nn.Linear(1, 1), file)
    refused(packed(archive | {name: file.getvalue()}), r"data/sample_inputs/model\.pt")
    refused(packed(archive | {name: pickle.dumps(print)}), r"data/sample_inputs/model\.pt")


def test_pickled_weights_are_refused(archive):
    refused(changed(archive, "weights_config.json", '"use_pickle": false', '"use_pickle":true'), "a pickled object")


def test_objects_among_the_constants_are_refused(archive):
    refused(changed(archive, "constants_config.json", "tensor_0", "opaque_obj_0"), "path_name 'opaque_obj_0'")


@pytest.mark.parametrize(
    "operator",
    ["torch.hub.load", "torch.ops.higher_order.cond", "_operator.methodcaller", "torch.ops.mine.run.default"],
)
def test_operators_other_than_atens_are_refused(archive, operator):
    refused(changed(archive, "models/model.json", "torch.ops.aten.conv2d.default", operator), f"operator {operator}")


@pytest.mark.parametrize("expression", ["__import__('os').system('true')", "exec('x')", "open('s')"])
def test_shape_expressions_that_call_anything_are_refused(archive, expression):
    refused(changed(archive, "models/model.json", "Symbol('s", f"{expression}+Symbol('s"), "expression ")


@pytest.mark.parametrize("member", ["data/aotinductor/model/x.so", "extra/note.txt", "data/constants/custom_obj_0"])
def test_members_that_are_neither_tensor_nor_graph_are_refused(archive, member):
    refused(packed(archive | {f"network/{member}": b""}), member)


def test_a_second_member_of_the_same_name_is_refused(archive):
    (name,) = [name for name in archive if name.endswith("models/model.json")]
    file = io.BytesIO(packed(archive))
    with zipfile.ZipFile(file, "a") as opened, pytest.warns(UserWarning, match="Duplicate name"):
        opened.writestr(name, json.dumps({}))
    refused(file.getvalue(), r"models/model\.json")


def test_a_graph_that_is_no_json_is_refused(archive):
    (name,) = [name for name in archive if name.endswith("models/model.json")]
    refused(packed(archive | {name: b"{"}), r"models/model\.json: not JSON")
