"""Attention, from its parts."""

from __future__ import annotations

import math

import torch

from libcompress.torch_import.call import LOWEST, Call
from libcompress.torch_import.operators.registry import aten


@aten("scaled_dot_product_attention")
def attention(call: Call):
    """softmax(query key^T scale + mask) value, over the last two axes."""
    if call["enable_gqa"]:
        call.refuse("its heads share keys")
    query, key, value = (call.value(name) for name in ("query", "key", "value"))
    rank = call.rank("key")
    turned = call.permute(key, [*range(rank - 2), rank - 1, rank - 2], "key_transposed")
    width = call.shape("query")[-1].size
    scale = 1 / math.sqrt(width) if call["scale"] is None else float(call["scale"])
    products = call.emit("matmul", [query, turned], "products")
    scores = call.emit("mul", [products, call.number(scale, "scale")], "scores")
    mask = _mask(call)
    if mask is not None:
        scores = call.emit("add", [scores, mask], "masked")
    weights = call.emit("softmax", [scores], "softmax", axis=rank - 1)
    return call.emit("matmul", [weights, value])


def _mask(call: Call) -> int | None:
    """What is added to the scores."""
    if call["is_causal"]:
        rows, columns = call.shape("query")[-2].size, call.shape("key")[-2].size
        return _additive(call, torch.ones(rows, columns, dtype=torch.bool).tril())
    if not call.has("attn_mask"):
        return None
    constant = call.constant("attn_mask")
    if constant is not None:
        return _additive(call, constant)
    return call.value("attn_mask")


def _additive(call: Call, mask: torch.Tensor) -> int:
    if mask.dtype == torch.bool:
        mask = torch.zeros(mask.shape).masked_fill(~mask, LOWEST)
    return call.constant_value(mask, "mask")
