"""Small float .tflite files, one or a few operators each, to compare with LiteRT.

CASES maps a name to a Network. Inputs are normal numbers unless POSITIVE names the case.
"""

from __future__ import annotations

from itertools import product

import numpy as np
from ai_edge_litert.schema_py_generated import ActivationFunctionType as Activation
from ai_edge_litert.schema_py_generated import MirrorPadMode, Padding, TensorType
from tflite_files import Network

UNARY = """ABS CEIL COS ELU EXP FLOOR HARD_SWISH LOG LOGISTIC LOG_SOFTMAX NEG RELU RELU6 RELU_0_TO_1
  RELU_N1_TO_1 ROUND RSQRT SIGN SIN SQRT SQUARE TANH"""

CASES: dict[str, Network] = {}
POSITIVE = {"log", "sqrt", "rsqrt", "pow", "log_of_sum"}
PERMUTES: dict[str, int] = {}  # how many a case needs


def case(name: str, network: Network, permutes: int | None = None) -> None:
    CASES[name] = network
    if permutes is not None:
        PERMUTES[name] = permutes


def int32(*values) -> np.ndarray:
    return np.asarray(values, np.int32)


def conv(net: Network, x: int, weight: int, padding=Padding.SAME, stride=1, **options) -> int:
    """With a bias of its own."""
    options = {"dilationHFactor": 1, "dilationWFactor": 1, "strideH": stride, "strideW": stride} | options
    bias = net.weight(options.pop("channels", 0) or net.tensors[weight].shape[0])
    return net.apply("CONV_2D", x, weight, bias, kind="Conv2D", padding=padding, **options)


def convolutions() -> None:
    for stride, padding, dilation in product((1, 2, 3), (Padding.SAME, Padding.VALID), (1, 2)):
        net = Network(stride)
        y = conv(
            net,
            net.input(1, 9, 8, 3),
            net.weight(5, 3, 2, 3),
            padding,
            stride,
            dilationHFactor=dilation,
            dilationWFactor=dilation,
        )
        case(f"conv_{stride}_{padding}_{dilation}", net.finish(y), 0)
    for activation in (Activation.RELU, Activation.RELU6, Activation.RELU_N1_TO_1):
        net = Network()
        y = conv(net, net.input(1, 6, 5, 2), net.weight(4, 3, 3, 2), fusedActivationFunction=activation)
        case(f"conv_activation_{activation}", net.finish(y), 0)
    net = Network()
    case("conv_groups", net.finish(conv(net, net.input(1, 6, 5, 4), net.weight(6, 3, 3, 2))), 0)
    for multiplier, stride, dilation in ((1, 1, 1), (1, 2, 1), (3, 1, 1), (2, 1, 2)):
        net = Network(multiplier)
        x, outputs = net.input(1, 9, 8, 4), 4 * multiplier
        y = net.apply(
            "DEPTHWISE_CONV_2D",
            x,
            net.weight(1, 3, 3, outputs),
            net.weight(outputs),
            kind="DepthwiseConv2D",
            padding=Padding.SAME,
            strideH=stride,
            strideW=stride,
            depthMultiplier=multiplier,
            dilationHFactor=dilation,
            dilationWFactor=dilation,
        )
        case(f"depthwise_{multiplier}_{stride}_{dilation}", net.finish(y), 0)
    for stride, padding, extents in (
        (1, Padding.SAME, (5, 4)),
        (2, Padding.SAME, (10, 8)),
        (2, Padding.SAME, (9, 7)),
        (2, Padding.VALID, (11, 9)),
        (2, Padding.VALID, (12, 10)),
        (3, Padding.VALID, (15, 12)),
    ):
        net = Network(stride)
        x = net.input(1, 5, 4, 3)
        y = net.apply(
            "TRANSPOSE_CONV",
            net.constant(int32(1, *extents, 6)),
            net.weight(6, 3, 3, 3),
            x,
            net.weight(6),
            version=3,
            padding=padding,
            strideH=stride,
            strideW=stride,
        )
        case(f"transpose_conv_{stride}_{padding}_{extents[0]}", net.finish(y), 0)


