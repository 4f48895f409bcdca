"""Every ATen operator that from_torch() takes, against PyTorch, there and back."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

lc = pytest.importorskip("libcompress", reason="the Python package is not built")

TOLERANCE = 2e-5


class Function(nn.Module):
    """forward() is any function; what `tensors` holds is registered and handed over first."""

    def __init__(self, function, parameters=(), buffers=()):
        super().__init__()
        self.function = function
        for i, shape in enumerate(parameters):
            self.register_parameter(f"p{i}", nn.Parameter(torch.randn(shape)))
        for i, tensor in enumerate(buffers):
            self.register_buffer(f"b{i}", tensor)

    def forward(self, *inputs):
        return self.function(*inputs, *self.parameters(), *self.buffers())


def settled(module: nn.Module) -> nn.Module:
    """Norms with statistics and weights of their own."""
    torch.manual_seed(1)
    for each in module.modules():
        for name, tensor in [*each.named_parameters(recurse=False), *each.named_buffers(recurse=False)]:
            if tensor.is_floating_point() and tensor.numel():
                low = 0.5 if "var" in name else -1.0
                nn.init.uniform_(tensor, low, 1.5)
    return module.eval()


def as_arrays(result) -> list[np.ndarray]:
    if isinstance(result, dict):
        result = list(result.values())
    result = result if isinstance(result, tuple | list) else (result,)
    return [each.detach().numpy() if isinstance(each, torch.Tensor) else each for each in result]


def assert_equal(found, wanted):
    found, wanted = as_arrays(found), as_arrays(wanted)
    assert len(found) == len(wanted)
    for one, other in zip(found, wanted, strict=True):
        assert one.shape == other.shape
        assert np.abs(one - other).max() <= TOLERANCE * max(1.0, np.abs(other).max())


def check(module: nn.Module, *shapes: tuple[int, ...], positive: bool = False) -> lc.Model:
    """At the traced batch and another, in our executor and as a module again."""
    module = settled(module)
    torch.manual_seed(2)
    for batch in (3, 1):
        inputs = [torch.randn(batch, *shape) for shape in shapes]
        if positive:
            inputs = [each.abs() + 0.1 for each in inputs]
        if batch == 3:
            model = lc.from_torch(module, tuple(each[:1] for each in inputs))
            again = model.to_torch().eval()
        with torch.no_grad():
            wanted = module(*(each.clone() for each in inputs))
            assert_equal(model.run(*(each.numpy() for each in inputs)), wanted)
            assert_equal(again(*inputs), wanted)
    return model


IMAGE, SOUND, VIDEO, VECTOR = (4, 9, 8), (4, 13), (4, 5, 6, 7), (12,)

LAYERS = {
    "conv1d": (nn.Conv1d(4, 6, 3, stride=2, padding=1), SOUND),
    "conv1d_same": (nn.Conv1d(4, 6, 4, padding="same", dilation=2), SOUND),
    "conv2d": (nn.Conv2d(4, 6, (3, 2), stride=(2, 1), padding=(1, 0)), IMAGE),
    "conv2d_valid": (nn.Conv2d(4, 6, 3, padding="valid", bias=False), IMAGE),
    "conv2d_depthwise": (nn.Conv2d(4, 8, 3, padding=1, groups=4), IMAGE),
    "conv2d_reflect": (nn.Conv2d(4, 4, 3, padding=1, padding_mode="reflect"), IMAGE),
    "conv2d_circular": (nn.Conv2d(4, 4, 3, padding=1, padding_mode="circular"), IMAGE),
    "conv3d": (nn.Conv3d(4, 6, 3, padding=1, groups=2), VIDEO),
    "conv_transpose1d": (nn.ConvTranspose1d(4, 6, 3, stride=2, output_padding=1), SOUND),
    "conv_transpose2d": (nn.ConvTranspose2d(4, 6, 3, stride=2, padding=1, groups=2, dilation=2), IMAGE),
    "conv_transpose3d": (nn.ConvTranspose3d(4, 2, 2, stride=2, bias=False), VIDEO),
    "linear": (nn.Linear(12, 5), VECTOR),
    "linear_on_three_axes": (nn.Linear(8, 5, bias=False), IMAGE),
    "batch_norm1d": (nn.BatchNorm1d(4), SOUND),
    "batch_norm1d_of_vectors": (nn.BatchNorm1d(12), VECTOR),
    "batch_norm2d": (nn.BatchNorm2d(4), IMAGE),
    "batch_norm2d_plain": (nn.BatchNorm2d(4, affine=False), IMAGE),
    "batch_norm3d": (nn.BatchNorm3d(4), VIDEO),
    "layer_norm": (nn.LayerNorm(8), IMAGE),
    "layer_norm_of_two_axes": (nn.LayerNorm((9, 8)), IMAGE),
    "layer_norm_without_bias": (nn.LayerNorm(8, bias=False), IMAGE),
    "layer_norm_plain": (nn.LayerNorm(8, elementwise_affine=False), IMAGE),
    "rms_norm": (nn.RMSNorm(8), IMAGE),
    "group_norm": (nn.GroupNorm(2, 4), IMAGE),
    "group_norm_plain": (nn.GroupNorm(2, 4, affine=False), IMAGE),
    "instance_norm1d": (nn.InstanceNorm1d(4, affine=True), SOUND),
    "instance_norm2d": (nn.InstanceNorm2d(4), IMAGE),
    "instance_norm_with_statistics": (nn.InstanceNorm2d(4, affine=True, track_running_stats=True), IMAGE),
    "local_response_norm": (nn.LocalResponseNorm(3), IMAGE),
    "relu": (nn.ReLU(inplace=True), IMAGE),
    "relu6": (nn.ReLU6(), IMAGE),
    "leaky_relu": (nn.LeakyReLU(0.2), IMAGE),
    "rrelu": (nn.RReLU(), IMAGE),
    "prelu": (nn.PReLU(), IMAGE),
    "prelu_by_channel": (nn.PReLU(4), IMAGE),
    "elu": (nn.ELU(0.7), IMAGE),
    "celu": (nn.CELU(0.7), IMAGE),
    "selu": (nn.SELU(), IMAGE),
    "gelu": (nn.GELU(), IMAGE),
    "gelu_tanh": (nn.GELU(approximate="tanh"), IMAGE),
    "silu": (nn.SiLU(inplace=True), IMAGE),
    "mish": (nn.Mish(), IMAGE),
    "softplus": (nn.Softplus(2.0), IMAGE),
    "softsign": (nn.Softsign(), IMAGE),
    "tanhshrink": (nn.Tanhshrink(), IMAGE),
    "sigmoid": (nn.Sigmoid(), IMAGE),
    "log_sigmoid": (nn.LogSigmoid(), IMAGE),
    "tanh": (nn.Tanh(), IMAGE),
    "hardswish": (nn.Hardswish(), IMAGE),
    "hardsigmoid": (nn.Hardsigmoid(), IMAGE),
    "hardtanh": (nn.Hardtanh(-0.5, 0.7), IMAGE),
    "glu": (nn.GLU(1), IMAGE),
    "softmax": (nn.Softmax(1), IMAGE),
    "softmin": (nn.Softmin(-1), IMAGE),
    "softmax2d": (nn.Softmax2d(), IMAGE),
    "log_softmax": (nn.LogSoftmax(-1), VECTOR),
    "dropout": (nn.Dropout(0.3), IMAGE),
    "dropout2d": (nn.Dropout2d(0.3), IMAGE),
    "max_pool1d": (nn.MaxPool1d(3, 2, padding=1), SOUND),
    "max_pool2d": (nn.MaxPool2d(3, 2, padding=1, ceil_mode=True), IMAGE),
    "max_pool2d_dilated": (nn.MaxPool2d(2, 1, dilation=2), IMAGE),
    "max_pool3d": (nn.MaxPool3d(2), VIDEO),
    "avg_pool1d": (nn.AvgPool1d(3, 2, padding=1), SOUND),
    "avg_pool2d": (nn.AvgPool2d(3, 2, padding=1, ceil_mode=True, count_include_pad=False), IMAGE),
    "avg_pool3d": (nn.AvgPool3d(2, padding=1), VIDEO),
    "adaptive_avg_pool1d": (nn.AdaptiveAvgPool1d(5), SOUND),
    "adaptive_avg_pool2d": (nn.AdaptiveAvgPool2d((None, 3)), IMAGE),
    "adaptive_avg_pool3d": (nn.AdaptiveAvgPool3d(1), VIDEO),
    "adaptive_max_pool1d": (nn.AdaptiveMaxPool1d(1), SOUND),
    "adaptive_max_pool2d": (nn.AdaptiveMaxPool2d(3), IMAGE),
    "lp_pool2d": (nn.LPPool2d(2, 2), IMAGE),
    "upsample_nearest1d": (nn.Upsample(scale_factor=2), SOUND),
    "upsample_nearest2d": (nn.Upsample(size=(5, 13)), IMAGE),
    "upsample_nearest_exact": (nn.Upsample(size=(5, 13), mode="nearest-exact"), IMAGE),
    "upsample_nearest3d": (nn.Upsample(scale_factor=2), VIDEO),
    "upsample_linear": (nn.Upsample(scale_factor=2, mode="linear"), SOUND),
    "upsample_bilinear": (nn.Upsample(size=(13, 5), mode="bilinear"), IMAGE),
    "upsample_corners": (nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True), IMAGE),
    "upsample_bicubic": (nn.Upsample(size=(13, 17), mode="bicubic"), IMAGE),
    "upsample_trilinear": (nn.Upsample(scale_factor=2, mode="trilinear"), VIDEO),
    "pixel_shuffle": (nn.PixelShuffle(2), IMAGE),
    "pixel_unshuffle": (nn.PixelUnshuffle(2), (4, 8, 6)),
    "channel_shuffle": (nn.ChannelShuffle(2), IMAGE),
    "zero_pad": (nn.ZeroPad2d((1, 2, 0, 3)), IMAGE),
    "constant_pad": (nn.ConstantPad1d(2, 3.5), SOUND),
    "reflection_pad": (nn.ReflectionPad2d((1, 2, 3, 0)), IMAGE),
    "replication_pad": (nn.ReplicationPad1d((1, 2)), SOUND),
    "circular_pad": (nn.CircularPad2d((1, 2, 0, 1)), IMAGE),
    "negative_pad": (nn.ConstantPad2d((-1, 2, 1, -2), 0.5), IMAGE),
    "flatten": (nn.Flatten(), IMAGE),
    "flatten_from_2": (nn.Flatten(2), IMAGE),
    "unflatten": (nn.Unflatten(1, (2, 2)), IMAGE),
    "identity": (nn.Identity(), IMAGE),
    "bilinear_attention": (nn.MultiheadAttention(8, 2, batch_first=True), None),
    "transformer": (nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), (9, 8)),
    "transformer_norm_first": (
        nn.TransformerEncoderLayer(8, 2, 16, batch_first=True, norm_first=True, activation="gelu"),
        (9, 8),
    ),
    "weight_norm": (nn.utils.parametrizations.weight_norm(nn.Conv1d(4, 6, 3)), SOUND),
}


@pytest.mark.parametrize("name", [name for name, (_, shape) in LAYERS.items() if shape])
def test_layer(name):
    layer, shape = LAYERS[name]
    check(layer, shape)


FUNCTIONS = {
    "add": (lambda x, y: x + y, IMAGE, IMAGE),
    "add_alpha": (lambda x, y: torch.add(x, y, alpha=0.5), IMAGE, IMAGE),
    "add_broadcast": (lambda x, y: x + y, IMAGE, (4, 1, 1)),
    "sub": (lambda x, y: x - y, IMAGE, (1, 9, 8)),
    "rsub": (lambda x: 1.5 - x, IMAGE),
    "mul": (lambda x, y: x * y, IMAGE, IMAGE),
    "div": (lambda x, y: x / (y.abs() + 1), IMAGE, IMAGE),
    "scalars": (lambda x: (2 * x + 3) / 4 - 1, IMAGE),
    "floor_divide": (lambda x: torch.div(x, 0.3, rounding_mode="floor"), IMAGE),
    "in_place": (lambda x: (x * 1.5).add_(1).mul_(x).relu_(), IMAGE),
    "pow": (lambda x: x**2 + x.abs() ** 1.5 + x**3, IMAGE),
    "addcmul": (lambda x, y: torch.addcmul(x, x, y, value=0.5), IMAGE, IMAGE),
    "maximum": (lambda x, y: torch.maximum(x, y) - torch.minimum(x, y), IMAGE, IMAGE),
    "max_of_two": (lambda x, y: torch.max(x, y), IMAGE, IMAGE),
    "clamp": (lambda x: x.clamp(min=-0.5) + x.clamp(max=0.3) + x.clamp(-1, 1), IMAGE),
    "trigonometry": (lambda x: torch.sin(x) * torch.cos(x) + torch.erf(x), IMAGE),
    "rounding": (lambda x: torch.floor(x) + torch.ceil(x) + torch.round(x) + torch.sign(x), IMAGE),
    "exp": (lambda x: torch.exp(-x.abs()), IMAGE),
    "roots": (lambda x: torch.log(x) + torch.sqrt(x) + torch.rsqrt(x) + torch.reciprocal(x), IMAGE),
    "log1p": (lambda x: torch.log1p(x), IMAGE),
    "square": (lambda x: torch.square(x) - torch.neg(x), IMAGE),
    "cat": (lambda x, y: torch.cat([x, y, x], 1), IMAGE, (2, 9, 8)),
    "stack": (lambda x, y: torch.stack([x, y], 2), IMAGE, IMAGE),
    "split": (lambda x: torch.split(x, 3, dim=2)[1] * 2, IMAGE),
    "split_sizes": (lambda x: x.split([1, 3], 1)[::-1], IMAGE),
    "chunk": (lambda x: x.chunk(3, -1)[2], IMAGE),
    "tensor_split": (lambda x: x.tensor_split(3, 2)[0], IMAGE),
    "unbind": (lambda x: x.unbind(1)[2], IMAGE),
    "slice": (lambda x: x[:, 1:3, ::2, -5:-1], IMAGE),
    "select": (lambda x: x[:, 1] + x[:, -1], IMAGE),
    "narrow": (lambda x: x.narrow(2, 3, 4), IMAGE),
    "index": (lambda x: x[:, [2, 0, 1, 2]], IMAGE),
    "index_of_two_axes": (lambda x: x[:, [1, 2], [0, 3]], IMAGE),
    "index_select": (lambda x: x.index_select(3, torch.tensor([7, 0, 3])), IMAGE),
    "flip": (lambda x: x.flip(1, 3), IMAGE),
    "roll": (lambda x: x.roll((1, -2), (1, 3)), IMAGE),
    "view": (lambda x: x.view(x.size(0), 2, 2, -1), IMAGE),
    "reshape": (lambda x: x.reshape(-1, 9, 8).reshape(x.shape[0], -1, 8), IMAGE),
    "transpose": (lambda x: x.transpose(1, 3).contiguous(), IMAGE),
    "permute": (lambda x: x.permute(0, 2, 3, 1), IMAGE),
    "batch_in_the_middle": (lambda x: x.permute(1, 0, 2, 3).reshape(4, -1, 72).permute(1, 0, 2), IMAGE),
    "movedim": (lambda x: x.movedim(1, -1), IMAGE),
    "mt": (lambda x: x.mT, IMAGE),
    "squeeze": (lambda x: x.unsqueeze(1).squeeze(1).unsqueeze(-1), IMAGE),
    "expand": (lambda x: x.mean(1, keepdim=True).expand(-1, 4, -1, -1) * 2, IMAGE),
    "expand_as": (lambda x, y: y.expand_as(x) * 1.5, IMAGE, (1, 9, 8)),
    "repeat": (lambda x: x.repeat(1, 2, 1, 3), IMAGE),
    "tile": (lambda x: x.tile(2), IMAGE),
    "repeat_interleave": (lambda x: x.repeat_interleave(3, 1), IMAGE),
    "flatten_batch": (lambda x: x.flatten(0, 1).unflatten(0, (-1, 4)), IMAGE),
    "mean": (lambda x: x.mean((2, 3)), IMAGE),
    "sum": (lambda x: x.sum(1, keepdim=True), IMAGE),
    "amax": (lambda x: x.amax((1, 2)) - x.amin((1, 2)), IMAGE),
    "max_along": (lambda x: x.max(1).values + x.min(1)[0], IMAGE),
    "prod": (lambda x: x.prod(1), IMAGE),
    "norm": (lambda x: x / x.norm(dim=1, keepdim=True), IMAGE),
    "normalize": (lambda x: F.normalize(x, p=1.0), IMAGE),
    "norm_inf": (lambda x: torch.linalg.vector_norm(x, ord=torch.inf, dim=(1, 2)), IMAGE),
    "var": (lambda x: x.var((2, 3)) + x.var(1, unbiased=False, keepdim=True).mean((2, 3)), IMAGE),
    "std": (lambda x: x.std(1), IMAGE),
    "logsumexp": (lambda x: torch.logsumexp(x, 1), IMAGE),
    "matmul": (lambda x, y: x @ y, (9, 8), (8, 3)),
    "matmul_broadcast": (lambda x, y: x @ y.unsqueeze(1), IMAGE, (8, 5)),
    "bmm": (lambda x, y: torch.bmm(x, y), (9, 8), (8, 3)),
    "einsum": (lambda x, y: torch.einsum("bij,bkj->bik", x, y), (9, 8), (3, 8)),
    "attention": (lambda x, y: F.scaled_dot_product_attention(x, y, y), (2, 9, 8), (2, 7, 8)),
    "causal_attention": (lambda x: F.scaled_dot_product_attention(x, x, x, is_causal=True), (2, 9, 8)),
    "masked_fill": (lambda x: x.masked_fill(torch.eye(8, dtype=torch.bool), 2.0), (8, 8)),
    "masked_softmax": (
        lambda x: x.masked_fill(torch.ones(8, 8).triu(1).bool(), float("-inf")).softmax(-1),
        (8, 8),
    ),
    "minus_infinity": (lambda x: (x + torch.full((8, 8), -torch.inf).triu(1)).softmax(-1), (8, 8)),
    "attention_with_mask": (
        lambda x: F.scaled_dot_product_attention(x, x, x, torch.full((9, 9), -torch.inf).triu(1)),
        (2, 9, 8),
    ),
    "where": (lambda x: torch.where(torch.eye(8, dtype=torch.bool), x, -x), (8, 8)),
    "pad_channels": (lambda x: F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, 2, 2)), IMAGE),
    "interpolate": (lambda x, y: F.interpolate(x, size=y.shape[2:], mode="bilinear"), IMAGE, (4, 18, 11)),
    "channel_shuffle_by_hand": (
        lambda x: x.view(x.size(0), 2, 2, 9, 8).transpose(1, 2).reshape(x.size(0), 4, 9, 8),
        IMAGE,
    ),
    "write_a_slice": (lambda x: _with_zeros(x), IMAGE),
    "shift": (lambda x: _shifted(x), IMAGE),
    "coordinates": (
        lambda x: torch.cat([x, torch.linspace(-1, 1, 8).expand(x.size(0), 1, 9, 8)], 1),
        IMAGE,
    ),
    "no_grad": (lambda x: _without_gradient(x), IMAGE),
    "dropout_function": (lambda x: F.dropout(x, 0.5, training=False), IMAGE),
}


def _with_zeros(x):
    x = x.clone()
    x[:, 1:3] = 0.5
    x[:, 0] *= 2
    return x


def _shifted(x):
    out = torch.zeros_like(x)
    out[:, :2, 1:] = x[:, :2, :-1]
    out[:, 2:] = x[:, 2:]
    return out


def _without_gradient(x):
    with torch.no_grad():
        y = x * 2
    return x + y


@pytest.mark.parametrize("name", FUNCTIONS)
def test_function(name):
    function, *shapes = FUNCTIONS[name]
    check(Function(function), *shapes, positive=name in ("roots", "log1p"))


def test_parameters_are_operands_of_any_operator():
    def forward(x, scale, shift, token):
        x = x * scale + shift
        return torch.cat([token.expand(x.size(0), -1, -1), x.flatten(2)], 1)

    check(Function(forward, [(4, 1, 1), (1, 4, 9, 8), (1, 2, 72)]), IMAGE)


def test_a_position_table_is_picked_from_by_a_constant_index():
    index = torch.arange(16).view(4, 4) % 5

    def forward(x, table, index):
        return x @ x.mT + table[index.view(-1)].view(4, 4, -1).permute(2, 0, 1)

    model = check(Function(forward, [(5, 2)], [index]), (2, 4, 3))
    assert "gather" in {node.op for node in model.graph.nodes}
    assert "b0" not in model.weights


def test_constants_are_computed_while_importing():
    def forward(x):
        grid = torch.arange(8.0).view(1, 8) * torch.arange(9.0).view(9, 1)
        mask = x.new_zeros(9, 8)
        mask[2:4] = 1
        return x + grid.sin() * mask

    model = check(Function(forward), IMAGE)
    assert [node.op for node in model.graph.nodes] == ["add"]


def test_two_inputs_and_several_outputs_by_name():
    class Fusion(nn.Module):
        def __init__(self):
            super().__init__()
            self.image, self.sound = nn.Conv2d(4, 3, 3), nn.Conv1d(4, 3, 3)

        def forward(self, image, sound):
            both = self.image(image).mean((2, 3)) + self.sound(sound).mean(2)
            return {"both": both, "parts": (both * 2, both.softmax(1))}

    model = lc.from_torch(Fusion(), (torch.zeros(1, *IMAGE), torch.zeros(1, *SOUND)))
    assert [value.name for value in model.inputs] == ["image", "sound"]
    assert [value.shape for value in model.outputs] == [(1, 3)] * 3


def test_keyword_inputs():
    class Sum(nn.Module):
        def forward(self, x, y=None):
            return x + y

    model = lc.from_torch(Sum(), torch.zeros(1, 4), {"y": torch.zeros(1, 4)})
    assert len(model.inputs) == 2


def test_names_are_those_of_the_module():
    block = nn.Sequential(nn.Conv2d(4, 4, 1), nn.BatchNorm2d(4), nn.ReLU())
    model = lc.from_torch(nn.Sequential(block, nn.Flatten(), nn.Linear(288, 2)), torch.zeros(1, *IMAGE))
    assert [node.name for node in model.graph.nodes] == ["0.0", "0.1", "0.2", "1", "2"]
    assert "0.1.running_mean" in model.weights


def test_tied_parameters_are_one():
    class Tied(nn.Module):
        def __init__(self):
            super().__init__()
            self.encoder, self.decoder = nn.Linear(12, 5, bias=False), nn.Linear(12, 5, bias=False)
            self.decoder.weight = self.encoder.weight

        def forward(self, x):
            return F.linear(self.encoder(x), self.decoder.weight.t())

    assert list(check(Tied(), VECTOR).weights) == ["encoder.weight"]


def test_a_module_that_computes_with_the_batch_as_a_number():
    def forward(x):
        batch = int(x.shape[0])
        return x.reshape(batch * 4, 72).reshape(batch, 4 * 72) * 2

    check(Function(forward), IMAGE)


def test_a_fixed_batch_is_kept():
    module = Function(lambda x: x.reshape(8, 72) * 2)
    model = lc.from_torch(module, torch.zeros(2, *IMAGE), batch="fixed")
    assert model.inputs[0].shape == (2, *IMAGE)
    assert "reshape" in model.fixed_batch_reason
    assert model.run(np.ones((2, *IMAGE), np.float32)).shape == (8, 72)
    with pytest.raises(lc.Error):
        model.run(np.ones((4, *IMAGE), np.float32))


def test_training_mode_is_what_it_was():
    module = nn.Sequential(nn.BatchNorm2d(4), nn.Dropout())
    module[1].eval()
    lc.from_torch(module, torch.zeros(1, *IMAGE))
    assert module.training and module[0].training and not module[1].training


def test_everything_unsupported_is_told_at_once():
    class Odd(nn.Module):
        def __init__(self):
            super().__init__()
            self.head = Function(lambda x: torch.cumsum(x, 1))
            self.tail = Function(lambda x: torch.argsort(x, 1).float())

        def forward(self, x):
            return self.tail(self.head(x) * 2)

    with pytest.raises(lc.Error) as caught:
        lc.from_torch(Odd(), torch.zeros(1, 12))
    message = str(caught.value)
    assert caught.value.kind == "input"
    assert "aten.cumsum in 'head'" in message
    assert "aten.conv2d" in message  # of what is supported
    listing = lc.list_torch(Odd(), torch.zeros(1, 12))
    assert [(node.name, node.op, node.supported) for node in listing] == [
        ("head", "aten.cumsum", False),
        ("the module itself", "aten.mul", True),
        ("tail", "aten.sort", False),
        ("tail", "aten._to_copy", True),
    ]


def test_what_torch_export_refuses_is_told_with_its_reason():
    module = Function(lambda x: x * 2 if x.sum() > 0 else x)
    with pytest.raises(lc.Error, match=r"torch\.export cannot trace it") as caught:
        lc.from_torch(module, torch.zeros(1, 12))
    assert caught.value.kind == "input"


def test_other_types_are_refused():
    with pytest.raises(lc.Error, match="float32"):
        lc.from_torch(nn.Embedding(3, 4), torch.zeros(1, 2, dtype=torch.int64))
    with pytest.raises(lc.Error, match="float32"):
        lc.from_torch(nn.Linear(3, 4).double(), torch.zeros(1, 3, dtype=torch.float64))


def test_an_unknown_batch_is_an_error_of_kind_usage():
    with pytest.raises(lc.Error) as caught:
        lc.from_torch(nn.ReLU(), torch.zeros(1, 2), batch="some")
    assert caught.value.kind == "usage"


def test_writes_in_place_are_seen_where_others_read_the_tensor():
    """The residual reads what the activation wrote into it."""

    def forward(x, weight):
        y = F.conv2d(x, weight)
        return F.relu(y, inplace=True) * 2 + y

    check(Function(forward, [(4, 4, 1, 1)]), IMAGE)


def test_writes_into_a_view_change_what_is_behind_it():
    def forward(x, weight):
        y = F.conv2d(x, weight)
        y[:, :2].relu_()
        y.view(y.size(0), -1).mul_(0.5)
        return y

    check(Function(forward, [(4, 4, 1, 1)]), IMAGE)
