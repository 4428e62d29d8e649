"""Load, build, check, run, save: what each command does, end to end."""