def matrices() -> None:
    for shape, keeps in (((1, 12), False), ((1, 3, 12), True), ((2, 3, 12), False), ((1, 2, 2, 3), False)):
        net = Network()
        y = net.apply(
            "FULLY_CONNECTED",
            net.input(*shape),
            net.weight(5, 12),
            net.weight(5),
            keepNumDims=keeps,
            fusedActivationFunction=Activation.RELU,
        )
        case(f"fully_connected_{len(shape)}_{keeps}", net.finish(y))
    net = Network()
    case(
        "fully_connected_plain",
        net.finish(net.apply("FULLY_CONNECTED", net.input(1, 12), net.weight(5, 12), -1)),
    )
    for a, b in product((False, True), (False, True)):
        net = Network()
        x, y = net.input(2, *((4, 3) if a else (3, 4))), net.input(2, *((5, 4) if b else (4, 5)))
        case(
            f"batch_matmul_{a}_{b}",
            net.finish(net.apply("BATCH_MATMUL", x, y, kind="BatchMatMul", adjX=a, adjY=b)),
        )
    net = Network()
    x = net.input(1, 3, 4, 5)
    y = net.apply("BATCH_MATMUL", x, net.apply("SOFTMAX", x, beta=1.0), kind="BatchMatMul", adjY=True)
    case("batch_matmul_of_images", net.finish(y))


def pools() -> None:
    for op, stride, padding, kernel in product(
        ("AVERAGE_POOL_2D", "MAX_POOL_2D"), (1, 2), (Padding.SAME, Padding.VALID), ((2, 2), (3, 4))
    ):
        net = Network()
        y = net.apply(
            op,
            net.input(1, 7, 8, 3),
            kind="Pool2D",
            padding=padding,
            strideH=stride,
            strideW=stride,
            filterHeight=kernel[0],
            filterWidth=kernel[1],
        )
        case(f"{op.lower()}_{stride}_{padding}_{kernel[0]}", net.finish(y), 0)


def elementwise() -> None:
    for op in UNARY.split():
        net = Network()
        case(op.lower(), net.finish(net.apply(op, net.input(1, 4, 5, 3))), 0)
    for name, op, options in (
        ("leaky_relu", "LEAKY_RELU", {"alpha": 0.3}),
        ("gelu", "GELU", {"approximate": False}),
        ("gelu_tanh", "GELU", {"approximate": True}),
        ("softmax", "SOFTMAX", {"beta": 1.0}),
        ("softmax_beta", "SOFTMAX", {"beta": 0.5}),
        ("l2_normalization", "L2_NORMALIZATION", {"kind": "L2Norm"}),
    ):
        net = Network()
        case(name, net.finish(net.apply(op, net.input(1, 4, 5, 3), **options)), 0)
    net = Network()
    case("prelu", net.finish(net.apply("PRELU", net.input(1, 4, 5, 3), net.weight(1, 1, 3))), 0)
    net = Network()
    case("prelu_of_pixels", net.finish(net.apply("PRELU", net.input(1, 4, 5, 3), net.weight(4, 5, 3))), 0)


def binary() -> None:
    for op in ["ADD", "SUB", "MUL", "DIV", "POW", "MAXIMUM", "MINIMUM", "SQUARED_DIFFERENCE"]:
        net = Network()
        case(op.lower(), net.finish(net.apply(op, net.input(1, 4, 5, 3), net.input(1, 4, 5, 3))), 0)
    for name, shape in (
        ("channels", (3,)),
        ("pixels", (4, 5, 1)),
        ("one", ()),
        ("columns", (5, 1)),
        ("rows", (1, 4, 1, 1)),
    ):
        net = Network()
        case(f"add_{name}", net.finish(net.apply("ADD", net.input(1, 4, 5, 3), net.weight(*shape))), 0)
    net = Network()
    case(
        "sub_from_one",
        net.finish(net.apply("SUB", net.weight(), net.input(1, 4, 5, 3), fusedActivationFunction=1)),
        0,
    )
    net = Network()
    case("mul_excitation", net.finish(net.apply("MUL", net.input(1, 4, 5, 3), net.input(1, 1, 1, 3))), 0)
    net = Network()
    case("add_rank_3", net.finish(net.apply("ADD", net.input(1, 4, 5, 3), net.input(1, 5, 3))))
    net = Network()
    x = net.input(1, 4, 5, 3)
    case("add_n", net.finish(net.apply("ADD_N", x, net.input(1, 4, 5, 3), x)), 0)


