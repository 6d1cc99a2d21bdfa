"""How files of answers are opened: csv, Excel and SPSS become one plain table of cells, nothing executed.

And how tables leave as csv: whole or not at all, with nothing in them that a spreadsheet would run.
"""

import codecs
import csv
import io
import json
import re
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from nbproof import check_file, read_bytes, write_whole
from surveysem.codebook import tidy
from surveysem.errors import DataError, UnknownNameError, named, quoted, require

WIDEST = 2000  # columns
LONGEST = 1000  # characters of a heading
CELLS = 100_000_000  # of a csv file
MEMORY = 2**32  # bytes that reading an Excel or SPSS file may take
SECONDS = 10  # of the processor, and as many again for each mebibyte of the file
BELOW = ("response", "open-ended response")  # a question that is no matrix, as SurveyMonkey writes it
KINDS = {"xlsx": "Excel", "sav": "SPSS"}
CHILD = Path(__file__).with_name("child.py")
ENCODINGS = ("utf-8", "gb18030")
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE)
LETTERS = [(0x80, 0x91), (0x98, 0xA0)], [(0xC0, 0xD0), (0xD6, 0x100)]  # of Macintosh, and of CP1252
DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}


Value = str | float  # of a cell that is not blank


@dataclass(frozen=True)
class RawTable:
    """One table as it stands in its file.

    Parameters
    ----------
    file : str
        The file's name.
    headings, wordings : tuple of str
        Of each column; the wording is an SPSS variable label or what Qualtrics writes below the heading, else empty.
    rows : tuple of int
        The number of each row in the file, 1 for the heading.
    columns : tuple of sequence
        The cells of each column.
    encoding : str
        As found; "xlsx" of an Excel file.
    labels : dict
        SPSS value labels by column: code -> text.
    missing : dict
        SPSS user-missing ranges by column: (lowest, highest) each.
    """

    file: str
    headings: tuple[str, ...]
    rows: tuple[int, ...]
    columns: tuple[Sequence[Value | None], ...]
    encoding: str
    wordings: tuple[str, ...] = ()
    labels: dict[str, dict[Value, str]] = field(default_factory=dict)
    missing: dict[str, tuple[tuple[Value, Value], ...]] = field(default_factory=dict)


def read_table(
    path: str | Path, *, sheet: str | None = None, encoding: str | None = None, delimiter: str | None = None
) -> RawTable:
    """Return the table in a file; the ending of its name says which reader opens it.

    Parameters
    ----------
    sheet : str, optional
        Of an Excel file with several.
    encoding : {"utf-8", "gb18030"}, optional
        Of a csv file; by default UTF-8 (a byte-order mark is dropped), else GB18030 where that decodes every byte.
    delimiter : {",", ";", "\\t", "|"}, optional
        Of a csv file; by default the comma, or what parts the heading where no comma does.

    Raises
    ------
    DataError
        When the file cannot be opened, is empty, has only a heading, repeats or lacks headings, has rows of unequal
        length or more than 2000 columns.
    """
    file = Path(path)
    require(delimiter in (None, *DELIMITERS), "delimiter", delimiter, ", ".join(map(repr, DELIMITERS)))
    readers = {
        ".csv": lambda: _csv(file, encoding, delimiter),
        ".txt": lambda: _csv(file, encoding, delimiter),
        ".xlsx": lambda: _excel(file, sheet),
        ".sav": lambda: _spss(file),
    }
    ending = file.suffix.lower()
    if ending not in readers:
        allowed = ", ".join(readers)
        raise DataError(f"{named(file.name)}: the ending is {quoted(file.suffix)}; allowed: {allowed}.")
    if check_file(file, DataError) == 0:
        raise DataError(f"{file.name} is empty: 0 bytes; a heading and one row a respondent are needed.")
    return readers[ending]()


