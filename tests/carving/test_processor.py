"""The kernel that BLAS picks by processor decides nothing."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import gtm_opt as gtm
from gtm_opt.instance import dot, product

PROGRAM = """
import numpy as np, pandas as pd, gtm_opt as gtm
rng = np.random.default_rng(4)
n, k = 90, 5
table = pd.DataFrame({"account_id": [f"A{i:03d}" for i in range(n)], "arr": rng.lognormal(0, 1.2, n).round(2),
    "pipe": rng.lognormal(0, 1.0, n).round(2), "lat": rng.uniform(40, 48, n), "lon": rng.uniform(-100, -80, n),
    "owner": rng.choice([f"T{j}" for j in range(k)], n)})
problem = gtm.CarvingProblem(table, [f"T{j}" for j in range(k)], [gtm.Balance("arr", 0.03), gtm.Balance("pipe", 0.05)],
    prefer=[gtm.KeepOwner("owner", value="arr"), gtm.Near()])
plan = gtm.carve(problem, seed=1, effort=0.1)
print(repr(plan.certificate.value), "".join(plan.assignment["territory"]))
"""


@pytest.mark.slow
@pytest.mark.determinism
def test_four_kernels_of_openblas_give_one_plan() -> None:
    answers = set()
    for core in ("Prescott", "Nehalem", "Haswell", "Zen"):
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM],
            env={**os.environ, "OPENBLAS_CORETYPE": core},
            capture_output=True,
            text=True,
            check=True,
        )
        answers.add(done.stdout)
    assert len(answers) == 1


def test_no_sum_that_decides_goes_through_blas(root: Path) -> None:
    """The operator ``@``, ``np.dot`` and LAPACK add in an order that the processor picks."""
    allowed = {
        "solvers/lagrangian/quadratic.py": [
            "np.linalg.solve(matrix, right)"
        ],  # beyond the size solved in a fixed order
        "solvers/balancing/patterns.py": ["known @ self.value", "self.value @ count"],  # whole numbers
    }
    found = []
    for place in ("solvers", "carving", "measures", "model", "instance"):
        for path in sorted((root / "gtm_opt" / place).rglob("*.py")):
            name = path.relative_to(root / "gtm_opt").as_posix()
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
                code = line.split("#")[0]
                if "``" in code or '"""' in code or re.match(r"\s*@", code):
                    continue
                if re.search(r"[\w\])] @ [\w(]|np\.dot\(|np\.matmul|np\.linalg\.|\.dot\(", code) and not any(
                    piece in code for piece in allowed.get(name, [])
                ):
                    found.append(f"{name}:{number}: {line.strip()}")
    assert found == []


def test_products_in_a_fixed_order_are_products() -> None:
    rng = np.random.default_rng(0)
    left, right = rng.normal(size=(50, 3)), rng.normal(size=(3, 7))
    assert np.allclose(product(left, right), left @ right)
    assert np.allclose(product(left, right[:, 0]), left @ right[:, 0])
    assert product(np.zeros((4, 0)), np.zeros((0, 2))).shape == (4, 2)
    assert dot(left[:, 0], left[:, 1]) == pytest.approx(float(left[:, 0] @ left[:, 1]))


def test_a_definite_system_is_solved_in_a_fixed_order_and_an_indefinite_one_is_refused() -> None:
    from gtm_opt.solvers.lagrangian._kernels import solve_definite

    rng = np.random.default_rng(1)
    for p in (1, 2, 17):
        root = rng.normal(size=(p, p))
        matrix, right = root @ root.T + np.eye(p), rng.normal(size=p)
        answer = right.copy()
        assert solve_definite(matrix, answer)
        assert np.allclose(answer, np.linalg.solve(matrix, right))
    assert not solve_definite(np.array([[1.0, 2.0], [2.0, 1.0]]), np.ones(2))


def test_provenance_names_processor_and_blas() -> None:
    table = pd.DataFrame({"account_id": list("abcd"), "arr": [4.0, 3.0, 2.0, 1.0]})
    plan = gtm.carve(gtm.CarvingProblem(table, 2, [gtm.Balance("arr")]))
    assert plan.provenance["processor"].strip()
    assert plan.provenance["blas"]