def reductions() -> None:
    for op, keep in product(("MEAN", "SUM", "REDUCE_MAX", "REDUCE_MIN", "REDUCE_PROD"), (False, True)):
        for axes in ((1, 2), (3,), (-2,)):
            net = Network()
            y = net.apply(
                op, net.input(1, 4, 5, 3), net.constant(int32(*axes)), kind="Reducer", keepDims=keep
            )
            case(f"{op.lower()}_{keep}_{axes[0]}", net.finish(y), 0 if 3 in axes or 1 in axes else None)


def joining() -> None:
    for axis in (1, 2, 3, -1):
        net = Network()
        shapes = [[1, 4, 5, 3], [1, 4, 5, 3]]
        shapes[1][axis] += 2
        y = net.apply("CONCATENATION", *(net.input(*each) for each in shapes), axis=axis)
        case(f"concatenation_{axis}", net.finish(y), 0)
    net = Network()
    case(
        "concatenation_of_constant",
        net.finish(net.apply("CONCATENATION", net.input(1, 4, 5, 3), net.weight(1, 4, 5, 2), axis=3)),
    )
    for axis in (0, 1, -1):
        net = Network()
        y = net.apply("PACK", net.input(1, 4, 3), net.input(1, 4, 3), axis=axis, valuesCount=2)
        case(f"pack_{axis}", net.finish(y))
    for axis in (1, 3):
        net = Network()
        y = net.apply("SPLIT", net.constant(int32(axis)[0]), net.input(1, 4, 5, 6), outputs=2, numSplits=2)
        case(f"split_{axis}", net.finish(*y), 0)
    net = Network()
    y = net.apply(
        "SPLIT_V",
        net.input(1, 4, 5, 6),
        net.constant(int32(1, -1, 2)),
        net.constant(int32(3)[0]),
        outputs=3,
        kind="SplitV",
        numSplits=3,
    )
    case("split_v", net.finish(*y), 0)
    for axis in (1, 2, 3):
        net = Network()
        extent = (1, 2, 3, 4)[axis]
        y = net.apply("UNPACK", net.input(1, 2, 3, 4), outputs=extent, num=extent, axis=axis)
        case(f"unpack_{axis}", net.finish(*y))


