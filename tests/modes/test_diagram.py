"""The diagrams as graphs and as readings of the paper."""

from __future__ import annotations

import math
import random
import re
from itertools import pairwise, permutations

import pytest

from socialcommerce.errors import PaperError, UnknownNameError
from socialcommerce.modes.diagram import DIAGRAMS, NODE_KINDS, Diagram, Edge, Node, load_diagram
from socialcommerce.project import root
from tests.modes import CHINESE
from tests.test_paper import SENTENCES

STOCKS = {"content": set("PMOCLD"), "sharing": set("UABFZ")}


def digraph(arrows: str) -> Diagram:
    """Build a diagram from arrows such as ``a+b b-a``."""
    edges = tuple(Edge(a, b, 1 if sign == "+" else -1, "3.1", 1, 1, "so it says") for a, sign, b in arrows.split())
    names = sorted({name for edge in edges for name in (edge.source, edge.target)})
    return Diagram(
        "small", "a title", (160, 100), tuple(Node(name, "auxiliary", name, (0, 0)) for name in names), edges
    )


@pytest.fixture(params=DIAGRAMS)
def diagram(request):
    return load_diagram(request.param)


@pytest.mark.parametrize("n", [2, 3, 4, 6])
def test_a_complete_digraph_has_as_many_elementary_cycles_as_combinatorics_says(n):
    names = "abcdef"[:n]
    loops = digraph(" ".join(f"{a}+{b}" for a in names for b in names if a != b)).feedback_loops()
    assert len(loops) == sum(math.comb(n, k) * math.factorial(k - 1) for k in range(2, n + 1))
    assert len({loop.nodes for loop in loops}) == len(loops)


def test_loops_that_wait_for_a_blocked_node_are_found():
    """A graph whose dead ends must be unblocked once a way round them opens."""
    loops = digraph("a+b b+c c+b c+d d+c d+a b+d").feedback_loops()
    assert {loop.nodes for loop in loops} == {tuple("abcd"), tuple("abd"), tuple("bc"), tuple("cd"), tuple("bdc")}


@pytest.mark.parametrize("seed", range(20))
def test_loops_are_the_edges_with_every_way_back(seed):
    """Each cycle is an order of some nodes, the first of them first, in which each leads to the next."""
    rng = random.Random(seed)
    names = "abcdefg"
    graph = digraph(" ".join(f"{a}{rng.choice('+-')}{b}" for a in names for b in names if rng.random() < 0.35))
    signs = {(edge.source, edge.target): edge.sign for edge in graph.edges}
    walked = {}
    for nodes in (nodes for k in range(1, len(names) + 1) for nodes in permutations(names, k)):
        steps = [signs.get(step, 0) for step in pairwise((*nodes, nodes[0]))]
        if nodes[0] == min(nodes) and all(steps):
            walked[nodes] = "R" if math.prod(steps) > 0 else "B"
    assert {loop.nodes: loop.polarity for loop in graph.feedback_loops()} == walked


@pytest.mark.parametrize(
    ("arrows", "polarity"), [("a+b b+a", "R"), ("a-b b-a", "R"), ("a-b b+a", "B"), ("a-b b-c c-a", "B"), ("a-a", "B")]
)
def test_polarity_is_the_product_of_the_signs(arrows, polarity):
    (loop,) = digraph(arrows).feedback_loops()
    assert (loop.polarity, loop.id) == (polarity, f"{polarity}1")


def test_every_edge_names_a_sentence_of_the_paper(diagram):
    for edge in diagram.edges:
        assert edge.paragraph <= len(SENTENCES[edge.section]), edge
        assert edge.sentence <= SENTENCES[edge.section][edge.paragraph - 1], edge


def test_an_edge_says_what_was_added_if_and_only_if_it_is_inferred(diagram):
    for edge in diagram.edges:
        assert ("our reading" in edge.text) == ("我们的理解" in CHINESE(edge.text)) == edge.inferred, edge


def test_every_text_has_a_translation(diagram):
    for words in (*(node.words for node in diagram.nodes), *(edge.text for edge in diagram.edges), *NODE_KINDS):
        assert not re.search(r"[\u4e00-\u9fff]", words)
        assert re.search(r"[\u4e00-\u9fff]", CHINESE(words)), words


def test_the_models_stocks_have_their_boxes(diagram):
    stocks = {node.symbol for node in diagram.nodes if node.kind == "stock" and node.symbol}
    assert stocks == STOCKS[diagram.id]
    assert ("P" if diagram.id == "content" else "U") in stocks


