"""Experiments with any callable: replicates, sweeps; here, in processes or on a cluster.

>>> from stockflow import experiments
>>> experiments.run(pow, experiments.sweep({"base": [2, 3], "exp": [1, 2]}))["value"].tolist()
[2, 4, 3, 9]
"""

from stockflow.experiments.running import run, sweep

__all__ = ["run", "sweep"]