def moving() -> None:
    def one(name: str, op: str, *constants, shape=(1, 4, 5, 3), permutes=None, **options) -> None:
        net = Network()
        y = net.apply(op, net.input(*shape), *(net.constant(each) for each in constants), **options)
        case(name, net.finish(y), permutes)

    one("slice", "SLICE", int32(0, 1, 0, 1), int32(1, 2, -1, 2), permutes=0)
    one(
        "strided_slice",
        "STRIDED_SLICE",
        int32(0, 3, 0, 0),
        int32(1, 0, 5, 2),
        int32(1, -2, 2, 1),
        beginMask=0,
    )
    one(
        "strided_slice_masks",
        "STRIDED_SLICE",
        int32(0, 1, 0, 1),
        int32(0, -1, 0, 2),
        int32(1, 1, 2, 1),
        beginMask=1,
        endMask=5,
        shrinkAxisMask=8,
    )
    one(
        "strided_slice_ellipsis",
        "STRIDED_SLICE",
        int32(0, 0, -1),
        int32(0, 0, 0),
        int32(1, 1, 1),
        ellipsisMask=1,
        newAxisMask=2,
        shrinkAxisMask=4,
        shape=(1, 4, 3),
    )
    for axis in (1, 3):
        one(f"gather_{axis}", "GATHER", int32(2, 0, 1, 2), axis=axis, permutes=0)
    one("gather_one", "GATHER", int32(2)[0], axis=3)
    one("gather_matrix", "GATHER", int32((0, 1), (2, 2)), axis=2)
    one("reverse", "REVERSE_V2", int32(2), permutes=0)
    one("pad", "PAD", int32((0, 0), (1, 2), (0, 1), (2, 0)), permutes=0)
    one("padv2", "PADV2", int32((0, 0), (1, 2), (0, 1), (2, 0)), np.float32(-1.5), permutes=0)
    for mode in (MirrorPadMode.REFLECT, MirrorPadMode.SYMMETRIC):
        one(f"mirror_pad_{mode}", "MIRROR_PAD", int32((0, 0), (2, 1), (1, 2), (0, 1)), mode=mode, permutes=0)
    one("reshape", "RESHAPE", int32(1, 20, 3))
    one("reshape_open", "RESHAPE", int32(-1, 60), permutes=1)
    one("reshape_to_image", "RESHAPE", int32(1, 6, 10, 1), shape=(1, 60), permutes=0)
    one("squeeze", "SQUEEZE", shape=(1, 4, 1, 3), squeezeDims=[2])
    one("squeeze_all", "SQUEEZE", shape=(2, 1, 4, 1))
    one("expand_dims", "EXPAND_DIMS", int32(1)[0], shape=(1, 4, 3))
    one("expand_dims_last", "EXPAND_DIMS", int32(-1)[0], shape=(1, 4, 3))
    one("transpose", "TRANSPOSE", int32(0, 2, 1, 3), permutes=1)
    one("transpose_rank_3", "TRANSPOSE", int32(0, 2, 1), shape=(1, 4, 3), permutes=1)
    one("tile", "TILE", int32(1, 2, 1, 3), permutes=0)
    one("broadcast_to", "BROADCAST_TO", int32(1, 4, 5, 3), shape=(1, 1, 5, 1), permutes=0, version=2)
    one("broadcast_to_rank_4", "BROADCAST_TO", int32(2, 4, 5, 3), shape=(4, 5, 3), version=2)
    for aligns, centers in ((False, False), (True, False), (False, True)):
        for size in ((7, 9), (2, 3), (8, 10)):
            one(
                f"resize_bilinear_{aligns}_{centers}_{size[0]}",
                "RESIZE_BILINEAR",
                int32(*size),
                permutes=0,
                alignCorners=aligns,
                halfPixelCenters=centers,
            )
            one(
                f"resize_nearest_{aligns}_{centers}_{size[0]}",
                "RESIZE_NEAREST_NEIGHBOR",
                int32(*size),
                permutes=0,
                alignCorners=aligns,
                halfPixelCenters=centers,
            )
    one("depth_to_space", "DEPTH_TO_SPACE", shape=(1, 3, 4, 8), blockSize=2, permutes=0)
    one("space_to_depth", "SPACE_TO_DEPTH", shape=(1, 4, 6, 3), blockSize=2, permutes=0)


