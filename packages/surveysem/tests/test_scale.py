"""What was laid out for many respondents gives what one respondent at a time gives."""

import numpy as np
import pandas as pd
from books import ZH

import surveysem
from surveysem.screening import chance


def test_rows_repeat_the_first_of_their_kind():
    answers = pd.DataFrame(
        {"a": [1, 2, 1, np.nan, 1, np.nan], "b": [0.0, np.nan, -0.0, np.nan, 1, np.nan]}, index=[2, 3, 5, 6, 7, 9]
    )
    asked = tuple(surveysem.Item(code, surveysem.Scale("two", 0, 2)) for code in "ab")
    book = surveysem.Codebook("x", (surveysem.Construct("f", asked),), asked)

    def first(answers: pd.DataFrame) -> list[int]:
        return chance(surveysem.Responses(book, answers, pd.DataFrame(), pd.DataFrame())).first.tolist()

    assert first(answers) == [0, 0, 2, 0, 0, 0]
    twice = pd.concat([answers, answers.set_axis([10, 11, 12, 13, 14, 15])])
    assert first(twice)[6:] == [2, 3, 2, 0, 7, 0]


def test_lines_within_quotes_and_both_line_ends_are_read(tmp_path):
    text = 'a,"b\nc"\r\n1,"x ""y"""\r\n2,"p\r\nq"\n'
    for encoding in ("utf-8", "utf-8-sig", "gb18030"):
        (tmp_path / "t.csv").write_bytes(text.replace("q", ZH["good"]).encode(encoding))
        table = surveysem.tables.read_table(tmp_path / "t.csv")
        assert table.headings == ("a", "b\nc")
        assert table.columns == (("1", "2"), ('x "y"', f"p\r\n{ZH['good']}"))
