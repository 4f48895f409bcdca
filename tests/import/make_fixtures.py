"""Makes the small checkpoint files in fixtures/ with stock PyTorch and safetensors.

Run once with the project's Python: .venv/bin/python tests/import/make_fixtures.py
The files are committed, so that the tests need neither. The older format names its storages by memory
address: a second run gives other bytes of the same content.
"""

import pathlib
from collections import OrderedDict

import torch
from safetensors.torch import save_file

HERE = pathlib.Path(__file__).parent / "fixtures"


def many_kinds():
    """A state dict with every dtype we read and every way a tensor can lie in its storage."""
    base = torch.arange(24, dtype=torch.float32)
    return OrderedDict(
        plain=base.reshape(2, 3, 4).clone(),
        transposed=torch.arange(6, dtype=torch.float32).reshape(2, 3).t(),
        shared_head=base[:10],
        shared_tail=base[14:],
        every_second=base[1::2],
        expanded=torch.tensor([1.5, -2.5]).reshape(2, 1).expand(2, 3),
        scalar=torch.tensor(5),
        nothing=torch.zeros(0, 3),
        half=torch.tensor([1.0, -0.5, 65504.0, 2.0**-24], dtype=torch.float16),
        brain=torch.tensor([1.0, -3.140625], dtype=torch.bfloat16),
        double=torch.tensor([0.1, -1e300], dtype=torch.float64),
        int8=torch.tensor([-128, 127], dtype=torch.int8),
        uint8=torch.tensor([0, 255], dtype=torch.uint8),
        int16=torch.tensor([-32768, 32767], dtype=torch.int16),
        int32=torch.tensor([-(2**31), 2**31 - 1], dtype=torch.int32),
        int64=torch.tensor([-(2**63), 2**63 - 1], dtype=torch.int64),
        boolean=torch.tensor([True, False, True]),
        parameter=torch.nn.Parameter(torch.tensor([[0.25]])),
    )


def training_state():
    """What a training script saves: model, optimizer, numbers and texts."""
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3), torch.nn.BatchNorm2d(2))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    model(torch.ones(1, 1, 4, 4)).sum().backward()
    optimizer.step()
    return {
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "epoch": 7,
        "loss": 0.5,
        "name": "tiny",
        "best": True,
        "note": None,
        "size": torch.Size([1, 4, 4]),
        "dtype": torch.float32,
        "seed": 2**70,
        "labels": ["dog", "rain"],
    }


def main():
    HERE.mkdir(exist_ok=True)
    weight = {"weight": many_kinds(), "config": [7, 20, 10]}
    old = {"_use_new_zipfile_serialization": False}
    torch.save(weight, HERE / "kinds_zip.pt")
    torch.save(weight, HERE / "kinds_legacy.pt", **old)
    torch.save(weight, HERE / "kinds_protocol4.pt", pickle_protocol=4)
    torch.save(weight, HERE / "kinds_legacy_protocol4.pt", pickle_protocol=4, **old)
    torch.save(training_state(), HERE / "training_zip.pt")
    torch.save(training_state(), HERE / "training_legacy.pt", **old)
    torch.save(training_state()["model"], HERE / "bare_zip.pt")
    torch.save({"net": torch.nn.Linear(1, 1)}, HERE / "module.pt")
    torch.jit.script(torch.nn.Linear(1, 1)).save(str(HERE / "torchscript.pt"))
    dense = {name: tensor.detach().clone().contiguous() for name, tensor in many_kinds().items()}
    save_file(dense, HERE / "kinds.safetensors", metadata={"config": "[7, 20, 10]", "format": "pt"})
    print("bytes in all:", sum(file.stat().st_size for file in HERE.iterdir()))


if __name__ == "__main__":
    main()
