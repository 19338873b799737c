"""Trees: the number of threads changes how long they take to grow, and nothing else."""

import numpy as np
import pytest

from akb.models.learners import Sample, fit_boosting, without_rows
from akb.models.learners.logistic import fit_logistic

N, COLUMNS, CODE = 3_000, 8, 3


def test_one_thread_and_several_grow_the_same_trees() -> None:
    rng = np.random.default_rng(4)
    x = rng.normal(size=(N, COLUMNS)).astype(np.float32)
    x[rng.random(N) < 0.4, 2] = np.nan
    x[:, CODE] = rng.integers(0, 12, N)
    link = x[:, 0] + np.nan_to_num(x[:, 2]) + (x[:, CODE] % 3) - 1
    happened = np.asarray(rng.random(N) < 1 / (1 + np.exp(-link)), dtype=np.float64)
    one, two = (
        fit_boosting(x, happened, names=list("abcdefgh"), seed=3, jobs=jobs, trees=20, categorical=[CODE])
        for jobs in (1, 2)
    )
    assert "num_cat=1" in one.text
    assert one.text == two.text


@pytest.mark.parametrize("objective", ["binary", "poisson"])
def test_what_boosting_leaves_of_its_own_rows_is_what_the_trees_say_of_them(objective: str) -> None:
    rng = np.random.default_rng(5)
    x = rng.normal(size=(N, COLUMNS)).astype(np.float32)
    x[rng.random(N) < 0.3, 1] = np.nan
    start = rng.normal(size=N) - 2
    label = np.asarray(rng.random(N) < 1 / (1 + np.exp(-start - x[:, 0])), dtype=np.float64)
    weight = np.where(label > 0, 1.0, 40.0)
    made = fit_boosting(
        x,
        label,
        weight=weight,
        init_score=start,
        names=list("abcdefgh"),
        objective=objective,  # type: ignore[arg-type]
        seed=3,
        jobs=1,
        trees=20,
    )
    assert made.learned is not None
    np.testing.assert_allclose(made.learned, made.predict(x, start), rtol=1e-9)
    kept = without_rows(made)
    assert kept.learned is None and kept.text == made.text


@pytest.mark.parametrize("objective", ["binary", "poisson"])
def test_splines_that_start_at_the_base_rate_end_where_those_from_zero_do(
    objective: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sklearn.linear_model import LogisticRegression, PoissonRegressor

    rng = np.random.default_rng(6)
    x = rng.normal(size=(N, 3)).astype(np.float32)
    offset = np.full(N, -3.0)
    label = np.asarray(rng.random(N) < np.exp(offset + 0.5 * x[:, 0]), dtype=np.float64)
    sample = Sample(x, label, np.ones(N), offset, np.arange(N), ("a", "b", "c"))
    warm = fit_logistic(sample, objective)  # type: ignore[arg-type]
    for kind in (LogisticRegression, PoissonRegressor):
        fitted = kind.fit

        def cold(self, *given, _fitted=fitted, **named):  # type: ignore[no-untyped-def]
            return _fitted(self.set_params(warm_start=False), *given, **named)

        monkeypatch.setattr(kind, "fit", cold)
    zero = fit_logistic(sample, objective)  # type: ignore[arg-type]
    np.testing.assert_allclose(warm.predict(x, offset), zero.predict(x, offset), rtol=2e-3)
