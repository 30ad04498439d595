"""The model repository as Triton reads it: protobuf's own parser over the fields that Triton's schema has."""

import shutil
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, text_format

from spinert import bundle as bundles
from spinert.bundle import Bundle, TensorSpec
from spinert.errors import BadRequest, ExportFailed
from spinert.export.triton import MOST_IMAGES, write_repository
from spinert.findings import DISCLAIMER
from spinert.runtime import golden
from tests.bundles import SIZE, write_bundle

HEATMAPS = np.zeros((68, SIZE[0] // 4, SIZE[1] // 4), np.float32)
_TYPES = (
    "INVALID",
    "BOOL",
    "UINT8",
    "UINT16",
    "UINT32",
    "UINT64",
    "INT8",
    "INT16",
    "INT32",
    "INT64",
    "FP16",
    "FP32",
    "FP64",
)
ENUMS = {
    "DataType": [f"TYPE_{name}" for name in _TYPES],
    "Kind": ["KIND_AUTO", "KIND_GPU", "KIND_CPU", "KIND_MODEL"],
}
MESSAGES = {
    "ModelInput": ["string name 1", "DataType data_type 2", "repeated int64 dims 4"],
    "ModelOutput": ["string name 1", "DataType data_type 2", "repeated int64 dims 3"],
    "ModelInstanceGroup": ["Kind kind 4", "int32 count 2", "repeated int32 gpus 3"],
    "ModelDynamicBatching": ["repeated int32 preferred_batch_size 1", "uint64 max_queue_delay_microseconds 2"],
    "WarmupInput": ["DataType data_type 1", "repeated int64 dims 2", "string input_data_file 5"],
    "ModelWarmup": ["string name 1", "uint32 batch_size 2", "repeated InputsEntry inputs 3", "uint32 count 4"],
    "ModelConfig": [
        "string name 1", "string backend 17", "int32 max_batch_size 4", "string default_model_filename 8",
        "repeated ModelInput input 5", "repeated ModelOutput output 6", "repeated ModelInstanceGroup instance_group 7",
        "ModelDynamicBatching dynamic_batching 11", "repeated ModelWarmup model_warmup 16",
    ],
}  # fmt: skip
"""Of Triton's `model_config.proto`, what a repository of ours may use; names and types are all that the text knows."""


def field_of(text: str) -> descriptor_pb2.FieldDescriptorProto:
    *repeated, kind, name, number = text.split()
    field = descriptor_pb2.FieldDescriptorProto(name=name, number=int(number), label=3 if repeated else 1)
    if kind in ENUMS or kind[0].isupper():
        field.type = 14 if kind in ENUMS else 11
        field.type_name = ".triton.ModelWarmup.InputsEntry" if kind == "InputsEntry" else f".triton.{kind}"
    else:
        field.type = getattr(field, f"TYPE_{kind.upper()}")
    return field


@pytest.fixture(scope="module")
def config_type() -> Any:
    """The message class ModelConfig, made of these fields: its parser refuses every other."""
    schema = descriptor_pb2.FileDescriptorProto(name="model_config.proto", package="triton", syntax="proto3")
    for name, values in ENUMS.items():
        enum = schema.enum_type.add(name=name)
        for number, value in enumerate(values):
            enum.value.add(name=value, number=number)
    for name, fields in MESSAGES.items():
        message = schema.message_type.add(name=name, field=map(field_of, fields))
        if name == "ModelWarmup":
            entry = message.nested_type.add(
                name="InputsEntry", field=map(field_of, ["string key 1", "WarmupInput value 2"])
            )
            entry.options.map_entry = True
    pool = descriptor_pool.DescriptorPool()
    pool.Add(schema)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("triton.ModelConfig"))


def type_of(tensor: Any) -> str:
    return ENUMS["DataType"][tensor.data_type]


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    others: Any = dict.fromkeys(("fp16", "int8-cpu", "int8-trt"), HEATMAPS + 1)
    return write_bundle(tmp_path / "truth", HEATMAPS, others=others, golden=True)


def changed(bundle: Bundle, **spec: Any) -> Bundle:
    """The bundle with other facts of its network, in memory only."""
    network = msgspec.structs.replace(bundle.manifest.networks["landmarks"], **spec)
    manifest = msgspec.structs.replace(bundle.manifest, networks={"landmarks": network})
    return msgspec.structs.replace(bundle, manifest=manifest)


def test_each_precision_that_onnxruntime_serves_is_a_model(bundle: Bundle, tmp_path: Path) -> None:
    written = write_repository(bundle, tmp_path / "models")
    assert written.models == ("truth_landmarks", "truth_landmarks_fp16", "truth_landmarks_int8_cpu")
    assert written.left_out == ("int8-trt",)
    assert sorted(path.name for path in written.folder.iterdir()) == sorted(written.models)


def test_a_model_has_the_files_that_triton_looks_for(bundle: Bundle, tmp_path: Path) -> None:
    model = write_repository(bundle, tmp_path / "models").folder / "truth_landmarks_fp16"
    files = sorted(path.relative_to(model).as_posix() for path in model.rglob("*") if path.is_file())
    assert files == ["1/model.onnx", "config.pbtxt", "model_card.md", "warmup/input0.raw"]
    assert (model / "1" / "model.onnx").read_bytes() == bundle.network_file("landmarks", "fp16").read_bytes()


@pytest.mark.parametrize(("suffix", "kind"), [("", "KIND_AUTO"), ("_fp16", "KIND_GPU"), ("_int8_cpu", "KIND_CPU")])
def test_the_configuration_says_what_the_bundle_says(
    bundle: Bundle, tmp_path: Path, config_type: Any, suffix: str, kind: str
) -> None:
    folder = write_repository(bundle, tmp_path / "models").folder / f"truth_landmarks{suffix}"
    text = (folder / "config.pbtxt").read_text()
    config = text_format.Parse(text, config_type())
    assert config.name == folder.name
    assert config.backend == "onnxruntime"
    assert (folder / "1" / config.default_model_filename).is_file()
    assert config.max_batch_size == MOST_IMAGES
    assert [(t.name, list(t.dims), type_of(t)) for t in config.input] == [("image", [1, *SIZE], "TYPE_FP32")]
    assert [(t.name, list(t.dims), type_of(t)) for t in config.output] == [
        ("heatmaps", [68, SIZE[0] // 4, SIZE[1] // 4], "TYPE_FP32")
    ]
    (group,) = config.instance_group
    assert (group.count, ENUMS["Kind"][group.kind]) == (1, kind)
    assert config.HasField("dynamic_batching")
    assert DISCLAIMER in text
    assert bundle.sha256 in text


def test_the_warm_up_is_the_golden_input(bundle: Bundle, tmp_path: Path, config_type: Any) -> None:
    folder = write_repository(bundle, tmp_path / "models").folder / "truth_landmarks"
    config = text_format.Parse((folder / "config.pbtxt").read_text(), config_type())
    (warm_up,) = config.model_warmup
    assert warm_up.batch_size == 1
    (name,) = warm_up.inputs
    value = warm_up.inputs[name]
    content = np.fromfile(folder / "warmup" / value.input_data_file, "<f4").reshape(1, *value.dims)
    np.testing.assert_array_equal(content, golden.read_golden(bundle, "landmarks")["image"])
    assert type_of(value) == "TYPE_FP32"


def test_without_golden_inputs_there_is_no_warm_up(tmp_path: Path, config_type: Any) -> None:
    folder = write_repository(write_bundle(tmp_path / "truth", HEATMAPS), tmp_path / "models").folder
    config = text_format.Parse((folder / "truth_landmarks" / "config.pbtxt").read_text(), config_type())
    assert len(config.model_warmup) == 0
    assert not (folder / "truth_landmarks" / "warmup").exists()


def test_a_network_without_a_free_batch_is_served_one_by_one(bundle: Bundle, tmp_path: Path, config_type: Any) -> None:
    fixed = changed(
        bundle,
        inputs=(TensorSpec("image", "float32", (1, 1, *SIZE)),),
        outputs=(TensorSpec("points", "int64", (1, None, 2)),),
    )
    folder = write_repository(fixed, tmp_path / "models").folder
    config = text_format.Parse((folder / "truth_landmarks" / "config.pbtxt").read_text(), config_type())
    assert config.max_batch_size == 0
    assert not config.HasField("dynamic_batching")
    assert list(config.input[0].dims) == [1, 1, *SIZE]
    assert (list(config.output[0].dims), type_of(config.output[0])) == ([1, -1, 2], "TYPE_INT64")


def test_the_model_card_and_the_disclaimer_go_along(bundle: Bundle, tmp_path: Path) -> None:
    folder = write_repository(bundle, tmp_path / "models").folder
    for model in folder.iterdir():
        card = (model / "model_card.md").read_text()
        assert bundle.model_card() in card
        assert DISCLAIMER in card.lower()


def test_a_folder_that_exists_is_left_alone(bundle: Bundle, tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    with pytest.raises(BadRequest, match="models exists already"):
        write_repository(bundle, tmp_path / "models")
    assert list((tmp_path / "models").iterdir()) == []


def test_a_write_that_fails_leaves_nothing(bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written = Path.rename

    def full(self: Path, target: Path) -> Path:
        if self.name == ".models.partial":
            raise OSError(28, "No space left on device")
        return written(self, target)

    monkeypatch.setattr(Path, "rename", full)
    with pytest.raises(ExportFailed, match=r"models cannot be written: No space left on device"):
        write_repository(bundle, tmp_path / "models")
    assert [path.name for path in tmp_path.iterdir()] == ["truth"]


def test_what_an_interrupted_write_left_does_not_get_in(bundle: Bundle, tmp_path: Path) -> None:
    (tmp_path / ".models.partial" / "stranger").mkdir(parents=True)
    written = write_repository(bundle, tmp_path / "models")
    assert sorted(path.name for path in written.folder.iterdir()) == sorted(written.models)
    assert not (tmp_path / ".models.partial").exists()


@pytest.mark.parametrize("name", ["../truth", "tr/uth", "/truth", ".hidden", "two words"])
def test_a_name_that_is_no_folder_s_is_refused(bundle: Bundle, tmp_path: Path, name: str) -> None:
    renamed = msgspec.structs.replace(bundle, manifest=msgspec.structs.replace(bundle.manifest, name=name))
    with pytest.raises(BadRequest, match="cannot be the name of a folder"):
        write_repository(renamed, tmp_path / "models")


def test_a_type_that_triton_has_not_is_refused(bundle: Bundle, tmp_path: Path) -> None:
    odd = changed(bundle, outputs=(TensorSpec("points", "complex64", (None, 2)),))
    with pytest.raises(ExportFailed, match="'points' is complex64"):
        write_repository(odd, tmp_path / "models")


def test_the_bundle_itself_is_not_touched(bundle: Bundle, tmp_path: Path) -> None:
    write_repository(bundle, tmp_path / "models")
    shutil.rmtree(tmp_path / "models")
    assert bundles.load(bundle.folder).sha256 == bundle.sha256