def constants() -> None:
    net = Network()
    weight = net.apply("DEQUANTIZE", net.weight(5, 3, 3, 2, dtype="float16"))
    case("float16_weights", net.finish(conv(net, net.input(1, 6, 5, 2), weight, channels=5)), 0)
    net = Network()
    stored = net.quantize(net.constant(net.random.integers(-127, 128, (5, 12)), "int8"), 0.02)
    y = net.apply("FULLY_CONNECTED", net.input(1, 12), net.apply("DEQUANTIZE", stored), -1)
    case("int8_weights_dequantized", net.finish(y))
    net = Network()
    weight = net.apply("TRANSPOSE", net.weight(12, 5), net.constant(int32(1, 0)))
    case("transposed_weights", net.finish(net.apply("FULLY_CONNECTED", net.input(1, 12), weight, -1)))
    net = Network()
    x = net.input(1, 3, 4, 2)
    extents = net.apply("SHAPE", x, outType=TensorType.INT32, dtype="int32")
    batch = net.apply(
        "STRIDED_SLICE",
        extents,
        *(net.constant(int32(each)) for each in (0, 1, 1)),
        shrinkAxisMask=1,
        dtype="int32",
    )
    shape = net.apply("PACK", batch, net.constant(int32(24)[0]), axis=0, valuesCount=2, dtype="int32")
    case("computed_shape", net.finish(net.apply("RESHAPE", x, shape)), 1)
    net = Network()
    weight = net.weight(3, 3)
    x = net.apply("FULLY_CONNECTED", net.input(1, 3), weight, -1)
    case("shared_weights", net.finish(net.apply("FULLY_CONNECTED", x, weight, -1)))


def networks() -> None:
    net = Network()
    x = conv(net, net.input(1, 8, 6, 3), net.weight(4, 3, 3, 3), fusedActivationFunction=1)
    x = net.apply("RESHAPE", x, net.constant(int32(-1, 192)))
    case(
        "flatten_before_linear",
        net.finish(net.apply("FULLY_CONNECTED", x, net.weight(5, 192), net.weight(5))),
        1,
    )
    net = Network()
    x = conv(net, net.input(1, 8, 6, 3), net.weight(4, 3, 3, 3))
    x = net.apply("MEAN", x, net.constant(int32(1, 2)), kind="Reducer", keepDims=False)
    case(
        "mean_before_linear", net.finish(net.apply("FULLY_CONNECTED", x, net.weight(5, 4), net.weight(5))), 0
    )
    net = Network()
    x = net.apply("EXPAND_DIMS", net.input(1, 16, 3), net.constant(int32(1)[0]))
    x = net.apply("SQUEEZE", conv(net, x, net.weight(4, 1, 3, 3)), squeezeDims=[1])
    x = net.apply("EXPAND_DIMS", net.apply("RELU", x), net.constant(int32(-3)[0]))
    x = net.apply("SQUEEZE", conv(net, x, net.weight(6, 1, 3, 4), stride=2), squeezeDims=[1])
    case(
        "convolutions_of_sequences",
        net.finish(net.apply("REDUCE_MAX", x, net.constant(int32(1)), kind="Reducer")),
        1,
    )
    net = Network()
    x = conv(net, net.input(1, 6, 4, 4), net.weight(6, 1, 1, 4))
    x = net.apply("RESHAPE", x, net.constant(int32(1, 6, 4, 2, 3)))
    x = net.apply("TRANSPOSE", x, net.constant(int32(0, 1, 2, 4, 3)))
    x = net.apply("RESHAPE", x, net.constant(int32(1, 6, 4, 6)))
    case("shuffle_of_channels", net.finish(conv(net, x, net.weight(3, 1, 1, 6))), 0)
    net = Network()
    x = net.input(1, 5, 4, 3)
    there = net.apply("TRANSPOSE", x, net.constant(int32(0, 3, 1, 2)))
    back = net.apply("TRANSPOSE", net.apply("TANH", there), net.constant(int32(0, 2, 3, 1)))
    case("transposes_that_cancel", net.finish(conv(net, back, net.weight(2, 3, 3, 3))), 0)
    net = Network()
    x = conv(net, net.input(1, 6, 5, 3), net.weight(4, 3, 3, 3))
    s = net.apply("MEAN", x, net.constant(int32(1, 2)), kind="Reducer", keepDims=True)
    s = net.apply("LOGISTIC", conv(net, conv(net, s, net.weight(2, 1, 1, 4)), net.weight(4, 1, 1, 2)))
    case("excitation", net.finish(net.apply("MUL", x, s)), 0)
    net = Network()
    x = net.input(1, 6, 8)
    q, k, v = (
        net.apply("FULLY_CONNECTED", x, net.weight(8, 8), net.weight(8), keepNumDims=True) for _ in range(3)
    )
    heads = []
    for each in (q, k, v):
        split = net.apply("RESHAPE", each, net.constant(int32(1, 6, 2, 4)))
        heads.append(net.apply("TRANSPOSE", split, net.constant(int32(0, 2, 1, 3))))
    scores = net.apply("BATCH_MATMUL", heads[0], heads[1], kind="BatchMatMul", adjY=True)
    mixed = net.apply("BATCH_MATMUL", net.apply("SOFTMAX", scores, beta=1.0), heads[2], kind="BatchMatMul")
    joined = net.apply("TRANSPOSE", mixed, net.constant(int32(0, 2, 1, 3)))
    case("attention", net.finish(net.apply("RESHAPE", joined, net.constant(int32(1, 6, 8)))))
    net = Network()
    x = net.apply("EXP", net.input(1, 4, 3))
    x = net.apply("SUM", x, net.constant(int32(1)), kind="Reducer", keepDims=True)
    case("log_of_sum", net.finish(net.apply("LOG", x)))
    net = Network()
    x = net.input(1, 4, 5, 3)
    case("unused_operator_and_output_of_input", net.finish(x, net.apply("RELU", x)))


