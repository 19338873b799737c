"""Trees: the number of threads changes how long they take to grow, and nothing else."""

import numpy as np

from akb.models.learners import fit_boosting

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
