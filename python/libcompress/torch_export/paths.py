"""Where tensors and submodules live in the module that is made."""

from __future__ import annotations

import re

import torch


def clean_path(name: str) -> str:
    """A name as a path of attributes: "/layer1/conv/Conv" becomes "layer1.conv.Conv"."""
    parts = [re.sub(r"[^\w-]", "_", part) for part in re.split(r"[./]", name)]
    return ".".join(part for part in parts if part) or "unnamed"


def identifier(name: str) -> str:
    """A name for a variable in the generated code."""
    plain = re.sub(r"\W", "_", name)
    return plain if not plain[:1].isdigit() else f"_{plain}"


class Paths:
    """The tree of modules below a root, in which no path lies below a tensor or another layer's inside."""

    def __init__(self) -> None:
        self.root = torch.nn.Module()

    def is_free(self, path: str) -> bool:
        """Whether something new can be put at `path`."""
        module = self.root
        *folders, last = path.split(".")
        for folder in folders:
            if not hasattr(module, folder):
                return True
            module = getattr(module, folder)
            if type(module) is not torch.nn.Module:
                return False
        return not hasattr(module, last)

    def free(self, path: str) -> str:
        """`path`, or the nearest name to it that is free."""
        found, count = path, 0
        while not self.is_free(found):
            count += 1
            found = f"{path}_{count}"
        return found

    def add_module(self, path: str, module: torch.nn.Module) -> None:
        folder, name = self._folder_of(path)
        folder.add_module(name, module)

    def add_tensor(self, path: str, tensor: torch.Tensor, trained: bool) -> None:
        folder, name = self._folder_of(path)
        if trained:
            folder.register_parameter(name, torch.nn.Parameter(tensor))
        else:
            folder.register_buffer(name, tensor)

    def module(self, path: str) -> torch.nn.Module | None:
        """The layer at `path`; None for a folder or nothing."""
        found = self.root
        for name in path.split("."):
            found = getattr(found, name, None)
            if found is None:
                return None
        return found if isinstance(found, torch.nn.Module) and type(found) is not torch.nn.Module else None

    def _folder_of(self, path: str) -> tuple[torch.nn.Module, str]:
        folder = self.root
        *names, last = path.split(".")
        for name in names:
            if not hasattr(folder, name):
                folder.add_module(name, torch.nn.Module())
            folder = getattr(folder, name)
        return folder, last