def _checked(file: Path, lines: Sequence[tuple[int, Sequence[object]]], encoding: str) -> RawTable:
    """Return a table from numbered rows, the heading first; blank rows and unnamed empty columns are left out."""
    lines = [(number, row) for number, row in lines if any(not _blank(cell) for cell in row)]
    if not lines:
        raise DataError(f"{file.name} is empty: no cell holds anything; a heading and one row a respondent are needed.")
    lines = _one_heading(lines)
    headings = [_text(cell) for cell in lines[0][1]]
    while headings and not headings[-1] and all(len(row) < len(headings) or _blank(row[-1]) for _, row in lines):
        headings.pop()
        lines = [(number, row[: len(headings)]) for number, row in lines]
    if headings and not headings[0] and "row" not in headings and len({row[0] for _, row in lines}) == len(lines):
        headings[0] = "row"  # names of rows, as R writes them
    _check_headings(file, headings, len(lines) - 1, lines[0][0])
    for number, row in lines:
        if len(row) != len(headings):
            raise DataError(f"{file.name}, row {number} has {len(row)} cells; the heading has {len(headings)}.")
    qualtrics = len(lines) > 3 and all(_text(cell).startswith('{"ImportId":') for cell in lines[2][1])
    wordings = tuple(row for _, row in matrix_rows([*map(_text, lines[1][1])], [" - "])) if qualtrics else ()
    numbers, rows = zip(*lines[3 if qualtrics else 1 :], strict=True)
    return RawTable(file.name, tuple(headings), numbers, tuple(zip(*rows, strict=True)), encoding, wordings)


def _one_heading(lines: Sequence[tuple[int, Sequence[object]]]) -> Sequence[tuple[int, Sequence[object]]]:
    """Return lines from the heading on, without lines above it; rows of a matrix that stand below it join it."""
    first, above = [_text(cell) for cell in lines[0][1]], list[list[str]]()
    if all(first[1:]):  # R leaves out the name of its rows
        return lines
    others = [[_text(cell) for cell in row] for _, row in lines[1:]]
    for k, row in enumerate(others[:3], 1):
        again = any(text and text == cell for later in others[k:] for text, cell in zip(row, later, strict=False))
        if again or any(map(NUMBER.fullmatch, row)):  # a respondent's: others answered the same
            break
        if len({*row} - {""}) == len(row) >= len(first):
            return lines[k:]
        above.append(row)
    if not above or not all(map("".join, zip(first, above[0], strict=False))):
        return lines
    headings, asked = [], ""
    for question, own in zip(first, above[0], strict=False):
        asked = question or asked
        headings.append(f"{asked} [{own}]" if own and own.lower() not in BELOW else asked)
    return [(lines[1][0], headings), *lines[2:]]


def matrix_rows(texts: Sequence[str], marks: Sequence[str]) -> list[tuple[str, str]]:
    """Return of each text the question before a mark that it shares with others, or nothing, and its own words."""
    found = [("", text) for text in texts]
    for mark in marks:
        parted = [text.rpartition(mark) for text in texts]
        times = Counter(tidy(question) for question, _, _ in parted)
        for k, (question, _, row) in enumerate(parted):
            if question and times[tidy(question)] > 1 and not found[k][0]:
                found[k] = tidy(question), row.strip().removesuffix("]")
    return found


def _check_headings(file: Path, headings: list[str], rows: int, at: int = 1) -> None:
    if len(headings) > WIDEST:
        raise DataError(f"{file.name} has {len(headings)} columns; at most {WIDEST} are read.")
    seen: dict[str, int] = {}
    for k, heading in enumerate(headings, 1):
        if not heading:
            raise DataError(f"{file.name}, row {at}, column {k}: the heading is empty; every column needs a name.")
        if len(heading) > LONGEST:
            raise DataError(
                f"{file.name}, row {at}, column {k} has {len(heading)} characters; at most {LONGEST} may be."
            )
        if heading in seen:
            raise DataError(
                f"{file.name}, row {at}: columns {seen[heading]} and {k} are both named {quoted(heading)}; "
                "every column needs a name of its own."
            )
        seen[heading] = k
    if not rows:
        raise DataError(f"{file.name} has a heading and no rows; one row a respondent is needed.")


