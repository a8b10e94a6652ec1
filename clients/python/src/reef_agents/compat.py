"""Where the older services' module names are, for programs that import them.

    PYTHONPATH=$(python -m reef_agents.compat path) python their_program.py

The names are too general to be installed for everybody: ``common``, ``storage``, ``worker``, ….
``agent`` needs pydantic.
"""

from __future__ import annotations

import sys
from pathlib import Path


def path() -> Path:
    """The folder for ``PYTHONPATH``."""
    here = Path(__file__).resolve().parent
    installed = here / "_compat"
    return installed if installed.is_dir() else here.parents[1] / "compat"


if __name__ == "__main__":
    if sys.argv[1:] != ["path"]:
        sys.exit("usage: python -m reef_agents.compat path")
    print(path())
