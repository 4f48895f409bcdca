"""Errors of the package's own, in the form of the library's."""

from __future__ import annotations

from libcompress import _core


def error(kind: str, where: str, found: str, allowed: str = "", remedy: str = "") -> _core.Error:
    """An Error to raise: where, what was found, what is allowed instead, what to do about it."""
    text = f"{where}: {found}"
    if allowed:
        text += f"; allowed: {allowed}"
    if remedy:
        text += f"; {remedy}"
    made = _core.Error(text)
    made.kind = kind
    return made
