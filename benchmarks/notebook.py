"""FROZEN. What a good data scientist does with the same export and without akb: the peer, not to be tuned either way.

    python -m benchmarks.notebook                     (simulated office, both, and the comparison: versus.py)
    python -m benchmarks.notebook --fit FOLDER OUT    (only the peer: FOLDER/polissen.csv and the others)

Written once, in good faith, then left as it is. pandas features per as-of date, eight dates, some 80 columns, one
``LGBMClassifier`` with its defaults per target, 31 targets, each fitted twice: on the dates whose year had closed by
the latest closed date (evidence: AUC there), and on all eight for the scores. What such a person gets right is right
here: every feature at T looks at rows dated up to T; premium, commission and whatever else the back office overwrites
are left out; new numbers for the same policy are no lapse; whoever has given notice at the day of the export is gone.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
from lightgbm import LGBMClassifier
from sklearn.metrics import roc_auc_score

BRANCH = {
    "Aansprakelijkheid particulier": "avp", "AVP": "avp", "Inboedel": "inboedel", "Woonhuis": "opstal",
    "Opstal": "opstal", "Personenauto": "auto", "Auto": "auto", "Doorlopende reis": "reis",
    "Rechtsbijstand gezin": "rechtsbijstand", "Rechtsbijstand particulier": "rechtsbijstand",
    "Caravan": "caravan_camper", "Kampeerauto": "caravan_camper", "Bromfiets": "brommer", "E-bike": "brommer",
    "Uitvaart": "uitvaart", "Begrafenis": "uitvaart", "Ongevallen": "ongevallen",
    "Ongevallen inzittenden": "ongevallen",
    "AVB": "avb", "Bedrijfsaansprakelijkheid": "avb", "Inventaris en goederen": "inventaris",
    "Bedrijfsgebouw": "gebouw_z", "Bestelauto": "wagenpark", "Wagenpark": "wagenpark", "Vrachtauto": "wagenpark",
    "Rechtsbijstand bedrijf": "rechtsbijstand_z", "Cyber": "cyber",
}  # fmt: skip
BRANCHES = sorted(set(BRANCH.values()))
TARGET_BRANCHES = (
    "auto", "inboedel", "avp", "opstal", "reis", "rechtsbijstand", "avb", "inventaris", "rechtsbijstand_z",
    "wagenpark", "uitvaart",
)  # fmt: skip
NATURAL = {
    "Overlijden", "Overleden", "Overlijden verzekeringnemer", "Bedrijfsbeëindiging", "Faillissement", "Einde bedrijf",
    "Object verkocht", "Verkocht", "Total loss", "Verkoop woning", "Emigratie", "Vertrek buitenland", "Verhuizing",
    "Dubbel verzekerd", "Samenwonen",
}  # fmt: skip
INSURER = {"Wanbetaling", "Niet betalen premie", "Opzegging maatschappij", "Schadeverloop"}
TECHNICAL = {"Omnummering", "Productoverzet", "Overdracht portefeuille"}
GAP = pd.Timedelta(days=31)
FAR = pd.Timestamp("2200-01-01")
CHURN = (1, 3, 6, 12)


def read(folder: Path) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return policies, claims and contacts with real dates."""
    tables = []
    for name, dates in (
        ("polissen", ["Ingangsdatum", "Einddatum", "Hoofdvervaldatum"]),
        ("schades", ["Meldingsdatum"]),
        ("contacten", ["Datum"]),
    ):
        table = pd.read_csv(folder / f"{name}.csv", sep=";", decimal=",", encoding="utf-8-sig", dtype={0: str})
        for column in dates:
            table[column] = pd.to_datetime(table[column], format="%d-%m-%Y")
        tables.append(table.rename(columns={"Relatienummer": "customer"}))
    policies, claims, contacts = tables
    policies["branch"] = policies["Branche"].map(BRANCH)
    policies["start"], policies["end"] = policies["Ingangsdatum"], policies["Einddatum"].fillna(FAR)
    reason = policies["Royementsreden"]
    policies["cause"] = np.select(
        [reason.isin(NATURAL), reason.isin(INSURER), reason.isin(TECHNICAL)],
        ["natural", "insurer", "technical"],
        "preventable",
    )
    policies = policies.sort_values(["customer", "branch", "start"], ignore_index=True)
    return renumbered(policies), claims, contacts


