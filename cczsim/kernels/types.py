"""What kernels take: named tuples of arrays, and the constants they share."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

NO_LINK: Final = -1
N_BLOCKS: Final = 64
"""Origins are summed in this many fixed blocks, so that threads never change a bit."""


class ForwardStar(NamedTuple):
    """A directed graph for path search, its nodes and links renumbered for locality.

    Parameters
    ----------
    first_out : int32 array [node + 1]
        Offset of a node's first outgoing link.
    tail, head : int32 array [link]
    through : bool array [node]
        Whether paths may pass the node; a path may begin and end at any node.
    link : int32 array [link]
        Row of the link in the road network.
    rank : int32 array [node]
        Position here of a node of the road network.
    """

    first_out: npt.NDArray[np.int32]
    tail: npt.NDArray[np.int32]
    head: npt.NDArray[np.int32]
    through: npt.NDArray[np.bool_]
    link: npt.NDArray[np.int32]
    rank: npt.NDArray[np.int32]


Array = npt.NDArray[Any]