def _csv(file: Path, encoding: str | None, given: str | None) -> RawTable:
    raw = read_bytes(file, DataError)
    codec, found = _decode(file, raw, encoding)
    delimiter = _parting(raw, codec) if given is None else given
    if b"\0" in raw:
        raise DataError(f"{file.name} holds zero bytes, so it is no text; save it as csv in UTF-8 or GB18030.")
    if (cells := raw.count(delimiter.encode()) + raw.count(b"\n")) > CELLS:
        raise DataError(f"{file.name} holds {cells:,} cells; at most {CELLS:,} are read.")
    try:
        text, same = io.TextIOWrapper(io.BytesIO(raw), codec, newline=""), dict[str, str]()
        rows = enumerate(csv.reader(text, delimiter=delimiter, strict=True), 1)
        # equal cells once, blank rows never
        lines = [(number, [same.setdefault(cell, cell) for cell in row]) for number, row in rows if any(row)]
    except csv.Error as wrong:
        raise DataError(f"{file.name} is not a csv file: {wrong}; text between plain quotes is needed.") from wrong
    heading = lines[0][1][0] if lines and len(lines[0][1]) == 1 else ""
    others = [other for other in DELIMITERS if other != delimiter and other in heading]
    if given and others:
        likely = max(others, key=heading.count)
        raise DataError(
            f"{file.name}, row 1 is one column between {DELIMITERS[delimiter]}s; it seems to be separated by "
            f"{DELIMITERS[likely]}s: give delimiter={likely!r} (--delimiter)."
        )
    return _checked(file, lines, found)


def _parting(raw: bytes, codec: str) -> str:
    """Return the delimiter of the first line, a comma between its quotes or in its wordings aside."""
    first = next((line for line in io.TextIOWrapper(io.BytesIO(raw), codec) if line.strip()), "")
    unquoted = "".join(first.split('"')[::2])
    return "," if "," in unquoted else max(DELIMITERS, key=unquoted.count)


def _decode(file: Path, raw: bytes, encoding: str | None) -> tuple[str, str]:
    """Return the codec that decodes every byte, and what to call it."""
    if encoding is not None and encoding.lower() not in ENCODINGS:
        raise UnknownNameError("encoding", encoding, ENCODINGS)
    tries = ENCODINGS if encoding is None else (encoding.lower(),)
    for name in tries:
        marked = name == "utf-8" and raw.startswith(codecs.BOM_UTF8)
        try:
            raw.decode(name)
        except UnicodeDecodeError as wrong:
            failed = wrong
        else:
            return ("utf-8-sig", "utf-8 with byte-order mark") if marked else (name, name)
    likely = _likely(raw)
    raise DataError(
        f"{file.name} is not in {' or '.join(tries)}: byte {failed.start + 1} is 0x{raw[failed.start]:02x}, as "
        f"{likely} might have it; save it as CSV UTF-8 (a file type of Excel, a character set of LibreOffice), or run: "
        f"iconv -f {likely.partition(' ')[0].upper()} -t UTF-8 {quoted(file.name)} > utf8.csv"
    )


def _likely(raw: bytes) -> str:
    """Guess an encoding, of those of Western texts by where letters with accents stand: the other has signs there."""
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "UTF-16"
    with suppress(UnicodeDecodeError):
        return raw.decode("gb18030") and "GB18030"
    seen = np.bincount(np.frombuffer(raw, np.uint8), minlength=256)
    mac, windows = (sum(seen[a:b].sum() for a, b in places) for places in LETTERS)
    return "Macintosh (MacRoman)" if mac > windows else "CP1252 (Windows, Western Europe)"


def _excel(file: Path, sheet: str | None) -> RawTable:
    told, lines = _read_apart(file, "xlsx", sheet)
    if (names := told.get("sheets")) is not None:
        if sheet is not None:
            raise UnknownNameError("sheet", sheet, names)
        shown = ", ".join(map(named, names[:20])) + (" ..." if len(names) > 20 else "")
        raise DataError(f"{file.name} has {len(names)} sheets; say which (--sheet): {shown}.")
    width = max((len(row) for _, row in lines), default=0)
    if width > WIDEST:
        raise DataError(f"{file.name} has {width} columns; at most {WIDEST} are read.")
    return _checked(file, [(number, [*row, *[None] * (width - len(row))]) for number, row in lines], "xlsx")


