"""Which lists are not delivered, because nothing shows that their order is better than chance."""

from __future__ import annotations

from typing import TYPE_CHECKING

from akb.core.wording.proof import flat_words

if TYPE_CHECKING:
    from akb.core.wording.proof import Shown
    from akb.value.in_force import InForce

TOP_DEFEND, NEXT_BEST, WINBACK = "top_defend", "next_best_policy", "winback"
ANY_PURCHASE, COMES_BACK = "cross_sell_any_12m", "winback_12m"


def withheld_lists(in_force: InForce) -> dict[str, str]:
    """Return list -> the sentence that says why it is not delivered, in the language of the report.

    Only of lists that could be made: one for which the export lacks something is empty for another
    reason."""
    found = {
        TOP_DEFEND: (
            _without_order(in_force, in_force.churn_shown) if in_force.has_ended else None
        ),
        NEXT_BEST: _next_best(in_force),
        WINBACK: _winback(in_force),
    }
    return {name: sentence for name, sentence in found.items() if sentence}


def _without_order(in_force: InForce, shown: Shown) -> str | None:
    if shown.order == "proven":
        return None
    return shown.order_words(in_force.settings.report.language)


def _next_best(in_force: InForce) -> str | None:
    """One proven order is enough: the list holds branches side by side and says per branch what was
    shown of it.
    """
    if in_force.models.branch_purchase.is_empty():
        return None
    keys = [entry.key for entry in in_force.entries if entry.method == "family_purchase"]
    made = [
        in_force.predictions[key].shown
        for key in (ANY_PURCHASE, *keys)
        if key in in_force.predictions
    ]
    if any(each.order == "proven" for each in made):
        return None
    return _without_order(in_force, in_force.shown(ANY_PURCHASE, *keys))


def _winback(in_force: InForce) -> str | None:
    former = in_force.models.winback
    if former is None or COMES_BACK not in former.columns or not former[COMES_BACK].count():
        return None
    return (
        flat_words(in_force.settings.report.language)
        if former[COMES_BACK].drop_nulls().n_unique() == 1
        else _without_order(in_force, in_force.shown(COMES_BACK))
    )
