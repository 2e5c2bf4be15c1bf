"""Pictures: what the window, the report and the tests draw with.

Three layers, each usable alone: numbers (`slices`, `contours`, `readout`, `pick`: numpy and scipy), pictures
on paper (`snapshot`: matplotlib's Agg), and the 3D view (`meshes`, `view3d`: pyvista, imported late).

Oriented images never enter VTK: surfaces are found in index space and moved to LPS millimetres by the grid's
affine (`meshes`). Translucent surfaces are drawn from inside to outside instead of by depth peeling, which
made them vanish on software renderers.
"""
