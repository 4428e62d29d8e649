"""Streets proposed to reach a density: where they go, what they cost, which of them to build."""
