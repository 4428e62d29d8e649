"""A region drawn by hand becomes a network, with streets grown in its built-up areas."""