def other_extents(random: np.random.Generator, shape: list[int], first: int) -> list[int]:
    """The same elements: axes from `first` on are merged, split, or get one of extent 1 between them."""
    axis = int(random.integers(first, len(shape)))
    kind = random.integers(3)
    if kind == 0 and axis + 1 < len(shape):
        return [*shape[:axis], shape[axis] * shape[axis + 1], *shape[axis + 2 :]]
    divisors = [each for each in range(2, shape[axis]) if shape[axis] % each == 0]
    if kind == 1 and divisors and len(shape) < 5:
        part = int(random.choice(divisors))
        return [*shape[:axis], shape[axis] // part, part, *shape[axis + 1 :]]
    if 1 in shape[first:]:
        gone = first + shape[first:].index(1)
        return shape[:gone] + shape[gone + 1 :]
    return [*shape[:axis], 1, *shape[axis:]] if len(shape) < 5 else shape


def movements(name: str, seed: int, first: int, open_batch: bool) -> None:
    """A chain of reshapes, transposes and what reads axes; axes before `first` stay where they are."""
    net = Network(seed)
    random = net.random
    shape = [1, 4, 6, 2] if seed % 2 else [1, 6, 8]
    x = net.input(*shape, open_batch=open_batch)
    for _ in range(8):
        kind = random.integers(5)
        if kind == 0 and len(shape) > first:
            shape = other_extents(random, shape, first)
            extents = [-1, *shape[1:]] if open_batch else shape
            x = net.apply("RESHAPE", x, net.constant(int32(*extents)))
        elif kind == 1:
            order = [*range(first), *(first + random.permutation(len(shape) - first))]
            x = net.apply("TRANSPOSE", x, net.constant(int32(*order)))
            shape = [shape[axis] for axis in order]
        elif kind == 2 and len(shape) == 4:
            x = conv(net, x, net.weight(4, 1, 1, shape[3]))
            shape = [*shape[:3], 4]
        elif kind == 3 and len(shape) > first:
            axis = int(random.integers(first, len(shape)))
            x = net.apply("CONCATENATION", x, net.apply("TANH", x), axis=axis)
            shape[axis] *= 2
        elif kind == 4 and shape[-1] > 1:
            x = net.apply("ADD", x, net.weight(shape[-1]))
    case(name, net.finish(net.apply("TANH", x)))


def chains() -> None:
    for seed in range(40):
        movements(f"chain_{seed}", seed, 0, False)
        movements(f"open_chain_{seed}", seed, 1, True)


for family in (
    convolutions,
    matrices,
    pools,
    elementwise,
    binary,
    reductions,
    joining,
    moving,
    constants,
    networks,
    chains,
):
    family()
