"""Compiled pure functions: arrays in, arrays out."""