def renumbered(policies: pd.DataFrame) -> pd.DataFrame:
    """Give a policy whose place is taken by another of the same branch within a month the cause "technical"."""
    ended = policies.loc[policies["end"] < FAR, ["customer", "branch", "start", "end"]].reset_index()
    pairs = ended.merge(policies[["customer", "branch", "start"]], on=["customer", "branch"], suffixes=("", "_other"))
    near = (pairs["start_other"] - pairs["end"]).abs() <= GAP
    pairs = pairs[near & (pairs["start_other"] > pairs["start"])]
    policies.loc[pairs["index"].unique(), "cause"] = "technical"
    follows = pd.MultiIndex.from_frame(pairs[["customer", "branch", "start_other"]])
    policies["continued"] = pd.MultiIndex.from_frame(policies[["customer", "branch", "start"]]).isin(follows)
    return policies


def months_before(day: pd.Timestamp, months: int) -> pd.Timestamp:
    return day - pd.DateOffset(months=months)


def features(policies: pd.DataFrame, claims: pd.DataFrame, contacts: pd.DataFrame, day: pd.Timestamp) -> pd.DataFrame:
    """Return one row per customer in force on `day`, from what was known then."""
    started = policies[policies["start"] <= day]
    held = started[started["end"] > day]
    fresh = started[~started["continued"]]
    ended = started[(started["end"] <= day) & (started["cause"] != "technical")]
    by = held.groupby("customer")
    age = (day - held["start"]).dt.days / 30.44
    anniversary = (held["Hoofdvervaldatum"].dt.month - day.month - 1) % 12 + 1
    out = pd.DataFrame(
        {
            "policies": by.size(),
            "branches": by["branch"].nunique(),
            "insurers": by["Maatschappij"].nunique(),
            "newest_policy": age.groupby(held["customer"]).min(),
            "oldest_policy": age.groupby(held["customer"]).max(),
            "mean_policy_age": age.groupby(held["customer"]).mean(),
            "next_renewal": anniversary.groupby(held["customer"]).min(),
            "last_renewal": anniversary.groupby(held["customer"]).max(),
            "renewals_in_3_months": (anniversary <= 3).groupby(held["customer"]).sum(),
            "pays_monthly": (held["Termijn"] == 1).groupby(held["customer"]).mean(),
            "pays_yearly": (held["Termijn"] == 12).groupby(held["customer"]).mean(),
            "own_collection": (held["Incassowijze"] == "Tussenpersoon").groupby(held["customer"]).mean(),
            "largest_insurer": held["Maatschappij"]
            .map(held["Maatschappij"].value_counts())
            .groupby(held["customer"])
            .max(),
        }
    )
    counts = pd.crosstab(held["customer"], held["branch"]).reindex(columns=BRANCHES, fill_value=0)
    out = out.join(counts.add_prefix("has_"))
    person = held.drop_duplicates("customer").set_index("customer")
    out["age"] = day.year - person["Geboortejaar"]
    out["business"] = (person["Soort relatie"] == "Zakelijk").astype(int)
    out["self_employed"] = (person["Soort relatie"] == "ZZP").astype(int)
    out["postcode"] = pd.to_numeric(person["Postcode"].str[:2], errors="coerce")
    out["adviser"] = pd.to_numeric(person["Adviseur"].str[3:], errors="coerce")
    out["office"] = person["Kantoor"].astype("category").cat.codes
    out["mailing"] = (person["Mailing"] == "J").astype(int)
    out["customer_since"] = (day - started.groupby("customer")["start"].min()).dt.days / 30.44
    out["had_ever"] = started.groupby("customer").size()
    for months in (3, 6, 12):
        since = months_before(day, months)
        lapsed = ended[ended["end"] > since].groupby("customer")
        out[f"lapses_{months}"] = lapsed.size()
        out[f"starts_{months}"] = fresh[fresh["start"] > since].groupby("customer").size()
        seen = claims[(claims["Meldingsdatum"] <= day) & (claims["Meldingsdatum"] > since)]
        out[f"claims_{months}"] = seen.groupby("customer").size()
        talked = contacts[(contacts["Datum"] <= day) & (contacts["Datum"] > since)]
        out[f"contacts_{months}"] = talked.groupby("customer").size()
        for name, column, word in (
            ("inbound", "Richting", "Inkomend"),
            ("complaints", "Onderwerp", "Klacht"),
            ("quotes", "Onderwerp", "Offerte"),
            ("premium_questions", "Onderwerp", "Premie"),
        ):
            out[f"{name}_{months}"] = talked[talked[column] == word].groupby("customer").size()
    year = months_before(day, 12)
    seen = claims[(claims["Meldingsdatum"] <= day) & (claims["Meldingsdatum"] > year)]
    out["claim_amount_12"] = seen.groupby("customer")["Schadebedrag"].sum()
    out["claims_at_fault_12"] = seen[seen["Schuld"] == "J"].groupby("customer").size()
    gone = ended[ended["end"] > year]
    out["preventable_lapses_12"] = gone[gone["cause"] == "preventable"].groupby("customer").size()
    happened = [name for name in out if name.endswith(("_3", "_6", "_12"))]
    out[happened] = out[happened].fillna(0)
    out["months_since_lapse"] = (day - gone.groupby("customer")["end"].max()).dt.days / 30.44
    out["months_since_claim"] = (day - seen.groupby("customer")["Meldingsdatum"].max()).dt.days / 30.44
    talked = contacts[(contacts["Datum"] <= day) & (contacts["Datum"] > year)]
    out["months_since_contact"] = (day - talked.groupby("customer")["Datum"].max()).dt.days / 30.44
    for channel in ("Telefoon", "E-mail", "Portaal", "Bezoek"):
        out[f"by_{channel}"] = talked[talked["Kanaal"] == channel].groupby("customer").size()
        out[f"by_{channel}"] = out[f"by_{channel}"].fillna(0)
    out["outbound_share"] = 1 - out["inbound_12"] / out["contacts_12"].where(out["contacts_12"] > 0)
    out["contact_trend"] = out["contacts_3"] - out["contacts_12"] / 4
    out["policies_a_branch"] = out["policies"] / out["branches"]
    out["adviser_lapses_12"] = out.groupby("adviser")["lapses_12"].transform("mean")
    out["net_growth_12"] = out["starts_12"] - out["lapses_12"]
    out["month"] = day.month
    return out


