"""Roads, rail, zones: frozen columns."""
