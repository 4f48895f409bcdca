"""Random weights with which every channel of a network matters.

Fresh networks hide mistakes: biases and running means are 0, running variances 1, layer scales 1e-6, and the
activations of deep ones fade. Here every layer's output has a standard deviation near 1 on the test's own
inputs, and no bias, mean or scale is trivial.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

CONVS = (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
LINEAR = (nn.Linear, *CONVS)
BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
OTHER_NORMS = (nn.LayerNorm, nn.GroupNorm, nn.InstanceNorm1d, nn.InstanceNorm2d, nn.InstanceNorm3d)


def settle(network: nn.Module, inputs: Sequence[Tensor], seed: int = 0) -> nn.Module:
    """Sets all weights and running statistics in place, in one forward pass. Ends in eval mode."""
    torch.manual_seed(seed)
    network.eval()
    with torch.no_grad():
        hooks = []
        for module in network.modules():
            _draw_own(module)
            if isinstance(module, LINEAR + BATCH_NORMS):
                hooks.append(_once(module, _scale if isinstance(module, LINEAR) else _measure))
        network(*inputs)
        for hook in hooks:
            hook.remove()
    return network


def _draw_own(module: nn.Module) -> None:
    """Parameters of this module itself."""
    if isinstance(module, LINEAR):
        if not nn.utils.parametrize.is_parametrized(module):
            if not module.weight.std() > 0:
                module.weight.normal_()
            if module.bias is not None:
                module.bias.zero_()  # drawn in _scale, when the weights have theirs
    elif isinstance(module, BATCH_NORMS + OTHER_NORMS):
        if module.weight is not None:
            module.weight.uniform_(0.5, 1.5)
        if module.bias is not None:
            module.bias.normal_(0.0, 0.3)
    elif isinstance(module, nn.PReLU):
        module.weight.uniform_(0.1, 0.4)
    else:
        for parameter in module.parameters(recurse=False):
            spread = parameter.std() if parameter.numel() > 1 else torch.tensor(0.0)
            if parameter.numel() > 1 and spread < 0.05 and parameter.abs().mean() < 0.05:
                _draw_trivial(parameter)


def _draw_trivial(parameter: Tensor) -> None:
    """Tokens, tables and layer scales start at (nearly) nothing; projections stay small."""
    if parameter.dim() == 2 and min(parameter.shape) > 32:
        parameter.normal_(0.0, parameter.shape[1] ** -0.5)
    else:
        parameter.uniform_(0.4, 0.8)
        parameter.mul_(torch.randint(0, 2, parameter.shape) * 2.0 - 1.0)


def _once(module: nn.Module, action):
    """A hook that sets the module's weights from its first output, and gives back what it puts out now."""
    used = False

    def hook(owner: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
        nonlocal used
        if used:
            return output
        used = True
        return action(owner, inputs[0], output)

    return module.register_forward_hook(hook)


def _scale(layer: nn.Module, _: Tensor, output: Tensor) -> Tensor:
    deviation = output.std()
    if nn.utils.parametrize.is_parametrized(layer) or not deviation > 0:
        return output
    layer.weight /= deviation
    output = output / deviation
    if layer.bias is None:
        return output
    layer.bias.normal_(0.0, 0.3)
    channels_last = isinstance(layer, nn.Linear)
    return output + (layer.bias if channels_last else layer.bias.view(-1, *[1] * (output.dim() - 2)))


def _measure(norm: nn.Module, x: Tensor, _: Tensor) -> Tensor:
    """Running statistics near those of the data, but not the same.

    A channel that hardly varies would be blown up, and with it the rounding errors of all layers before: no
    variance falls below a part of the whole tensor's.
    """
    axes = [axis for axis in range(x.dim()) if axis != 1]
    variance = x.var(axes).maximum(0.5 * x.var())
    norm.running_mean.copy_(x.mean(axes) + 0.2 * variance.sqrt() * torch.randn_like(variance))
    norm.running_var.copy_(variance * torch.empty_like(variance).uniform_(0.7, 1.4))
    return norm.forward(x)  # not norm(x), which would call this hook
