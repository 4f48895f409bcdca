"""The oracle itself, on networks whose smaller form can be written down."""

import oracle
import torch
from torch import nn


def test_a_zeroed_channel_is_as_good_as_none():
    torch.manual_seed(0)
    large = nn.Sequential(nn.Conv2d(2, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 3, 1)).eval()
    small = nn.Sequential(nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3), nn.ReLU(), nn.Conv2d(3, 3, 1)).eval()
    kept = torch.tensor([0, 1, 3])
    for name, values in small.state_dict().items():
        source = large.state_dict()[name]
        axis = 1 if name == "3.weight" else 0
        values.copy_(source if values.shape == source.shape else source.index_select(axis, kept))
    x = torch.randn(2, 2, 8, 8)
    removal = {
        "0.weight": {0: {2}},
        "0.bias": {0: {2}},
        "1.weight": {0: {2}},
        "1.bias": {0: {2}},
        "3.weight": {1: {2}},
    }
    with torch.no_grad():
        before = large(x)
        torch.testing.assert_close(oracle.masked_output(large, (x,), removal), small(x))
        assert torch.equal(large(x), before), "the network must be as it was"


def test_a_layer_norm_counts_only_the_channels_that_are_left():
    torch.manual_seed(0)
    large, small = (
        nn.Sequential(nn.Linear(5, 4), nn.LayerNorm(4)),
        nn.Sequential(nn.Linear(5, 3), nn.LayerNorm(3)),
    )
    small[0].load_state_dict({name: values[:3] for name, values in large[0].state_dict().items()})
    x = torch.randn(2, 5)
    removal = {name: {0: {3}} for name in large.state_dict()}
    with torch.no_grad():
        torch.testing.assert_close(oracle.masked_output(large, (x,), removal)[:, :3], small(x))


def test_a_group_norm_counts_only_the_channels_that_are_left():
    torch.manual_seed(0)
    large = nn.Sequential(nn.Conv1d(2, 6, 1), nn.GroupNorm(2, 6))
    small = nn.Sequential(nn.Conv1d(2, 4, 1), nn.GroupNorm(2, 4))
    kept = torch.tensor([0, 2, 3, 5])
    for name, values in small.state_dict().items():
        values.copy_(large.state_dict()[name][kept])
    x = torch.randn(3, 2, 7)
    removal = {name: {0: {1, 4}} for name in large.state_dict()}
    with torch.no_grad():
        torch.testing.assert_close(oracle.masked_output(large, (x,), removal)[:, kept], small(x))
