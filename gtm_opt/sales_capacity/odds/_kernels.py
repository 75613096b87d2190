# mypy: disable-error-code="no-untyped-def"
"""Simulated months of a team: exits, vacancies, backfills, ramps and results, path by path.

Imported late: loading this module loads numba.

Every random number is a hash of (seed, path, stint, person, purpose). Paths do not depend on each other, nor on the
order of stints: the same path of two worlds has the same luck wherever the worlds agree (common random numbers).

References
----------
G. Steele, D. Lea, C. Flood (2014). Fast splittable pseudorandom number generators.
https://doi.org/10.1145/2660193.2660195
M. Wichura (1988). Algorithm AS 241: the percentage points of the normal distribution.
https://doi.org/10.2307/2347330
"""

from __future__ import annotations

import math

import numpy as np

from gtm_opt.solvers._kernels_jit import njit

__all__ = ["normal_quantile", "simulate_paths"]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_PATH = np.uint64(0xD1342543DE82EF95)
# what a random number is for
_KIND, _EXIT, _RESULT, _NOTHING, _STRETCH, _LAG = (np.uint64(k) for k in range(1, 7))
_MONTH = np.uint64(64)


@njit(cache=True, nogil=True, inline="always")
def mix(x):
    """Scramble 64 bits (the finalizer of SplitMix64)."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


@njit(cache=True, nogil=True, inline="always")
def uniform(key, purpose):
    """Return the number in (0, 1) that belongs to a key and a purpose."""
    return (np.float64(mix(key + purpose * _GOLDEN) >> np.uint64(11)) + 0.5) * (1.0 / 9007199254740992.0)


@njit(cache=True, nogil=True)
def normal_quantile(p):
    """Return the quantile of the standard normal distribution (AS 241, relative error 1e-16)."""
    q = p - 0.5
    if abs(q) <= 0.425:
        r = 0.180625 - q * q
        top = 2.5090809287301226727e3
        for c in (3.3430575583588128105e4, 6.7265770927008700853e4, 4.5921953931549871457e4, 1.3731693765509461125e4):
            top = top * r + c
        for c in (1.9715909503065514427e3, 1.3314166789178437745e2, 3.387132872796366608):
            top = top * r + c
        low = 5.2264952788528545610e3
        for c in (2.8729085735721942674e4, 3.9307895800092710610e4, 2.1213794301586595867e4, 5.3941960214247511077e3):
            low = low * r + c
        for c in (6.8718700749205790830e2, 4.2313330701600911252e1, 1.0):
            low = low * r + c
        return q * top / low
    r = math.sqrt(-math.log(p if q < 0 else 1.0 - p))
    if r <= 5.0:
        r -= 1.6
        top = 7.7454501427834140764e-4
        for c in (2.27238449892691845833e-2, 2.41780725177450611770e-1, 1.27045825245236838258, 3.64784832476320460504):
            top = top * r + c
        for c in (5.76949722146069140550, 4.63033784615654529590, 1.42343711074968357734):
            top = top * r + c
        low = 1.05075007164441684324e-9
        for c in (5.475938084995344946e-4, 1.51986665636164571966e-2, 1.48103976427480074590e-1):
            low = low * r + c
        for c in (6.89767334985100004550e-1, 1.67638483018380384940, 2.05319162663775882187, 1.0):
            low = low * r + c
    else:
        r -= 5.0
        top = 2.01033439929228813265e-7
        for c in (2.71155556874348757815e-5, 1.24266094738807843860e-3, 2.65321895265761230930e-2):
            top = top * r + c
        for c in (2.96560571828504891230e-1, 1.78482653991729133580, 5.46378491116411436990, 6.65790464350110377720):
            top = top * r + c
        low = 2.04426310338993978564e-15
        for c in (1.42151175831644588870e-7, 1.84631831751005468180e-5, 7.86869131145613259100e-4):
            low = low * r + c
        for c in (1.48753612908506148525e-2, 1.36929880922735805310e-1, 5.99832206555887937690e-1, 1.0):
            low = low * r + c
    return -top / low if q < 0 else top / low


@njit(cache=True, nogil=True, inline="always")
def lognormal(key, purpose, sigma):
    """Return a factor of mean 1."""
    return math.exp(sigma * normal_quantile(uniform(key, purpose)) - 0.5 * sigma * sigma)


@njit(cache=True, nogil=True)
def poisson(mean, key):
    """Return a Poisson number by inversion, large means in parts; O(mean)."""
    count, part = 0, 0
    while mean > 0.0:
        step = min(mean, 40.0)
        mean -= step
        part += 1
        u = uniform(key, np.uint64(4096 + part))
        term = math.exp(-step)
        below, k = term, 0
        while below < u and term > 0.0:
            k += 1
            term *= step / k
            below += term
        count += k
    return count


@njit(cache=True, nogil=True, inline="always")
def missing_at(missing, role, x):
    """Return the productive months lost up to x months in the role, out of a table in eighths of a month."""
    at = x * 8.0
    last = missing.shape[1] - 1
    if at >= last:
        return missing[role, last]
    k = int(at)
    return missing[role, k] + (at - k) * (missing[role, k + 1] - missing[role, k])


@njit(cache=True, nogil=True, inline="always")
def stretched(missing, role, begin, end, stretch):
    """Return the ramp averaged from begin to end for somebody who takes ``stretch`` times as long."""
    if end <= begin:
        end = begin + 1e-6
    lost = missing_at(missing, role, end / stretch) - missing_at(missing, role, begin / stretch)
    return min(max(1.0 - lost * stretch / (end - begin), 0.0), 2.0)


@njit(cache=True, nogil=True)
def simulate_paths(seed, first_path, stints, hires, noise, out):
    """Simulate paths and add their bookings to ``out``, shape (n_groups, n_paths, n_buckets).

    Parameters
    ----------
    seed : uint64
    first_path : int
        Number of the first path; it has the same random numbers in whichever block it is.
    stints : Stints
    hires : Hires
    noise : Noise
    out : ndarray, zeros
    """
    months = stints.planned.shape[1]
    n_roles = noise.own.shape[0]
    common = np.ones((n_roles, months))
    for path in range(out.shape[1]):
        path_key = mix(seed + np.uint64(first_path + path + 1) * _PATH)
        year = normal_quantile(uniform(path_key, _RESULT))
        for role in range(n_roles):
            s = noise.common[role]
            common[role, :] = math.exp(s * year - 0.5 * s * s)
        if noise.monthly:
            for t in range(months):
                z = normal_quantile(uniform(path_key, _MONTH + np.uint64(t)))
                for role in range(n_roles):
                    s = noise.common_month[role]
                    common[role, t] *= math.exp(s * z - 0.5 * s * s)
        for i in range(stints.planned.shape[0]):
            last = stints.last[i]
            if last < 0:
                continue
            role, group = stints.role[i], stints.group[i]
            stint_key = mix(path_key ^ stints.key[i])
            start, person = stints.first[i], 0
            while True:
                key = mix(stint_key + np.uint64(person + 1) * _PATH)
                kind = 0
                if noise.low_share > 0.0 and uniform(key, _KIND) >= noise.low_share:
                    kind = 1
                factor = noise.output[kind] if noise.low_share > 0.0 else 1.0
                if noise.own[role] > 0.0:
                    factor *= lognormal(key, _RESULT, noise.own[role])
                if noise.zero_share > 0.0:
                    nothing = uniform(key, _NOTHING) < noise.zero_share
                    factor = 0.0 if nothing else factor / (1.0 - noise.zero_share)
                stretch = 1.0
                if noise.stretch > 0.0:
                    stretch = lognormal(key, _STRETCH, noise.stretch)
                stay = stints.stay[kind, i] if person == 0 else hires.stay[role, kind, start]
                gone, u = last + 1, uniform(key, _EXIT)
                if stay[last + 1] < u:
                    gone = start
                    while stay[gone + 1] >= u:
                        gone += 1
                for t in range(start, min(gone, last) + 1):
                    if person > 0:
                        a = t - start
                        level = hires.ramp[role, a]
                        if noise.stretch > 0.0 and a < hires.ramping[role]:
                            scale = hires.months_per_period
                            level = stretched(hires.missing, role, a * scale, (a + 1) * scale, stretch)
                        amount = stints.full[i, t] * level
                    elif noise.stretch > 0.0 and stints.ramping[i, t]:
                        level = stretched(stints.missing, role, stints.begin[i, t], stints.end[i, t], stretch)
                        amount = stints.unramped[i, t] * level
                    else:
                        amount = stints.planned[i, t]
                    if t == gone and noise.middle:
                        amount *= 0.5
                    amount *= factor * common[role, t]
                    if noise.monthly and noise.own_month[role] > 0.0:
                        amount *= lognormal(stint_key, _MONTH + np.uint64(t), noise.own_month[role])
                    if noise.deal_size > 0.0:
                        deal_key = mix(stint_key + np.uint64(t + 1) * _GOLDEN)
                        amount = noise.deal_size * poisson(amount / noise.deal_size, deal_key)
                    out[group, path, stints.bucket[t]] += amount
                if gone > last:
                    break
                following = last + 1
                if hires.lag[role, 0] >= 0.0:
                    u, wait = uniform(key, _LAG), 0
                    while hires.lag[role, wait] < u and wait < hires.lag.shape[1] - 1:
                        wait += 1
                    following = gone + 1 + wait
                if noise.cover > 0.0:
                    for t in range(gone + 1, min(following, last + 1)):
                        out[group, path, stints.bucket[t]] += noise.cover * stints.full[i, t] * common[role, t]
                if following > last:
                    break
                start, person = following, person + 1
