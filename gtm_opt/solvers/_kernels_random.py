# mypy: disable-error-code="no-untyped-def"
"""The random numbers of compiled searches: a xorshift64* generator whose state is an array of one uint64.

Imported late: loading this module loads numba.

References
----------
S. Vigna (2016). An experimental exploration of Marsaglia's xorshift generators, scrambled.
https://doi.org/10.1145/2845077
"""

from __future__ import annotations

import numpy as np

from gtm_opt.solvers._kernels_jit import njit

__all__ = ["next_float"]


@njit(cache=True, nogil=True)
def next_float(state):
    """Advance the generator and return a float in [0, 1)."""
    x = state[0]
    x ^= x >> np.uint64(12)
    x ^= x << np.uint64(25)
    x ^= x >> np.uint64(27)
    state[0] = x
    return ((x * np.uint64(2685821657736338717)) >> np.uint64(11)) * (1.0 / 9007199254740992.0)
