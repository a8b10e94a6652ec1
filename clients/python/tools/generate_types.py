"""Writes ``src/reef_agents/types.py`` from the hub's ``openapi.json``.

``python tools/generate_types.py --check`` only says whether it is current.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
OPENAPI = HERE.parent.parent / "openapi.json"
TYPES = HERE / "src/reef_agents/types.py"

_NEEDS = "from typing_extensions import NotRequired"
_HAS_ITSELF = """\
if sys.version_info >= (3, 11):
    from typing import NotRequired
else:
    from typing_extensions import NotRequired"""


def generate() -> str:
    """The module's text."""
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "types.py"
        subprocess.run(
            [
                sys.executable,
                "-m",
                "datamodel_code_generator",
                *("--input", str(OPENAPI), "--input-file-type", "openapi"),
                *("--output-model-type", "typing.TypedDict", "--output", str(made)),
                *("--target-python-version", "3.10", "--enum-field-as-literal", "all"),
                *("--formatters", "builtin"),
                *("--disable-timestamp", "--use-union-operator", "--use-standard-collections"),
                *("--use-double-quotes", "--use-schema-description", "--use-field-description"),
            ],
            check=True,
            stderr=subprocess.PIPE,
        )
        text = made.read_text(encoding="utf-8")
    if _NEEDS not in text:
        raise SystemExit("the generator writes its imports differently by now: adapt this script")
    text = text.replace("from typing import", "import sys\nfrom typing import", 1)
    return text.replace(_NEEDS, _HAS_ITSELF)


def main() -> None:
    """Writes or checks."""
    text = generate()
    if "--check" in sys.argv[1:]:
        if TYPES.read_text(encoding="utf-8") != text:
            raise SystemExit("types.py is stale: run tools/generate_types.py")
        return
    TYPES.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
