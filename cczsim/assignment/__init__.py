"""Algorithms: the only callers of kernels."""
