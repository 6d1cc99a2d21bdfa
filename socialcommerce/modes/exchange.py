"""A diagram in other programs' formats: DOT (Graphviz), Mermaid and GraphML."""

from __future__ import annotations

from xml.etree import ElementTree

from socialcommerce.modes.diagram import LANGUAGES, SIGNS, Diagram

__all__ = ["to_dot", "to_graphml", "to_mermaid"]

DOT = {"actor": "box, style=filled", "stock": "box, style=bold", "flow": "box, style=rounded", "auxiliary": "ellipse",
       "event": "cds", "lever": "hexagon"}
MERMAID = {"actor": '[["{}"]]', "stock": '["{}"]', "flow": '(["{}"])', "auxiliary": '("{}")', "event": '>"{}"]',
           "lever": '{{{{"{}"}}}}'}
NODE = {"kind": "string", "symbol": "string", "en": "string", "zh": "string", "x": "double", "y": "double"}
EDGE = {"sign": "int", "section": "string", "paragraph": "int", "sentence": "int", "inferred": "boolean",
        "text_en": "string", "text_zh": "string"}


def to_dot(diagram: Diagram, language: str = "en") -> str:
    """Return the diagram as DOT text; the paraphrase of each edge is its tooltip.

    Examples
    --------
    >>> from socialcommerce.modes.diagram import load_diagram
    >>> print(to_dot(load_diagram("sharing")).splitlines()[2])
      merchant [label="Merchant", shape=box, style=filled];
    """
    lines = [f"digraph {_quoted(diagram.id)} {{", "  rankdir=LR;"]
    lines += [f"  {node.id} [label={_quoted(node.words[language])}, shape={DOT[node.kind]}];" for node in diagram.nodes]
    for edge in diagram.edges:
        style = "dashed" if edge.inferred else "solid"
        lines.append(f'  {edge.source} -> {edge.target} [label="{SIGNS[edge.sign]}", style={style}, '
                     f"tooltip={_quoted(f'{edge.place[language]}: {edge.text[language]}')}];")
    return "\n".join([*lines, "}"]) + "\n"


def to_mermaid(diagram: Diagram, language: str = "en") -> str:
    """Return the diagram as a Mermaid flowchart, dotted where an edge is inferred.

    Examples
    --------
    >>> from socialcommerce.modes.diagram import load_diagram
    >>> print(to_mermaid(load_diagram("content")).splitlines()[1])
      merchant[["Merchant"]]
    """
    lines = ["flowchart LR"]
    for node in diagram.nodes:
        words = node.words[language].replace("#", "#35;").replace('"', "#quot;")
        lines.append(f"  {node.id}{MERMAID[node.kind].format(words)}")
    lines += [f'  {edge.source} {"-.->" if edge.inferred else "-->"}|"{SIGNS[edge.sign]}"| {edge.target}'
              for edge in diagram.edges]
    return "\n".join(lines) + "\n"


def to_graphml(diagram: Diagram) -> str:
    """Return the diagram as GraphML with all it knows: kinds, symbols, places, both languages, signs and sentences."""
    whole = ElementTree.Element("graphml", xmlns="http://graphml.graphdrawing.org/xmlns")
    for thing, fields in (("node", NODE), ("edge", EDGE)):
        for name, kind in fields.items():
            ElementTree.SubElement(whole, "key", {"id": name, "for": thing, "attr.name": name, "attr.type": kind})
    graph = ElementTree.SubElement(whole, "graph", id=diagram.id, edgedefault="directed")
    for node in diagram.nodes:
        element = ElementTree.SubElement(graph, "node", id=node.id)
        words = [node.words[language] for language in LANGUAGES]
        _data(element, zip(NODE, (node.kind, node.symbol, *words, *node.at), strict=True))
    for edge in diagram.edges:
        element = ElementTree.SubElement(graph, "edge", source=edge.source, target=edge.target)
        values = (edge.sign, edge.section, edge.paragraph, edge.sentence, str(edge.inferred).lower(),
                  *(edge.text[language] for language in LANGUAGES))
        _data(element, zip(EDGE, values, strict=True))
    ElementTree.indent(whole)
    return ElementTree.tostring(whole, encoding="unicode") + "\n"


def _quoted(words: str) -> str:
    return '"' + words.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _data(element: ElementTree.Element, values: zip[tuple[str, object]]) -> None:
    for key, value in values:
        ElementTree.SubElement(element, "data", key=key).text = str(value)
