import numpy as np
import pytest

from akb.models.evidence.intervals import paired_difference
from akb.models.evidence.metrics import losses
from akb.models.temporal.selection import compare_candidates


def world(n: int = 3000, seed: int = 1) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    p = 1 / (1 + np.exp(-(-2 + rng.normal(size=n))))
    return p, (rng.random(n) < p).astype(float), np.arange(n)


def test_the_simplest_within_one_standard_error_wins() -> None:
    p, label, cluster = world()
    rng = np.random.default_rng(8)
    near = 1 / (1 + np.exp(-(np.log(p / (1 - p)) + 0.02 * rng.normal(size=len(p)))))
    rate = np.full(len(p), label.mean())
    won = compare_candidates({"boosting": p, "logistic": near, "rate": rate}, label, cluster)
    assert won.winner == "logistic"
    assert [each.name for each in won.candidates] == ["rate", "logistic", "boosting"]
    assert won.gain_significant
    assert sum(each.won for each in won.candidates) == 1


def test_a_clearly_better_model_beats_a_simpler_one() -> None:
    p, label, cluster = world()
    blurred = 0.5 * p + 0.5 * label.mean()
    assert compare_candidates({"logistic": blurred, "boosting": p}, label, cluster).winner == "boosting"


def test_nothing_to_learn_leaves_the_rate_without_a_gain() -> None:
    _, label, cluster = world()
    noise = np.clip(label.mean() * np.exp(0.3 * np.random.default_rng(3).normal(size=len(label))), 0, 1)
    won = compare_candidates({"rate": np.full(len(label), label.mean()), "boosting": noise}, label, cluster)
    assert won.winner == "rate" and not won.gain_significant


def test_repeating_every_customer_does_not_shrink_the_error() -> None:
    p, label, cluster = world()
    once = paired_difference(losses("binary", label, p), losses("binary", label, np.full(len(p), 0.1)), cluster)
    many = [np.repeat(each, 5) for each in (label, p, cluster)]
    five = paired_difference(
        losses("binary", many[0], many[1]), losses("binary", many[0], np.full(len(p) * 5, 0.1)), many[2]
    )
    assert five == pytest.approx(once, rel=1e-9)


def test_weights_stand_for_repeated_rows() -> None:
    p, label, cluster = world(500)
    weight = np.where(label > 0, 1.0, 3.0)
    repeat = weight.astype(int)
    rate = np.full(len(p), 0.1)
    weighted = compare_candidates({"rate": rate, "boosting": p}, label, cluster, weight=weight)
    repeated = compare_candidates(
        {"rate": np.repeat(rate, repeat), "boosting": np.repeat(p, repeat)},
        np.repeat(label, repeat),
        np.repeat(cluster, repeat),
    )
    for one, other in zip(weighted.candidates, repeated.candidates, strict=True):
        assert one.loss == pytest.approx(other.loss)
        assert one.standard_error == pytest.approx(other.standard_error)


def test_poisson_loss_is_the_deviance() -> None:
    from sklearn.metrics import mean_poisson_deviance

    rng = np.random.default_rng(4)
    mu = np.exp(rng.normal(size=200))
    count = rng.poisson(mu).astype(float)
    assert losses("poisson", count, mu).mean() == pytest.approx(mean_poisson_deviance(count, mu))
