"""The blinded recognition test: per adviser customers of the list between customers drawn at
random, in one order.

"94 % found the list good" says nothing if a random list would have been found as good. So the
adviser judges both without knowing which is which, and the difference is what counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from akb.core.proportions import interval
from akb.value.targeting.contact import rules

if TYPE_CHECKING:
    from akb.value.in_force import InForce
    from akb.value.targeting.eligibility import Eligibility

Z95 = 1.959963984540054
SCHEMA = {"adviser": pl.String, "number": pl.Int64, "customer": pl.UInt32, "listed": pl.Boolean}


def recognition_test(base: InForce, eligible: Eligibility, defend: pl.DataFrame) -> pl.DataFrame:
    """Return who is judged: adviser, number (the order on paper), customer, ``listed`` (the key).

    Per adviser the first of the Top Defend list, and as many as the settings say from the adviser's
    other customers who may be on a list. Listed customers of the control group take part: nobody is
    called for the test. An adviser with too few listed customers takes no test."""
    rule = rules("recognition")
    listed = defend.sort("rank").select("customer", "adviser").drop_nulls("adviser")
    everyone = base.customers.select("row", "customer", "adviser")
    allowed = everyone.filter(pl.Series(eligible.callable)).drop_nulls("adviser")
    others = allowed.join(defend.select("customer"), on="customer", how="anti")
    made: list[tuple[str, int, int, bool]] = []
    for place, adviser in enumerate(listed["adviser"].unique().sort().to_list()):
        mine = (
            listed.filter(pl.col("adviser") == adviser)["customer"]
            .head(int(rule["listed"]))
            .to_list()
        )
        pool = others.filter(pl.col("adviser") == adviser)["customer"].sort().to_list()
        if len(mine) < int(rule["least"]) or len(pool) < int(rule["least"]):
            continue
        rng = np.random.default_rng([base.settings.models.seed, 0x7E57, place])
        drawn = rng.choice(len(pool), size=min(int(rule["random"]), len(pool)), replace=False)
        cards = [(customer, True) for customer in mine] + [
            (pool[number], False) for number in sorted(drawn.tolist())
        ]
        for number, card in enumerate(rng.permutation(len(cards)).tolist(), start=1):
            made.append((adviser, number, cards[card][0], cards[card][1]))
    return pl.DataFrame(made, schema=SCHEMA, orient="row")


def effectiveness(
    listed_yes: int, listed: int, random_yes: int, random: int
) -> tuple[float, float, float]:
    """Return the difference in the share of "yes" between list and chance, with its 95 % interval
    (Newcombe).

    The interval joins the two Wilson score intervals, so that it also holds for small numbers and
    shares near 0 or 1.

    Raises
    ------
    ValueError
        If nobody was judged.
    """
    if min(listed, random) < 1:
        raise ValueError("a test needs judged customers of both kinds")
    p, q = listed_yes / listed, random_yes / random
    (p_low, p_high), (q_low, q_high) = (
        interval(yes, of, Z95) for yes, of in ((listed_yes, listed), (random_yes, random))
    )
    low = p - q - float(np.hypot(p - p_low, q_high - q))
    return p - q, low, p - q + float(np.hypot(p_high - p, q - q_low))
