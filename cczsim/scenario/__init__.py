"""What a run is, changes to a network, running one, comparing two."""
