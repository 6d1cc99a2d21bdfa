"""A page in the browser of this machine: items are dragged to constructs, paths drawn, the report run and read.

``server`` holds one file, one model and one run; ``model`` makes a codebook of what the page edits.
"""

__all__ = ["Refused"]


class Refused(Exception):
    """What the page asks for cannot be done; ``key`` names the sentence of ``words.toml`` that says why."""

    def __init__(self, key: str, status: int = 400) -> None:
        super().__init__(key)
        self.key, self.status = key, status
