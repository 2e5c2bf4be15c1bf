"""Anatomy: what can be found in a CT without a trained model - body, lung, gas, bone, fat, bright vessels.

Every finder is a plain function of voxels that gives a mask on the scan's own grid and says what it is unsure
of; nothing here decides, a user accepts or discards. Hounsfield values and shapes only: organs of like
density (liver, bowel wall, muscle) are not told apart, and nothing pretends to. Borders come from physics
(halfway between the values of two tissues), never from the labels of one data set. On an MR, whose values
have no unit, only the body is offered.
Rejected: working on every voxel. Shapes of centimetres are decided on blocks of about 1.8 mm, which average
noise as well; the outline is then drawn on the scan's voxels.
"""
