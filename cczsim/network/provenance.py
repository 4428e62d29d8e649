"""Where a value comes from: said for each attribute of each link."""

from __future__ import annotations

from enum import IntEnum


class Source(IntEnum):
    """Origin of one attribute of one link.

    ``TAGGED`` was read from the source data as it stands; ``DERIVED`` follows from other data by
    a stated rule; ``DEFAULT`` was filled from a class table, so it is a guess; ``USER`` was given
    by a scenario, a table or a finished network; ``GENERATED`` was made up by the street
    generator, the link with it.
    """

    TAGGED = 0
    DERIVED = 1
    DEFAULT = 2
    USER = 3
    GENERATED = 4


GUESSED = (Source.DEFAULT, Source.GENERATED)
