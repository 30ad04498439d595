"""Torch programs become plain ONNX; every network here runs in onnxruntime and in torch on the same values."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason='needs pip install "spinert[export]"')
onnx = pytest.importorskip("onnx", reason='needs pip install "spinert[export]"')
onnxruntime = pytest.importorskip("onnxruntime", reason='needs pip install "spinert[cpu]"')

from onnx import TensorProto, helper, numpy_helper  # noqa: E402
from torch import nn  # noqa: E402

from spinert.errors import ExportFailed  # noqa: E402
from spinert.export import onnx_graph  # noqa: E402


def trained(network):
    """The network in evaluation mode, with statistics as if it had seen data."""
    generator = torch.Generator().manual_seed(1)
    for module in network.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.running_mean.normal_(generator=generator)
            module.running_var.uniform_(0.5, 2.0, generator=generator)
            if module.affine:
                module.weight.data.uniform_(-2.0, 2.0, generator=generator)
                module.bias.data.normal_(generator=generator)
    return network.eval()


def traced(network, *shape, dtype=torch.float32, dynamic=None):
    dynamic = {0: torch.export.Dim("batch")} if dynamic is None else dynamic
    example = torch.zeros(2, *shape).to(dtype)
    return torch.export.export(network, (example,), dynamic_shapes=(dynamic,))


def converted(network, *shape, **tracing):
    return onnx_graph.convert(traced(network, *shape, **tracing), network="net", inputs=("x",), outputs=("y",))


def run(model, x, place=0):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: x})[place]


def operators(model):
    return [node.op_type for node in model.graph.node]


class Attributes(nn.Module):
    def __init__(self):
        super().__init__()
        self.convolution, self.normalization = nn.Conv2d(2, 4, 3), nn.BatchNorm2d(4)

    def forward(self, x):
        return self.normalization(self.convolution(x))


class SharedConvolution(nn.Module):
    """One convolution, read through two normalizations."""

    def __init__(self):
        super().__init__()
        self.convolution = nn.Conv2d(2, 4, 3, bias=False)
        self.left, self.right = nn.BatchNorm2d(4), nn.BatchNorm2d(4)

    def forward(self, x):
        return self.left(self.convolution(x)) + self.right(self.convolution(x * 2))


class SecondReader(nn.Module):
    """The raw output of the convolution is read besides the normalized one."""

    def __init__(self):
        super().__init__()
        self.convolution, self.normalization = nn.Conv2d(2, 4, 3), nn.BatchNorm2d(4)

    def forward(self, x):
        features = self.convolution(x)
        return self.normalization(features) * features


class Concatenated(nn.Module):
    def __init__(self):
        super().__init__()
        self.left, self.right, self.normalization = nn.Conv2d(2, 3, 1), nn.Conv2d(2, 3, 1), nn.BatchNorm2d(6)

    def forward(self, x):
        return self.normalization(torch.cat([self.left(x), self.right(x)], 1))


class Volume(nn.Module):
    """Channels as the depth of a volume."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Conv3d(1, 3, (1, 3, 3)), nn.BatchNorm3d(3, affine=False))

    def forward(self, x):
        return self.layers(x[:, None])


NESTINGS = {
    "sequential": lambda: nn.Sequential(nn.Conv2d(2, 4, 3, bias=False), nn.BatchNorm2d(4), nn.ReLU()),
    "attributes": Attributes,
    "deep": lambda: nn.Sequential(nn.ModuleList([nn.Sequential(nn.Sequential(Attributes()))])[0]),
    "grouped": lambda: nn.Sequential(nn.Conv2d(2, 4, 3, groups=2), nn.BatchNorm2d(4)),
    "transposed": lambda: nn.Sequential(nn.ConvTranspose2d(2, 6, 2, 2, groups=2), nn.BatchNorm2d(6)),
    "linear": lambda: nn.Sequential(nn.Flatten(), nn.Linear(96, 4), nn.BatchNorm1d(4)),
    "volume": Volume,
    "pre-activation": lambda: nn.Sequential(nn.BatchNorm2d(2), nn.ReLU(), nn.Conv2d(2, 4, 3)),
    "shared convolution": SharedConvolution,
    "second reader": SecondReader,
    "concatenated": Concatenated,
}


