"""Every recipe: a small network of it is the same in torch and in ONNX, and TensorRT builds an engine of it."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason='needs pip install "spinert[export]"')
pytest.importorskip("onnx", reason='needs pip install "spinert[export]"')
pytest.importorskip("onnxruntime", reason='needs pip install "spinert[cpu]"')

from torch import nn  # noqa: E402

from spinert.bundle import NetworkSpec  # noqa: E402
from spinert.export import onnx_graph, recipes, source  # noqa: E402
from spinert.runtime import golden  # noqa: E402
from spinert.runtime.backends import ort  # noqa: E402
from spinert.runtime.network import Network  # noqa: E402
from spinert.runtime.tensorrt.compile import Options, compile_network  # noqa: E402
from tests.export.recipes.small import SMALL  # noqa: E402


class Exported(NamedTuple):
    origin: source.Source
    content: bytes
    spec: NetworkSpec
    network: Network


def randomized(network: nn.Module) -> nn.Module:
    """Every weight and statistic as if from training: a layer that begins as zero would hide what follows it."""
    generator = torch.Generator().manual_seed(1)
    for parameter in network.parameters():
        fan_in = parameter[0].numel() if parameter.ndim > 1 else 1
        parameter.data.normal_(0.0, (2.0 / fan_in) ** 0.5 if parameter.ndim > 1 else 0.1, generator=generator)
    for module in network.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.weight.data.uniform_(0.5, 1.5, generator=generator)
            module.running_mean.normal_(generator=generator)
            module.running_var.uniform_(0.5, 2.0, generator=generator)
    return network


@pytest.fixture(scope="module", params=recipes.names())
def exported(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exported]:
    name, folder = request.param, tmp_path_factory.mktemp(request.param)
    recipe = recipes.load(name)
    torch.manual_seed(0)
    torch.save(randomized(recipe.network(recipes.options_of(name, SMALL[name]))).state_dict(), folder / "weights.pt")
    origin = source.from_recipe(name, folder / "weights.pt", None, SMALL[name])
    model = onnx_graph.convert(origin.program, network=origin.network, inputs=origin.inputs, outputs=origin.outputs)
    content = model.SerializeToString(deterministic=True)
    (folder / "small.onnx").write_bytes(content)
    spec = NetworkSpec(
        inputs=onnx_graph.specs_of(model.graph.input),
        outputs=onnx_graph.specs_of(model.graph.output),
        files={"fp32": "small.onnx"},
        opset=onnx_graph.OPSET,
        golden="golden.npz",
    )
    network = ort.open_network(folder / "small.onnx", spec, threads=1)
    yield Exported(origin, content, spec, network)
    network.close()


def test_onnx_computes_what_torch_does(exported: Exported) -> None:
    inputs = golden.make_golden(exported.spec.inputs)
    differences = golden.compare(inputs, exported.origin.reference, exported.network)
    assert [each.tensor for each in differences] == list(exported.origin.outputs)
    assert [each for each in differences if each.absolute > each.tolerated] == []


def test_the_answer_depends_on_every_input(exported: Exported) -> None:
    inputs = golden.make_golden(exported.spec.inputs)
    before = {name: array.copy() for name, array in exported.network(inputs).items()}
    for name, array in inputs.items():
        after = exported.network(inputs | {name: np.ascontiguousarray(array[..., ::-1])})
        assert [output for output in before if np.array_equal(before[output], after[output])] == []


@pytest.mark.parametrize("name", recipes.names())
def test_a_loss_on_its_outputs_reaches_every_weight(name: str) -> None:
    recipe: Any = recipes.load(name)
    options = recipes.options_of(name, SMALL[name])
    torch.manual_seed(0)
    network = randomized(recipe.network(options))
    result = network(*(torch.rand(2, *shape) for shape in recipe.tensors(options).inputs.values()))
    outputs = (result,) if isinstance(result, torch.Tensor) else result
    sum((output * torch.rand(output.shape)).sum() for output in outputs).backward()
    assert [key for key, weight in network.named_parameters() if weight.grad is None] == []


def test_the_inputs_are_those_that_the_recipe_states(exported: Exported) -> None:
    name = exported.origin.recipe
    stated: Any = recipes.load(name).tensors(recipes.options_of(name, SMALL[name]))
    assert {tensor.name: tensor.shape for tensor in exported.spec.inputs} == {
        tensor: (None, *shape) for tensor, shape in stated.inputs.items()
    }
    assert tuple(tensor.name for tensor in exported.spec.outputs) == stated.outputs


def test_tensorrt_builds_an_engine(exported: Exported, rtx: Any) -> None:
    assert compile_network(rtx, exported.content, exported.spec, Options(), file="small.onnx").plan
