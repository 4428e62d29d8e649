"""Transport network simulation: roads and rail from OpenStreetMap, exact assignment, scenarios."""

__version__ = "0.1.0"