class AllNestings(nn.Module):
    """Every nesting side by side on one input, one output each: one conversion, which takes most of the time."""

    def __init__(self):
        super().__init__()
        self.networks = nn.ModuleList(build() for build in NESTINGS.values())

    def forward(self, x):
        return tuple(network(x) for network in self.networks)


@pytest.fixture(scope="module")
def nested():
    torch.manual_seed(0)
    network = trained(AllNestings())
    outputs = tuple(name.replace(" ", "_") for name in NESTINGS)
    model = onnx_graph.convert(traced(network, 2, 8, 6), network="net", inputs=("x",), outputs=outputs)
    return network, model


def test_no_batch_normalization_remains(nested):
    network, model = nested
    assert sum(isinstance(module, nn.modules.batchnorm._BatchNorm) for module in network.modules()) == 12
    assert "BatchNormalization" not in operators(model)


@pytest.mark.parametrize("nesting", NESTINGS)
def test_values_stay_without_batch_normalization(nested, nesting):
    network, model = nested
    place = list(NESTINGS).index(nesting)
    x = torch.rand(3, 2, 8, 6)
    expected = network(x)[place].detach().numpy()
    np.testing.assert_allclose(run(model, x.numpy(), place), expected, atol=2e-5, rtol=1e-5)


def graph_with_normalization(layers, shape, initializers, extra_outputs=()):
    """ONNX as an exporter writes it that folds nothing: x -> layers -> y, each tensor float32."""
    rng = np.random.default_rng(0)
    tensors = []
    for name, size in initializers.items():
        low = 0.5 if name.startswith("variance") else -1.0
        tensors.append(numpy_helper.from_array(rng.uniform(low, 2.0, size).astype(np.float32), name))
    graph = helper.make_graph(
        layers,
        "net",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", *shape])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in ("y", *extra_outputs)],
        tensors,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    return onnx.shape_inference.infer_shapes(model, strict_mode=True)


def normalization(source, target, which="", **attributes):
    parameters = [f"{name}{which}" for name in ("scale", "bias", "mean", "variance")]
    return helper.make_node("BatchNormalization", [source, *parameters], [target], **attributes)


def parameters(channels, which=""):
    return {f"{name}{which}": (channels,) for name in ("scale", "bias", "mean", "variance")}


def conv(*inputs, output="c", kind="Conv", **attributes):
    return helper.make_node(kind, list(inputs), [output], **attributes)


GRAPHS = {
    "convolution": ([conv("x", "w"), normalization("c", "y")], (2, 5, 5), {"w": (4, 2, 3, 3)} | parameters(4), 1),
    "convolution with bias and epsilon": (
        [conv("x", "w", "b"), normalization("c", "y", epsilon=0.5)],
        (2, 5, 5),
        {"w": (4, 2, 3, 3), "b": (4,)} | parameters(4),
        1,
    ),
    "transposed convolution in groups": (
        [conv("x", "w", kind="ConvTranspose", group=2), normalization("c", "y")],
        (4, 5, 5),
        {"w": (4, 3, 2, 2)} | parameters(6),
        1,
    ),
    "matrix product": (
        [conv("x", "w", "b", kind="Gemm"), normalization("c", "y")],
        (5,),
        {"w": (5, 4), "b": (4,)} | parameters(4),
        1,
    ),
    "transposed matrix product": (
        [conv("x", "w", kind="Gemm", transB=1), normalization("c", "y")],
        (5,),
        {"w": (4, 5)} | parameters(4),
        1,
    ),
    "scaled matrix product": (
        [conv("x", "w", kind="Gemm", transB=1, alpha=0.5), normalization("c", "y")],
        (5,),
        {"w": (4, 5)} | parameters(4),
        3,
    ),
    "two convolutions with one weight": (
        [
            conv("x", "w"),
            conv("x", "w", output="d", pads=[0, 0, 0, 0]),
            normalization("c", "e"),
            normalization("d", "f", "2"),
            helper.make_node("Mul", ["e", "f"], ["y"]),
        ],
        (2, 5, 5),
        {"w": (4, 2, 3, 3)} | parameters(4) | parameters(4, "2"),
        3,
    ),
    "one after another": (
        [conv("x", "w"), normalization("c", "n"), normalization("n", "y", "2")],
        (2, 5, 5),
        {"w": (4, 2, 3, 3)} | parameters(4) | parameters(4, "2"),
        1,
    ),
    "of the input": (
        [normalization("x", "n"), conv("n", "w", output="y")],
        (2, 5),
        {"w": (4, 2, 3)} | parameters(2),
        3,
    ),
}


@pytest.mark.parametrize("name", GRAPHS)
def test_folding_leaves_the_values_and_takes_the_nodes(name):
    layers, shape, initializers, nodes_left = GRAPHS[name]
    model = graph_with_normalization(layers, shape, initializers)
    x = np.random.default_rng(1).uniform(-1, 1, (3, *shape)).astype(np.float32)
    before = run(model, x)
    onnx_graph.fold_batch_normalization(model.graph)
    onnx.checker.check_model(model, full_check=True)
    assert "BatchNormalization" not in operators(model)
    assert len(model.graph.node) == nodes_left
    used = {name for node in model.graph.node for name in node.input}
    assert {tensor.name for tensor in model.graph.initializer} <= used
    np.testing.assert_allclose(run(model, x), before, atol=1e-5, rtol=1e-5)


def test_a_layer_whose_raw_output_is_a_result_keeps_its_weights():
    layers, shape, initializers, _ = GRAPHS["convolution"]
    model = graph_with_normalization(layers, shape, initializers, extra_outputs=["c"])
    onnx_graph.fold_batch_normalization(model.graph)
    assert operators(model) == ["Conv", "Mul", "Add"]


def test_computed_parameters_are_refused():
    layers = [helper.make_node("Abs", ["mean"], ["computed"]), normalization("x", "y")]
    layers[1].input[3] = "computed"
    model = graph_with_normalization(layers, (2, 5), parameters(2))
    with pytest.raises(ExportFailed, match="BatchNormalization 'y' computes its parameter 'computed'"):
        onnx_graph.fold_batch_normalization(model.graph)


def test_the_model_says_what_made_it_and_nothing_of_where():
    network = trained(Attributes())
    model = converted(network, 2, 8, 6)
    content = model.SerializeToString()
    assert model.producer_name == "spinert"
    assert torch.__version__ in model.producer_version
    assert b".py" not in content
    assert b"torch." not in content
    assert b"Attributes" not in content
    parts = [model, model.graph, *model.graph.node, *model.graph.initializer, *model.graph.input, *model.graph.output]
    assert not any(part.metadata_props or part.doc_string for part in parts)


def test_the_batch_is_free_and_the_rest_fixed_and_inside_the_file():
    model = converted(trained(Attributes()), 2, 8, 6)
    assert [(entry.domain, entry.version) for entry in model.opset_import] == [("", onnx_graph.OPSET)]
    shapes = [
        [axis.dim_param or axis.dim_value for axis in value.type.tensor_type.shape.dim]
        for value in (*model.graph.input, *model.graph.output, *model.graph.value_info)
    ]
    assert shapes == [["batch", 2, 8, 6], ["batch", 4, 6, 4]]
    assert not any(tensor.external_data for tensor in model.graph.initializer)
    (x,), (y,) = onnx_graph.specs_of(model.graph.input), onnx_graph.specs_of(model.graph.output)
    assert (x.name, x.dtype, x.shape) == ("x", "float32", (None, 2, 8, 6))
    assert (y.name, y.dtype, y.shape) == ("y", "float32", (None, 4, 6, 4))


@pytest.mark.parametrize(
    ("tracing", "message"),
    [
        ({"dynamic": {}}, r"x float32 \[2, 2, 8, 6\]: its batch is not free"),
        (
            {"dynamic": {0: torch.export.Dim("batch"), 2: torch.export.Dim("height")}},
            r"x float32 \[N, 2, N, 6\]: only the batch may be free",
        ),
        ({"dtype": torch.float64}, r"x float64 \[N, 2, 8, 6\]: expected float32"),
    ],
)
def test_a_program_that_is_not_fixed_float32_with_a_free_batch_is_refused(tracing, message):
    network = nn.ReLU()
    with pytest.raises(ExportFailed, match=message):
        converted(network, 2, 8, 6, **tracing)


def test_an_operator_that_onnx_lacks_is_refused():
    class Unusual(nn.Module):
        def forward(self, x):
            return torch.special.bessel_j0(x)

    with pytest.raises(ExportFailed, match="cannot write network 'net' as ONNX"):
        converted(Unusual(), 4)
