"""What a pruned network must compute, found without the library: by PyTorch, from the original module.

The removed channels' weights, biases and norm parameters are set to zero in the module itself, which is then
run as always. Norms that take statistics over channels take them over those that are left.
"""

from __future__ import annotations

import contextlib
from collections import defaultdict
from collections.abc import Iterator, Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

Removal = Mapping[str, Mapping[int, set[int]]]  # by tensor and axis: the indices that go


def removal_of(groups, plan) -> Removal:
    """What a plan removes of every tensor."""
    kept = {entry.group: set(entry.kept) for entry in plan.groups}
    removal: dict[str, dict[int, set[int]]] = defaultdict(lambda: defaultdict(set))
    for group in groups:
        gone = [i for i in range(group.size) if group.name in kept and i not in kept[group.name]]
        for member in group.members if gone else ():
            removal[member.tensor][member.axis].update(*(member.indices[i] for i in gone))
    return removal


def masked_output(network: nn.Module, inputs: tuple[Tensor, ...], removal: Removal):
    """The output of `network` with everything in `removal` zeroed; the network is left as it was."""
    with torch.no_grad(), _zeroed(network, removal), _statistics_of_the_rest(network, removal):
        return network(*inputs)


@contextlib.contextmanager
def _zeroed(network: nn.Module, removal: Removal) -> Iterator[None]:
    named = dict(network.named_parameters(remove_duplicate=False))
    before = {name: named[name].clone() for name in removal if name in named}
    try:
        for name in before:
            for axis, indices in removal[name].items():
                named[name].index_fill_(axis, torch.tensor(sorted(indices), dtype=torch.long), 0.0)
        yield
    finally:
        for name, values in before.items():
            named[name].copy_(values)


@contextlib.contextmanager
def _statistics_of_the_rest(network: nn.Module, removal: Removal) -> Iterator[None]:
    """Replaces the functions behind nn.LayerNorm and nn.GroupNorm; they know their channels by the weight."""
    masks = {}
    for name, parameter in network.named_parameters(remove_duplicate=False):
        if name in removal:
            masks[parameter.data_ptr()] = _mask(parameter, removal[name])
    plain = functional.layer_norm, functional.group_norm

    def layer_norm(x, normalized_shape, weight=None, bias=None, eps=1e-5):
        mask = masks.get(weight.data_ptr()) if weight is not None else None
        if mask is None:
            return plain[0](x, normalized_shape, weight, bias, eps)
        axes = tuple(range(x.dim() - len(normalized_shape), x.dim()))
        return _normalized(x, mask, axes, eps) * weight + (bias if bias is not None else 0.0)

    def group_norm(x, num_groups, weight=None, bias=None, eps=1e-5):
        mask = masks.get(weight.data_ptr()) if weight is not None else None
        if mask is None:
            return plain[1](x, num_groups, weight, bias, eps)
        grouped = x.reshape(x.shape[0], num_groups, x.shape[1] // num_groups, -1)
        y = _normalized(grouped, mask.view(1, num_groups, -1, 1), (2, 3), eps).reshape(x.shape)
        channels = (1, -1) + (1,) * (x.dim() - 2)
        return y * weight.view(channels) + bias.view(channels)

    functional.layer_norm, functional.group_norm = layer_norm, group_norm
    try:
        yield
    finally:
        functional.layer_norm, functional.group_norm = plain


def _mask(parameter: Tensor, axes: Mapping[int, set[int]]) -> Tensor:
    mask = torch.ones(parameter.shape)
    for axis, indices in axes.items():
        mask.index_fill_(axis, torch.tensor(sorted(indices), dtype=torch.long), 0.0)
    return mask


def _normalized(x: Tensor, mask: Tensor, axes: tuple[int, ...], eps: float) -> Tensor:
    mask = mask.expand_as(x)
    count = mask.sum(axes, keepdim=True)
    mean = (x * mask).sum(axes, keepdim=True) / count
    variance = ((x - mean).square() * mask).sum(axes, keepdim=True) / count
    return (x - mean) * torch.rsqrt(variance + eps) * mask
