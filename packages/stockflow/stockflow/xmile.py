"""A mode as an XMILE file, which system dynamics programs read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from xml.etree import ElementTree

from stockflow.errors import ParameterError
from stockflow.expressions import TIES, Tree, parse, write, xmile
from stockflow.mode import Mode

NAMESPACE = "http://docs.oasis-open.org/xmile/ns/XMILE/v1.0"


def to_xmile(
    mode: Mode,
    parameters: Mapping | None = None,
    initial: Mapping[str, float] | None = None,
    population: float = 1.0,
    days: float = 365.0,
    dt: float = 1.0,
    translate: Callable[[str], str] = str,
) -> str:
    """Write a mode as an XMILE 1.0 model.

    Stocks are the states, flows are named ``P_to_M``; auxiliaries carry the prefix ``aux_`` and N is ``population``, as
    XMILE does not tell n from N and knows a constant PI. A Poisson tail is written out for the group size given, so
    that in the file the group size is fixed.

    Parameters
    ----------
    parameters : mapping, optional
        One set; defaults for the rest.
    translate : callable, optional
        From what the mode, its states, flows and parameters are called to another language.

    Returns
    -------
    str
        The file's text.

    References
    ----------
    OASIS (2015), XML Interchange Language for System Dynamics (XMILE) Version 1.0.

    Examples
    --------
    >>> from stockflow.examples import RUMOUR
    >>> [line.strip() for line in to_xmile(RUMOUR).splitlines() if "contact" in line or "U * " in line]
    ['<eqn>U * (beta * ((S) / population))</eqn>']
    """
    p = mode.values(parameters)
    if any(value.ndim for value in p.values()):
        raise ParameterError("an XMILE file holds one set of parameters; got a table; allowed is one value each.")
    names = {a.name: f"aux_{a.name}" for a in mode.auxiliaries} | {"N": "population"}
    table = xmile({name: float(value) for name, value in p.items()})
    table |= dict.fromkeys(TIES, "(({}) / population)")

    def equation(tree: Tree) -> str:
        return write(tree, table, names)

    root = ElementTree.Element("xmile", version="1.0", xmlns=NAMESPACE)
    header = ElementTree.SubElement(root, "header")
    _leaf(header, "vendor", "stockflow")
    _leaf(header, "product", "stockflow", version="0.1", lang="en")
    _leaf(header, "name", translate(mode.words or mode.name))
    specs = ElementTree.SubElement(root, "sim_specs", method="Euler", time_units="day")
    for tag, value in (("start", 0.0), ("stop", days), ("dt", dt)):
        _leaf(specs, tag, repr(float(value)))
    variables = ElementTree.SubElement(ElementTree.SubElement(root, "model"), "variables")
    for state, persons in zip(mode.states, mode.start(initial, population), strict=True):
        stock = _variable(variables, "stock", state.name, repr(float(persons)), state.unit, translate(state.words))
        for flow in mode.flows:
            for tag, end in (("inflow", flow.target), ("outflow", flow.source)):
                if end == state.name:
                    _leaf(stock, tag, f"{flow.source}_to_{flow.target}")
    for flow in mode.flows:
        name, law = f"{flow.source}_to_{flow.target}", f"{flow.source} * {equation(parse(flow.hazard))}"
        _variable(variables, "flow", name, law, "persons/day", translate(flow.words))
    _variable(variables, "aux", "population", " + ".join(mode.index), "persons", "")
    for a in mode.auxiliaries:
        _variable(variables, "aux", names[a.name], equation(parse(a.text)), a.unit, translate(a.words))
    for one in mode.parameters:
        said = f"{translate(one.words)} ({one.status})".strip()
        _variable(variables, "aux", one.name, repr(float(p[one.name])), one.unit, said)
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _leaf(parent: ElementTree.Element, tag: str, text: str, **attributes: str) -> None:
    ElementTree.SubElement(parent, tag, attributes).text = text


def _variable(
    parent: ElementTree.Element, tag: str, name: str, equation: str, unit: str, doc: str
) -> ElementTree.Element:
    variable = ElementTree.SubElement(parent, tag, name=name)
    for part, text in (("doc", doc), ("eqn", equation), ("units", unit)):
        if text:
            _leaf(variable, part, text)
    return variable
