"""Structures of other programs: contours, layered segmentations and meshes become masks on the scan's voxels.

Every importer measures how much of a voxel a structure takes and leaves the yes or no to one place
(`coverage.as_mask`), so that a sphere has the same volume whichever file it came in. Rejected: a voxel counts
when its centre is inside, for all of them; a part thinner than a voxel then comes and goes with the grid.
"""
