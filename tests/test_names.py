"""One word, one thing: no two modules of the product give a class or a type the same name."""

import ast
from collections import defaultdict
from pathlib import Path

from tests.test_imports import MAY_IMPORT, ROOT, files_of

ROOMS = (*MAY_IMPORT, "pronto", "devstack", "callers", "models")
SAME_EVERYWHERE = {"Samples", "Floats", "Address"}
"""Aliases that mean the same wherever they are made, in packages that may not import each other."""


def names_of(path: Path) -> list[str]:
    """The public classes and type aliases of a module."""
    found = []
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        match node:
            case ast.ClassDef(name=name):
                found.append(name)
            case ast.AnnAssign(target=ast.Name(id=name), annotation=ast.Name(id="TypeAlias")):
                found.append(name)
    return [name for name in found if not name.startswith("_")]


def test_no_name_means_two_things() -> None:
    modules: dict[str, set[str]] = defaultdict(set)
    for room in ROOMS:
        for path in files_of(room):
            for name in names_of(path):
                modules[name].add(str(path.relative_to(ROOT)))
    assert len(modules) > 300  # it did look
    twice = {name: sorted(where) for name, where in modules.items() if len(where) > 1 and name not in SAME_EVERYWHERE}
    assert twice == {}
