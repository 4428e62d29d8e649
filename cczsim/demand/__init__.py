"""How many people travel, where to, and by what."""
