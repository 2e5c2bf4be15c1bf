"""Voxels: image files and DICOM in and out. The only package that meets SimpleITK, pydicom and highdicom.

Everything that leaves this package is in LPS millimetres (`cryoplan.core.grid`). A file that cannot be put
in the right place is refused with a reason; nothing is guessed in silence.
"""
