"""Who is whose neighbour: weights by border, distance or economy, with islands treated as the question says."""

import csv
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ronghe.errors import AskError
from ronghe.kernels.spatial import contiguity, economic, great_circle, inverse_distance, link_islands, row_standardise
from ronghe.lenses.fusion.load import in_words
from ronghe.lenses.fusion.measure import Measure
from ronghe.lenses.fusion.peers import structure_of
from ronghe.model.regions import neighbour_pairs

Floats = NDArray[np.float64]
Neighbours = Literal["contiguity", "distance", "economic"]
Island = Literal["sea", "nearest", "keep", "refuse"]


@cache
def seats() -> dict[str, tuple[float, float]]:
    """Province -> latitude and longitude of its seat of government, in degrees."""
    text = files("ronghe.indexing").joinpath("province_seats.csv").read_text(encoding="utf-8")
    return {row["region"]: (float(row["lat"]), float(row["lon"])) for row in csv.DictReader(text.splitlines())}


def distances(regions: Sequence[str]) -> Floats:
    """(n, n) kilometres between seats of government.

    Raises
    ------
    AskError : a region that is no province.
    """
    known = seats()
    strange = [r for r in regions if r not in known]
    if strange:
        raise AskError("no_distances", regions=strange[:6])
    return great_circle([known[r][0] for r in regions], [known[r][1] for r in regions])


def weights_of(measured: Measure, kind: Neighbours, island: Island) -> Floats:
    """(n, n) row-standardised weights between the panel's regions.

    ``contiguity`` counts land borders; a region without one is linked over the sea (Hainan to Guangdong) or to
    its nearest seat, kept without neighbours, or refused. ``distance`` is 1/d between seats; ``economic`` is
    1/|g_i - g_j| of the first structural figure's mean over the years.

    Raises
    ------
    AskError : weights of that kind can't be made for these regions. KernelRefused : an island refused.
    """
    regions = measured.panel.regions
    with in_words(places=[measured.panel.name(r) for r in regions]):
        if kind == "distance":
            return row_standardise(inverse_distance(distances(regions)))
        if kind == "economic":
            structure = structure_of(measured)
            if structure is None:
                raise AskError("no_structure", system=measured.system.names)
            return row_standardise(economic(np.nanmean(structure.values[:, :, 0], axis=0)))
        place = {r: i for i, r in enumerate(regions)}
        if any(r not in seats() for r in regions):
            raise AskError("no_borders", regions=[r for r in regions if r not in seats()][:6])
        pairs = [(place[a], place[b]) for a, b in neighbour_pairs(sea=island == "sea") if a in place and b in place]
        W = contiguity(len(regions), pairs)
        if island == "nearest":
            W = link_islands(W, distances(regions))
        return row_standardise(W, island="keep" if island == "keep" else "raise")
