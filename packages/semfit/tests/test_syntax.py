"""The model language: what it reads, where it points when it cannot, and that no text makes it fall over."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semfit.errors import ParameterError, SemfitError, UnknownNameError
from semfit.expressions import Expression
from semfit.syntax import parse
from semfit.table import build


def terms(text):
    return [(t.lhs, t.op, t.rhs) for t in parse(text).terms]


def test_relations_lists_lines_and_comments():
    text = """
    f =~ x1 + x2 +   # goes on
         x3
    y + z ~ f; y ~~ z  ! two on a line
    y ~ 1
    """
    assert terms(text) == [
        ("f", "=~", "x1"),
        ("f", "=~", "x2"),
        ("f", "=~", "x3"),
        ("y", "~", "f"),
        ("z", "~", "f"),
        ("y", "~~", "z"),
        ("y", "~1", ""),
    ]


def test_a_line_may_begin_with_plus():
    assert terms("f =~ x1\n + x2") == [("f", "=~", "x1"), ("f", "=~", "x2")]


def test_names_of_other_alphabets():
    for trust, item in (("\u4fe1\u4efb", "\u9898"), ("доверие", "вопрос")):  # Chinese, Russian
        assert terms(f"{trust} =~ {item}1 + {item}2") == [(trust, "=~", f"{item}1"), (trust, "=~", f"{item}2")]


def test_modifiers():
    one, two, three, four, five = parse("f =~ NA*x1 + -0.5*x2 + lam*x3 + start(0.7)*x4 + c(a, b)*x5").terms
    assert math.isnan(one.fixed[0])
    assert two.fixed == (-0.5,)
    assert three.label == ("lam",)
    assert four.start == (0.7,)
    assert five.label == ("a", "b")


def test_repeated_term_adds_a_modifier():
    (term,) = parse("y ~ a*x + start(2)*x").terms
    assert (term.label, term.start) == (("a",), (2.0,))


def test_equal_ties_two_loadings():
    table = build(parse('f =~ x1 + x2 + equal("f =~ x2")*x3'))
    assert table.keys[0] == "f=~x2"
    assert sum(row.key == "f=~x2" for row in table.rows) == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "f =~ x1 +",
            r"line 1, column 10: expected a variable, found the end of the line; the form is `latent =~ item \+ item`",
        ),
        ("y ~ x\nf = x", r"line 2, column 3: cannot read '='"),
        ("f =~ x1 x2", r"line 1, column 9: expected '\+' or the end of the line, found 'x2'"),
        ("y ~ x:z", r"line 1, column 6: a product of variables is not a variable"),
        ("f =~ foo(1)*x", r"line 1, column 6: unknown modifier foo\(\)"),
        ("f <~ x + ", r"found the end of the line; the form is `composite <~ 1\*variable \+ variable`"),
        ("a < ", r"line 1, column 3: one side is empty; the form is `expression of labels < expression of labels`"),
        ("y ~ x; a > b > c", r"line 1, column 14: a second '>' in one statement"),
        ("y ~ x; a >= 1", r"line 1, column 11: cannot read '='"),
        ("y ~ lower(0)*x", r"line 1, column 5: unknown modifier lower\(\); known are c\(\), start\(\)"),
        ("level: 1", r"line 1, column 1: no relation in the statement that begins with 'level'"),
        ("f =~ 0", r"line 1, column 6: expected a variable, found '0'"),
        ("x1 + x2", r"line 1, column 1: no relation in the statement that begins with 'x1'"),
        ("a := b +", r"cannot read the expression 'b\+'"),
        ("a := b c", r"cannot read the expression 'b c'"),
        ("a := " + "9" * 400, r"cannot use the expression '999"),
        ("a := import(b)", r"allowed are labels, numbers"),
        ("y ~ a*b*x", r"two modifiers of one kind"),
        ("y ~ a*x + b*x", r"given twice with different modifiers"),
        ("f =~ c(1, *x", r"line 1, column 13: expected '\)'"),
        ("a ~ b ~ c", r"line 1, column 7: a second '~'"),
        ("", r"the model holds no relation between variables"),
    ],
)
def test_errors_point_and_show_the_form(text, message):
    with pytest.raises(ParameterError, match=message):
        parse(text)


def test_labels_used_for_incompatible_things():
    with pytest.raises(ParameterError, match="label a is fixed to 1 and to 2"):
        parse_and_build("y ~ a*x + 1*x; z ~ a*x + 2*x")
    with pytest.raises(ParameterError, match="both the label of a parameter and defined by :="):
        parse_and_build("y ~ a*x; a := 2*a")
    with pytest.raises(UnknownNameError, match="unknown label in the expression 'a\\*bb' 'bb'; did you mean 'b'"):
        parse_and_build("y ~ a*x + b*z; ab := a*bb")
    with pytest.raises(ParameterError, match=r"c\(…\) gives 3 labels for 2 groups"):
        build(parse("y ~ c(a, b, d)*x"), groups=2)


def parse_and_build(text):
    return build(parse(text))


def test_inequalities_say_what_must_not_be_negative():
    above, below = parse("y ~ a*x + b*z; a > 0.5; a < 2*b").constraints
    assert (above.said, below.said) == ("a > 0.5", "a < 2*b")
    assert (above({"a": 0.75}), below({"a": 0.75, "b": 1.0})) == (0.25, 1.25)


def test_a_composite_is_latent_and_has_no_variance_of_its_own():
    table = build(parse("f <~ 1*x + z; y ~ f"))
    own = {row.relation: row.value for row in table.rows}
    assert table.roles.latent == ("f",)
    assert table.fixed_covariates == ("x", "z")
    assert own["f~~f"] == 0.0
    assert own["f<~z"] is None


def test_expressions():
    assert Expression("a*b - (c + 2)^2 / exp(log(4))")({"a": 3.0, "b": 2.0, "c": 0.0}) == pytest.approx(5.0)
    assert Expression("sqrt(a) + b").names == ("a", "b")


PIECES = st.sampled_from(
    [
        "f",
        "x1",
        "x2",
        "y",
        "=~",
        "~",
        "~~",
        "~1",
        ":=",
        "==",
        "<",
        ">",
        "<~",
        "|",
        "t1",
        "+",
        "*",
        "(",
        ")",
        ",",
        "c(",
        "NA",
        "1",
        "-0.5",
        "a",
        "start(",
        '"q"',
        "\n",
        ";",
        " ",
        "#",
        "%",
        "^",
        "\u4fe1",
    ]
)


@settings(max_examples=300, deadline=None)
@given(st.lists(PIECES, max_size=14).map(" ".join) | st.text(max_size=30))
def test_no_text_makes_it_fall_over(text):
    try:
        build(parse(text))
    except SemfitError as error:
        assert str(error)  # noqa: PT017 — any of our own errors is a pass