def relation_end(policies: pd.DataFrame, day: pd.Timestamp) -> pd.DataFrame:
    """Return, per customer in force, the first day without a policy and none within a month, and its cause."""
    here = policies.loc[(policies["start"] <= day) & (policies["end"] > day), "customer"].unique()
    rows = policies[policies["customer"].isin(here) & (policies["end"] > day)].sort_values(["customer", "start"])
    rows = rows.assign(reach=rows.groupby("customer")["end"].cummax(), next=rows.groupby("customer")["start"].shift(-1))
    broken = rows[(rows["reach"] < FAR) & (rows["next"].isna() | (rows["next"] > rows["reach"] + GAP))]
    gone = broken.groupby("customer")["reach"].first().rename("gone")
    last = rows.merge(gone, on="customer")
    last = last[last["end"] == last["gone"]].drop_duplicates("customer").set_index("customer")
    return last[["gone", "cause"]]


def labels(policies: pd.DataFrame, day: pd.Timestamp, customers: pd.Index) -> pd.DataFrame:
    """Return the 31 targets of these customers; NaN where there is nothing to ask."""
    out = pd.DataFrame(index=customers)
    end = relation_end(policies, day).reindex(customers)
    for months in CHURN:
        out[f"churn_{months}m"] = (end["gone"] <= day + pd.DateOffset(months=months)).astype(float)
    for cause in ("natural", "insurer", "preventable"):
        out[f"churn_{cause}_12m"] = out["churn_12m"] * (end["cause"] == cause)
    year = day + pd.DateOffset(months=12)
    held = policies[(policies["start"] <= day) & (policies["end"] > day)]
    lost = held[(held["end"] <= year) & (held["cause"] != "technical")]
    new = policies[(policies["start"] > day) & (policies["start"] <= year)]
    has = pd.crosstab(held["customer"], held["branch"]).reindex(customers, columns=BRANCHES, fill_value=0) > 0
    lapses = pd.crosstab(lost["customer"], lost["branch"]).reindex(customers, columns=BRANCHES, fill_value=0) > 0
    buys = pd.crosstab(new["customer"], new["branch"]).reindex(customers, columns=BRANCHES, fill_value=0) > 0
    out["policy_lapse_any_12m"] = lapses.any(axis=1).astype(float)
    out["cross_sell_any_12m"] = (buys & ~has).any(axis=1).astype(float)
    for branch in TARGET_BRANCHES:
        out[f"lapse_{branch}_12m"] = lapses[branch].astype(float).where(has[branch])
        out[f"next_policy_{branch}_12m"] = buys[branch].astype(float).where(~has[branch])
    return out


