"""Ground that everything stands on: grids, volumes, units, progress, errors, findings.

Needs numpy and the standard library only, so that it can be read and tested in minutes.
"""
