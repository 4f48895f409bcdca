"""torchvision's model definitions beside the CPU wheel of torch.

torchvision's wheel is compiled against the CUDA wheel: importing it here fails for its operators (nms, image
decoding). Its models are plain Python that use none of them, so this imports `torchvision.models` with an
empty package around it and empty modules where the compiled parts are.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import types
from pathlib import Path


def _stub(name: str, **members: object) -> None:
    module = types.ModuleType(name)
    vars(module).update(members)
    sys.modules[name] = module


def _no_operator(*_arguments: object, **_settings: object) -> None:
    raise RuntimeError("torchvision's compiled operators are not there")


def load() -> types.ModuleType:
    """The package `torchvision.models`; ImportError where torchvision is not installed."""
    if "torchvision.models" in sys.modules:
        return sys.modules["torchvision.models"]
    found = importlib.util.find_spec("torchvision")
    if found is None or found.origin is None:
        raise ImportError("torchvision is not installed: pip install -r requirements.txt")
    package = types.ModuleType("torchvision")
    package.__path__ = [str(Path(found.origin).parent)]  # importing from it runs no __init__
    sys.modules["torchvision"] = package
    _stub("torchvision.extension", _assert_has_ops=_no_operator, _has_ops=lambda: False)
    _stub("torchvision.io", **dict.fromkeys(("decode_image", "read_image", "read_video"), _no_operator))
    return importlib.import_module("torchvision.models")