def _spss(file: Path) -> RawTable:
    with file.open("rb") as opened:
        if opened.read(4) not in (b"$FL2", b"$FL3"):
            raise DataError(f"{file.name} is no SPSS file: it does not begin with $FL2 or $FL3.")
    told, columns = _read_apart(file, "sav")
    rows = len(columns[0]) if columns else 0
    if (stated := told["stated"]) is not None and stated >= 0 and stated != rows:
        raise DataError(f"{file.name} is cut short: {rows} of {stated} rows; a whole .sav is needed.")
    _check_headings(file, told["names"], rows)
    return RawTable(
        file.name, tuple(told["names"]), tuple(range(2, rows + 2)), tuple(columns), told["encoding"],
        tuple(told["wordings"]), {name: dict(labels) for name, labels in told["labels"].items()},
        {name: tuple(map(tuple, ranges)) for name, ranges in told["missing"].items()},
    )  # fmt: skip


def _read_apart(file: Path, kind: str, sheet: str | None = None) -> tuple[dict, list]:
    """Return what another process read from a file, or say why it could not; see `child`."""
    command = [sys.executable, "-I", str(CHILD), kind, str(file.absolute()), json.dumps(sheet)]
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    lines: list = []
    broken: list[str] = []
    limits = (child, SECONDS * (1 + file.stat().st_size // 2**20), broken)
    threading.Thread(target=_watch, args=limits, daemon=True).start()
    try:
        for line in child.stdout or ():
            lines.append(json.loads(line))
    except ValueError:  # the line at which it died
        pass
    finally:  # an interrupt too
        child.kill()
        child.wait()
        if child.stdout:
            child.stdout.close()
    if broken:
        raise DataError(f"{file.name} {broken[0]}; a smaller file, or one saved as csv, is needed.")
    whole = f"a whole .{kind} is needed"
    if not lines or lines.pop() is not None:
        raise DataError(f"{file.name} is damaged: it killed the process that read it; {whole}.")
    last = lines[-1] if lines and isinstance(lines[-1], dict) else {}
    if "wrong" in last:
        raise DataError(f"{file.name} {last['wrong']}.")
    if "damaged" in last:
        raise DataError(f"{file.name} cannot be read as {KINDS[kind]} ({last['damaged']}); {whole}.")
    return lines[0], lines[1:]


def _watch(child: subprocess.Popen[bytes], seconds: int, broken: list[str]) -> None:
    """End a process once it takes too long or too much memory, having said which."""
    import psutil  # and not `resource`: macOS does not keep its limit of memory, Windows has none

    most = min(MEMORY, psutil.virtual_memory().total // 2)
    with suppress(psutil.Error):  # it is gone
        watched = psutil.Process(child.pid)
        while child.poll() is None:
            if (held := watched.memory_info().rss) > most:
                broken.append(f"takes {held:,} bytes of memory to read; at most {most:,} are given")
            elif sum(watched.cpu_times()[:2]) > seconds:  # of the processor: others may keep it busy
                broken.append(f"takes more than {seconds} seconds of processor time to read")
            if broken:
                child.kill()
            time.sleep(0.02)


def _blank(cell: object) -> bool:
    return cell is None or (isinstance(cell, str) and not cell.strip()) or (isinstance(cell, float) and np.isnan(cell))


def _text(cell: object) -> str:
    return "" if cell is None else str(cell).strip()


def neutral(value: object) -> object:
    """Return a value that a spreadsheet shows and does not run: a text that opens like a formula gets an apostrophe.

    >>> [neutral(value) for value in ("=1+1", "@sum", "-3", -3, "plain")]
    ["'=1+1", "'@sum", '-3', -3, 'plain']
    """
    if isinstance(value, str) and value.lstrip()[:1] in tuple("=+-@|") and not NUMBER.fullmatch(value.strip()):
        return "'" + value
    return value


def write_csv(frame: pd.DataFrame, path: str | Path) -> Path:
    """Write a table as csv in UTF-8 with a byte-order mark (Excel needs it for Chinese), formulas neutralised."""
    safe = frame.rename(columns=neutral)
    for k, name in enumerate(frame.columns):
        if not pd.api.types.is_numeric_dtype(frame.iloc[:, k]):
            safe[safe.columns[k]] = frame[name].map(neutral)
    text = safe.to_csv(index=False, lineterminator="\n")
    return write_whole(Path(path), text.encode("utf-8-sig"))
