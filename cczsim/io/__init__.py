"""Files and domain objects, one format a file."""
