"""What was made from what: the manifest's head, and its description as an RO-Crate (https://w3id.org/ro/crate/1.1)."""

from __future__ import annotations

import json
import mimetypes
import subprocess
from collections.abc import Mapping
from typing import Any

from socialcommerce import __version__
from socialcommerce.project import root

__all__ = ["commit", "ro_crate"]

TYPES = {".ipynb": "application/x-ipynb+json", ".toml": "application/toml", ".bib": "application/x-bibtex"}


def commit() -> dict[str, Any]:
    """Return the commit the checkout stands at and whether it holds changes; nulls outside git."""
    def git(*arguments: str) -> str | None:
        try:
            done = subprocess.run(["git", "-C", str(root()), *arguments], capture_output=True, text=True, check=False)
        except OSError:
            return None
        return done.stdout.strip() if done.returncode == 0 else None

    head, changes = git("rev-parse", "HEAD"), git("status", "--porcelain")
    return {"commit": head, "dirty": None if changes is None else bool(changes)}


def ro_crate(manifest: Mapping[str, Any]) -> bytes:
    """Describe a build as an RO-Crate: every output a File made by a CreateAction from its inputs."""
    graph: list[dict[str, Any]] = [
        {"@id": "ro-crate-metadata.json", "@type": "CreativeWork", "about": {"@id": "./"},
         "conformsTo": {"@id": "https://w3id.org/ro/crate/1.1"}},
        {"@id": "#socialcommerce", "@type": "SoftwareApplication", "name": "socialcommerce", "version": __version__},
    ]
    parts: list[dict[str, str]] = []
    for name, report in manifest.get("reports", {}).items():
        outputs = [{"@id": output} for output in report["outputs"]]
        inputs = [{"@id": f"source:{label}"} for label in report["run_inputs"] if "/" in label]
        parts += outputs
        graph += [{"@id": label, "@type": "File", "encodingFormat": _type(label), "sha256": digest}
                  for label, digest in report["outputs"].items()]
        graph += [{"@id": f"source:{label}", "@type": "File", "name": label, "sha256": digest}
                  for label, digest in report["run_inputs"].items() if "/" in label]
        graph.append({"@id": f"#build-{name}", "@type": "CreateAction", "name": f"Run and render {name}",
                      "object": inputs, "result": outputs, "instrument": {"@id": "#socialcommerce"}})
    graph.insert(1, {"@id": "./", "@type": "Dataset", "name": "Reports on private-domain traffic and social commerce",
                     "license": "https://creativecommons.org/licenses/by/4.0/", "version": manifest.get("commit"),
                     "hasPart": parts})
    unique = {entity["@id"]: entity for entity in graph}
    crate = {"@context": "https://w3id.org/ro/crate/1.1/context", "@graph": list(unique.values())}
    return (json.dumps(crate, ensure_ascii=False, indent=1) + "\n").encode()


def _type(name: str) -> str:
    suffix = name[name.rfind("."):]
    return TYPES.get(suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
