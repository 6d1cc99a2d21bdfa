"""CDNOW's repeat purchases: against published counts, the package's own summary, and loops over made-up customers."""

from __future__ import annotations

import io
import runpy
import tarfile
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from socialcommerce import data, evidence
from socialcommerce.project import root
from socialcommerce.public_data import records
from tests.test_data import raw_files

CELLS, ORDERS, WEEKS = (data.load(f"cdnow_{name}") for name in ("cells", "orders", "weeks"))
SCRIPT = runpy.run_path(str(root() / "data" / "prepare" / "cdnow.py"))
SPLIT, END = date(1997, 10, 1), date(1998, 7, 1)


# --- the committed counts ---------------------------------------------------------------------------------------------


def test_everybody_is_counted():
    assert CELLS["customers"].sum() == ORDERS.loc[0, "customers"] == WEEKS["customers"].unique() == 23_570


def test_as_many_buy_once_in_39_weeks_as_in_the_published_tenth():
    """1411 of a systematic sample of 2357 (Fader, Hardie & Lee 2005, doi:10.1287/mksc.1040.0098)."""
    once = CELLS.groupby("frequency")["customers"].sum()[1] / 23_570
    error = np.sqrt(once * (1 - once) / 2357)
    assert once == pytest.approx(1411 / 2357, abs=2 * error)


def test_both_tables_know_as_many_who_order_again_within_26_weeks():
    assert ORDERS.loc[0, "again"] == WEEKS.loc[WEEKS["week"] <= 26, "second"].sum()


def test_counts_are_those_of_the_rows_they_name_with_their_hash(tmp_path):
    for name, again in SCRIPT["build"](*raw_files("cdnow")).items():
        assert data.source("cdnow").sha256 in data.source(f"cdnow_{name}").locator
        again.to_csv(tmp_path / "again.csv", index=False, lineterminator="\n")
        assert (tmp_path / "again.csv").read_bytes() == data.data_path(f"cdnow_{name}").read_bytes()


def test_orders_before_the_split_are_those_of_the_package_s_own_summary():
    """It holds the repeat orders of every tenth customer in the same 39 weeks."""
    (path,) = raw_files("cdnow")
    with tarfile.open(path) as archive:
        folder = SCRIPT["MEMBER"].rpartition("/")[0]
        theirs = pd.read_csv(archive.extractfile(f"{folder}/cdnow_customers_summary.csv"))["frequency"]
        sample = pd.read_csv(archive.extractfile(f"{folder}/CDNOW_sample.txt"), sep=r"\s+", header=None, dtype=str)
    orders = SCRIPT["orders"](SCRIPT["rows"](path))
    ours = orders[orders["day"] < SCRIPT["SPLIT"]].groupby("customer_id").size()
    assert (ours[sample[0].drop_duplicates()].to_numpy() - 1).tolist() == theirs.tolist()


# --- made-up customers ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def log() -> dict[str, dict[date, int]]:
    """What each of 90 customers spent in cents, by day; several purchases of one day are added up.

    Two of them order on the days on which something ends: the split, and half a year after the first order.
    """
    rng = np.random.default_rng(7)
    log = {}
    for customer in range(90):
        first = date(1997, 1, 1) + timedelta(days=int(rng.integers(0, 84)))
        gaps = np.cumsum(rng.integers(1, 300 if customer % 2 else 30, rng.integers(0, 14)))
        days = [first, *(first + timedelta(days=int(gap)) for gap in gaps)]
        log[f"{customer:05}"] = {day: int(rng.integers(500, 9000)) for day in days if day < END}
    log["00088"] = {date(1997, 1, 1): 1200, date(1997, 7, 2): 1300, SPLIT: 1400}
    log["00089"] = {date(1997, 1, 2): 1200, date(1997, 12, 30): 1300, END - timedelta(days=182): 1400}
    return log


@pytest.fixture(scope="module")
def tables(log, tmp_path_factory) -> dict[str, pd.DataFrame]:
    lines = [
        f" {customer} {day:%Y%m%d} 1 {part / 100:7.2f}"
        for customer, spent in log.items()
        for day, cents in spent.items()
        for part in (cents // 3, cents - cents // 3)
    ]
    text = "\r\n".join([" customer_id  date number_of_cds  dollar_value", *lines]).encode()
    member, path = tarfile.TarInfo(SCRIPT["MEMBER"]), tmp_path_factory.mktemp("cdnow") / "package.tar.gz"
    member.size = len(text)
    with tarfile.open(path, "w:gz") as archive:
        archive.addfile(member, io.BytesIO(text))
    return SCRIPT["build"](path)


def test_repeats_are_counted_as_by_hand(log, tables):
    near, never, again = timedelta(days=182), date(2000, 1, 1), {order: [] for order in range(1, 11)}
    for days in map(list, log.values()):
        for rank, (day, after) in enumerate(zip(days, [*days[1:], never], strict=True), 1):
            if day + near < END:
                again[min(rank, 10)].append(after - day <= near)
    assert tables["orders"].to_numpy().tolist() == [[order, len(who), sum(who)] for order, who in again.items() if who]


def test_weeks_are_counted_as_by_hand(log, tables):
    last = (END - max(min(spent) for spent in log.values())).days // 7
    assert tables["weeks"]["week"].tolist() == list(range(1, last + 1))
    for row in tables["weeks"].itertuples():
        since = [[-(-(day - min(spent)).days // 7) for day in spent] for spent in log.values()]
        assert row.ordered == sum(row.week in weeks for weeks in since)
        assert row.second == sum(len(weeks) > 1 and weeks[1] == row.week for weeks in since)


def test_segments_are_counted_as_by_hand(log, tables):
    cells = tables["cells"]
    before = {who: {d: c for d, c in spent.items() if d < SPLIT} for who, spent in log.items()}
    after = {who: {d: c for d, c in spent.items() if d >= SPLIT} for who, spent in log.items()}
    for frequency, part in cells.groupby("frequency"):
        inside = [who for who in log if min(len(before[who]), 3) == frequency]
        assert part["customers"].sum() == len(inside)
        assert part["returned"].sum() == sum(bool(after[who]) for who in inside)
        assert part["later_orders"].sum() == sum(len(after[who]) for who in inside)
        assert part["later_cents"].sum() == sum(sum(after[who].values()) for who in inside)
        assert part["days"].sum() == sum((SPLIT - max(before[who])).days for who in inside)
    assert cells.groupby("monetary")["customers"].sum().tolist() == [30, 30, 30]
    for trait, worth in (("monetary", "cents"), ("recency", "days")):
        mean = cells.groupby(trait)[worth].sum() / cells.groupby(trait)["customers"].sum()
        assert mean.is_monotonic_increasing if trait == "monetary" else mean.is_monotonic_decreasing


def test_ties_stay_in_one_third():
    assert SCRIPT["third"](pd.Series([1, 1, 1, 2, 5, 9])).tolist() == [1, 1, 1, 2, 3, 3]


# --- what is shown ----------------------------------------------------------------------------------------------------


def test_who_ordered_more_comes_back_more_often():
    by_orders = CELLS.groupby("frequency")[["returned", "customers"]].sum()
    assert (by_orders["returned"] / by_orders["customers"]).is_monotonic_increasing
    assert records.repeat_by_orders(ORDERS)["order"].iloc[-1] == "10+"


def test_no_claim_rests_on_them():
    verdict = evidence.assess("H09")
    assert (verdict.outcome, verdict.grade, verdict.evidence) == ("not testable", "remote", ("public data set",))
