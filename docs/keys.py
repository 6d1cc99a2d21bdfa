"""Write the table of docs/codebook.md from the schema of codebooks.

    python docs/keys.py

The tests compare the page with the schema, and the schema with what the reader takes.
"""

from __future__ import annotations

import json
from pathlib import Path

PAGE = Path(__file__).with_name("codebook.md")
SCHEMA = Path(__file__).parents[1] / "packages" / "surveysem" / "surveysem" / "codebook.schema.json"
HEADS = {
    "codebook": "The whole codebook",
    "scale": "A scale: `[scales.NAME]`",
    "construct": "A construct: `[constructs.NAME]` or `[[constructs]]`",
    "item": "An item: `{ code = … }` among a construct's `items`",
    "control": "A background question: `[[controls]]`",
    "check": "An attention check: `[[checks]]`",
    "contact": "`[contact]`",
    "screening": "`[screening]`",
    "title": "`[title]`",
    "introduction": "`[introduction]`",
}


def tables() -> dict[str, dict]:
    """Return what the schema says of every kind of table."""
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    return {"codebook": schema} | schema["$defs"]


def page(text: str) -> str:
    """Return the page with the tables of its keys renewed."""
    opening, mark, _ = text.partition("-->\n")
    lines = [opening + mark]
    found = tables()
    for kind, head in HEADS.items():
        lines += [f"### {head}\n", "| key | needed | meaning |", "|---|---|---|"]
        for key, about in found[kind]["properties"].items():
            needed = "yes" if key in found[kind].get("required", ()) else ""
            lines.append(f"| `{key}` | {needed} | {about['description']} |")
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
