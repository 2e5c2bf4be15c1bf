"""Outlining: tools that make and change masks of a scan, by hand or from a few clicks.

All of them are plain functions of arrays and grids: the window previews with them, a step of the history is
made with them, and a script can call them. Positions are LPS millimetres, masks lie on the scan's own grid,
oblique or not; only the voxels around the place of work are touched, since a scan has a hundred million.
Rejected: an own level-set or learning tool for the tumour. A grown region that a radiologist corrects with a
brush is understood by the one who answers for it.
"""