def announced(policies: pd.DataFrame, day: pd.Timestamp, scores: pd.DataFrame) -> pd.DataFrame:
    """Notice was given: what the export's own end dates say is certain."""
    known = labels(policies, day, scores.index)
    for name in [each for each in scores if each.startswith(("churn", "lapse", "policy_lapse"))]:
        scores[name] = scores[name].mask(known[name] == 1, 1.0)
    return scores


def main(folder: Path, out: Path) -> None:
    """Fit everything, print the evidence, write the scores of the last day."""
    policies, claims, contacts = read(folder)
    today = contacts["Datum"].max()
    closed = pd.date_range(end=months_before(today, 12) - GAP, periods=1, freq="ME")[-1]
    dates = [*pd.date_range(end=closed - pd.Timedelta(days=1), periods=7, freq="QE"), closed]
    x = {day: features(policies, claims, contacts, day) for day in [*dates, today]}
    y = {day: labels(policies, day, x[day].index) for day in dates}
    proof = [day for day in dates if day + pd.DateOffset(months=12) + GAP <= closed]
    scores, evidence = pd.DataFrame(index=x[today].index), {}
    for target in y[dates[0]]:
        for train, test in ((proof, closed), (dates, today)):
            label = pd.concat([y[day][target] for day in train])
            rows = pd.concat([x[day] for day in train])[label.notna().to_numpy()]
            model = LGBMClassifier(verbose=-1).fit(rows, label.dropna())
            chance = pd.Series(model.predict_proba(x[test])[:, 1], index=x[test].index)
            if test == today:
                scores[target] = chance
            else:
                asked = y[test][target].dropna()
                evidence[target] = roc_auc_score(asked, chance[asked.index])
    said = announced(policies, today, scores).reset_index()
    pl.DataFrame(said.to_dict("list")).write_parquet(out)  # pandas would ask for pyarrow
    print(f"{len(dates)} dates {dates[0]:%d-%m-%Y} .. {closed:%d-%m-%Y}, proof on {len(proof)} of them")
    print(f"{x[today].shape[1]} features, {len(evidence)} targets, mean AUC {np.mean(list(evidence.values())):.3f}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--fit"]:
        main(Path(sys.argv[2]), Path(sys.argv[3]))
    else:
        from benchmarks.versus import main as compare

        compare()
