"""DICOM out: what was planned becomes objects of the scan's own study, for archives and other programs.

Patient, study and references are copied from the files of the scan itself, read again when they are needed: a
case keeps no name of a patient. Every object is a new series with new UIDs. Segmentations are written as BINARY,
because label maps are too new for most readers (dciodvfy, dcmtk 3.6.7, Orthanc 1.10.1 know none), and contours
run along the edges of voxels, so that any rasteriser gives back the voxels they came from.
"""
