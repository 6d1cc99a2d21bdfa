"""Declare a mode of stocks and flows once; run it as equations, as persons on a network, or in a web page.

>>> from stockflow.examples import RUMOUR
>>> round(float(next_generation(RUMOUR).r0), 6)
3.0
>>> run = simulate(RUMOUR, days=50, seed=1, network=watts_strogatz(1000, seed=1), initial={"S": 10})
>>> bool(run.persons("R")[-1] > 0)
True
"""

from stockflow.cascades import cascade
from stockflow.edgelists import read_edges
from stockflow.errors import (
    DataError,
    ExperimentError,
    MissingExtraError,
    OutputError,
    ParameterError,
    StockflowError,
    UnknownNameError,
)
from stockflow.estimate import ModeEstimate, ModeFit, fit_mode
from stockflow.expressions import evaluate, helpers
from stockflow.gap import Gap, network_gap
from stockflow.groups import Groups
from stockflow.mode import Auxiliary, Flow, Mode, Parameter, State, Values
from stockflow.networks import Network, barabasi_albert, from_pairs, watts_strogatz
from stockflow.page import PAGE_WORDS, explorer, loop_gains, to_javascript
from stockflow.persons import PersonsRun, replicate, simulate
from stockflow.sdfiles import SystemModel, read_model
from stockflow.threshold import (
    NextGeneration,
    bisect,
    elasticities,
    elasticity,
    jacobian,
    leading_eigenvalue,
    minimal_root,
    next_generation,
    settle,
)
from stockflow.trajectory import Trajectory, integrate
from stockflow.xmile import to_xmile

__version__ = "0.1.0"

__all__ = [
    "Auxiliary",
    "DataError",
    "ExperimentError",
    "Flow",
    "Gap",
    "Groups",
    "MissingExtraError",
    "Mode",
    "ModeEstimate",
    "ModeFit",
    "Network",
    "NextGeneration",
    "OutputError",
    "PAGE_WORDS",
    "Parameter",
    "ParameterError",
    "PersonsRun",
    "State",
    "StockflowError",
    "SystemModel",
    "Trajectory",
    "UnknownNameError",
    "Values",
    "__version__",
    "barabasi_albert",
    "bisect",
    "cascade",
    "elasticities",
    "elasticity",
    "evaluate",
    "explorer",
    "fit_mode",
    "from_pairs",
    "helpers",
    "integrate",
    "jacobian",
    "leading_eigenvalue",
    "loop_gains",
    "minimal_root",
    "network_gap",
    "next_generation",
    "read_edges",
    "read_model",
    "replicate",
    "settle",
    "simulate",
    "to_javascript",
    "to_xmile",
    "watts_strogatz",
]
