"""Raw OpenStreetMap objects become networks."""
