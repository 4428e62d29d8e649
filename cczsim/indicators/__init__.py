"""Numbers people ask for."""
