"""Word of mouth in PySD and in Mesa, as docs/coming-from-mesa-and-pysd.md shows it: `python word_of_mouth.py`.

Needs PySD 3.14 and Mesa 3.3. Mesa's persons are those of the network in cascades.csv; 200 runs of 60 days.
"""

from __future__ import annotations

import csv
import json
import math
import statistics
import tempfile
import time
from pathlib import Path
from shutil import copy

HERE = Path(__file__).parent
RUNS = 200


def system(path: str) -> dict:
    """The equations, by PySD."""
    import pysd

    model = pysd.read_vensim(path)
    run = model.run(params={"telling rate": 0.25})
    return {
        "version": pysd.__version__,
        "days": run.index.tolist(),
        **{name: run[name].tolist() for name in ("untold", "tellers", "tired")},
    }


def agents() -> dict:
    """The persons, by Mesa."""
    import mesa

    class Person(mesa.Agent):
        def __init__(self, model, state):
            super().__init__(model)
            self.state, self.contacts = state, []

        def look(self):
            tellers = sum(other.state == "tells" for other in self.contacts)
            hazard = {"untold": 0.25 * tellers / len(self.contacts), "tells": 0.1, "tired": 0.0}[self.state]
            self.moves = self.random.random() < 1 - math.exp(-hazard)

        def act(self):
            if self.moves:
                self.state = {"untold": "tells", "tells": "tired"}[self.state]

    class WordOfMouth(mesa.Model):
        def __init__(self, ties, persons, tellers, seed):
            super().__init__(seed=seed)
            first = set(self.random.sample(range(persons), tellers))
            people = [Person(self, "tells" if i in first else "untold") for i in range(persons)]
            for one, other in ties:
                people[one].contacts.append(people[other])
                people[other].contacts.append(people[one])

        def step(self):
            self.agents.do("look")
            self.agents.do("act")

    with (HERE / "cascades.csv").open(encoding="utf-8") as file:
        ties = [(int(row["source"]), int(row["target"])) for row in csv.DictReader(file)]
    persons, shares, begin = 1 + max(map(max, ties)), [], time.process_time()
    for seed in range(RUNS):
        model = WordOfMouth(ties, persons, 20, seed)
        for _ in range(60):
            model.step()
        shares.append(sum(person.state != "untold" for person in model.agents) / persons)
    return {
        "version": mesa.__version__,
        "persons": persons,
        "runs": RUNS,
        "reached": statistics.mean(shares),
        "error": statistics.stdev(shares) / RUNS**0.5,
        "seconds": (time.process_time() - begin) / RUNS,
    }


def main() -> None:
    """Write word_of_mouth.json."""
    with tempfile.TemporaryDirectory() as folder:  # PySD writes its translation beside the file
        kept = {"pysd": system(copy(HERE / "models" / "word_of_mouth.mdl", folder)), "mesa": agents()}
    (HERE / "word_of_mouth.json").write_text(json.dumps(kept) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
