"""Writes ``docs/reference/python.md`` from the docstrings.

``python tools/generate_reference.py --check`` only says whether it is current.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
SOURCE = HERE / "src/reef_agents"
REFERENCE = HERE.parent.parent / "docs/reference/python.md"

#: The modules in the order in which one meets them.
MODULES = (
    "client", "node", "task", "writer", "tasks", "new_task", "groups", "bulk", "limits",
    "schedules", "usage", "waits", "session", "message", "stream", "blocks", "inbox", "leadership",
    "ledger", "market", "agents", "nodes", "cluster", "errors", "compat",
)  # fmt: skip

#: Where to begin, as the reference links to it.
START = "../" + "docs/start/python.md".removeprefix("docs/")

HEAD = f"""\
# Python client

What `reef_agents` has, a line each; `help()` and the editor say the rest. [Python]({START}) begins from nothing. `reef_agents.sync` has the same without `async` and `await`. What the hub answers is typed in `reef_agents.types`, as `openapi.json` has it.

This file is made from the docstrings, by `clients/python/tools/generate_reference.py`.
"""  # noqa: E501 - one paragraph, one line


def first_sentence(node: ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    """What its docstring says first, in the notation of documents."""
    text = (ast.get_docstring(node) or "").split("\n\n")[0].replace("\n", " ")
    text = re.sub(r":(?:class|meth|func|mod):`([^`]+)`", r"`\1`", text)
    return text.replace("``", "`").replace("|", "\\|")


def signature(function: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    """Its name and parameters, without types."""
    given = function.args
    names = [it.arg for it in given.args if it.arg not in ("self", "cls")]
    if given.vararg:
        names.append(f"*{given.vararg.arg}")
    names += [f"{it.arg}=" for it in given.kwonlyargs]
    return f"{function.name}({', '.join(names)})"


def rows(body: list[ast.stmt]) -> Iterator[str]:
    """A line for each public function."""
    for it in body:
        if not isinstance(it, ast.FunctionDef | ast.AsyncFunctionDef) or it.name.startswith("_"):
            continue
        marks = {mark.id for mark in it.decorator_list if isinstance(mark, ast.Name)}
        if "overload" in marks:
            continue
        shown = it.name if "property" in marks else signature(it)
        returns = ast.unparse(it.returns) if it.returns else ""
        if "AsyncIterator" in returns or "AsyncGenerator" in returns:
            how = "async with " if "asynccontextmanager" in marks else "async for "
        else:
            how = "await " if isinstance(it, ast.AsyncFunctionDef) else ""
        yield f"| `{how}{shown}` | {first_sentence(it)} |"


def generate() -> str:
    """The document's text."""
    parts = [HEAD]
    for name in MODULES:
        module = ast.parse((SOURCE / f"{name}.py").read_text(encoding="utf-8"))
        parts.append(f"## {name}\n\n{first_sentence(module)}\n")
        found = list(rows(module.body))
        if found and name in ("blocks", "compat"):
            parts.append("\n".join(["| | |", "|---|---|", *found]) + "\n")
        classes = [it for it in module.body if isinstance(it, ast.ClassDef)]
        if name == "errors":
            lines = [f"| `{it.name}` | {first_sentence(it)} |" for it in classes]
            parts.append("\n".join(["| | |", "|---|---|", *lines]) + "\n")
            continue
        for it in classes:
            if it.name.startswith("_"):
                continue
            parts.append(f"**{it.name}** — {first_sentence(it)}\n")
            if found := list(rows(it.body)):
                parts.append("\n".join(["| | |", "|---|---|", *found]) + "\n")
    return "\n".join(parts)


def main() -> None:
    """Writes or checks."""
    text = generate()
    if "--check" in sys.argv[1:]:
        if not REFERENCE.is_file() or REFERENCE.read_text(encoding="utf-8") != text:
            raise SystemExit(f"{REFERENCE.name} is stale: run tools/generate_reference.py")
        return
    REFERENCE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
