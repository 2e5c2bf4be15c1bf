"""Outlines by another program, TotalSegmentator, where the user has installed it; it is no part of this one.

It is looked for when it is asked for (`installed`), and run in a process of its own by a script that opens no
network connection (`runner`), so that a large network can neither take the window's memory nor fall with it.
Weights are never fetched: where they are missing, the user is told the command that fetches them. What comes
back is a label map like any other and is read by the reader of label maps.

Rejected: importing it here. It needs gigabytes of PyTorch, cannot be stopped half way, and sends statistics
of use over the network unless that is switched off.
"""