def test_the_merchant_acts_on_everything_that_is_not_given():
    given = {"content": {"merchant", "recommendation"}, "sharing": {"merchant", "traffic"}}
    for name in DIAGRAMS:
        graph, found = load_diagram(name), {"merchant"}
        for _ in graph.nodes:
            found |= {edge.target for edge in graph.edges if edge.source in found}
        assert found == {node.id for node in graph.nodes} - given[name] | {"merchant"}


def test_the_loops_the_text_tells_are_there():
    content = {frozenset(loop.nodes): loop.polarity for loop in load_diagram("content").feedback_loops()}
    closed = {"pool", "promotion", "purchase", "delivery", "customers", "leaders", "sharing"}
    assert content[frozenset(closed | {"identification"})] == "R"
    assert content[frozenset(closed | {"annoyed"})] == "B"
    assert content[frozenset({"purchase", "delivery", "customers", "feedback"})] == "R"
    sharing = {frozenset(loop.nodes): loop.polarity for loop in load_diagram("sharing").feedback_loops()}
    assert sharing[frozenset({"sharing", "invited", "acquaintances", "trust", "purchase", "fans"})] == "R"
    assert sharing[frozenset({"untapped", "invited", "acquaintances"})] == "B"


def test_tables_have_a_row_an_edge_and_a_row_a_loop(diagram):
    frame = diagram.summary()
    assert frame.columns.tolist() == ["from", "to", "sign", "place", "text", "inferred"]
    assert len(frame) == len(diagram.edges)
    assert frame["inferred"].sum() == sum(edge.inferred for edge in diagram.edges)
    assert diagram.loop_summary()["loop"].tolist() == [loop.id for loop in diagram.feedback_loops()]
    path = diagram.loop_summary()["path"][0]
    assert path.split(" → ") == [diagram[name].words for name in diagram.feedback_loops()[0].nodes]
    assert CHINESE(path).split(" → ") == [CHINESE(name) for name in path.split(" → ")]


SLIPS = {
    "node": ('to = "accounts"', 'to = "acounts"', "edge merchant to acounts: unknown node 'acounts'; did you mean"),
    "twice": ('to = "accounts"', 'to = "influencers"', r"\('merchant', 'influencers'\) occurs 2 times"),
    "kind": ('kind = "actor"', 'kind = "person"', "mode.toml, node merchant, field kind: got 'person'; allowed: a"),
    "sign": ('sign = "+"', 'sign = "*"', r"edge 1, field sign: got '\*'; allowed: \+, -"),
    "place": ('["3.1", 2, 3]', '["3.1", 0, 3]', r"edge 1, field place: got \['3.1', 0, 3\]; allowed: \[section"),
    "words": ('words = "Merchant"\n', "", "node merchant, field words: got nothing; allowed: a text"),
    "unknown": ('sign = "+"', 'sgn = "+"', r"edge 1, field sgn: an unknown field; allowed: sign \(nearest\) of "),
    "extra": ('sign = "+"', 'sign = "+"\nweight = 2', "edge 1, field weight: an unknown field; allowed: .*text, from"),
    "sides": ('sides = "rl"', 'sides = "up"', "edge 1, field sides: got 'up'; allowed: two of l, r, t, b"),
    "at": ("at = [10.5, 94]", "at = [10.5]", r"node merchant, field at: got \[10.5\]; allowed: two numbers of mill"),
    "syntax": ("[[edge]]", "[[edge]", "content_mode.toml cannot be read: .*; it must be a toml file in UTF-8"),
}


@pytest.mark.parametrize("slip", SLIPS)
def test_a_slip_is_answered_with_file_entry_field_given_and_allowed(slip, tmp_path):
    old, new, message = SLIPS[slip]
    text = (root() / "paper" / "content_mode.toml").read_text(encoding="utf-8")
    assert old in text, f"{old!r} is not in the file: the slip tests nothing"
    (tmp_path / "content_mode.toml").write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(PaperError, match=message):
        load_diagram("content", tmp_path)


def test_an_unknown_or_missing_diagram_is_named(tmp_path):
    with pytest.raises(UnknownNameError, match="unknown diagram 'contents'; did you mean 'content'"):
        load_diagram("contents")
    with pytest.raises(PaperError, match="sharing_mode.toml cannot be read"):
        load_diagram("sharing", tmp_path)
