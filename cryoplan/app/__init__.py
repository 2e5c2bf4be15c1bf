"""State of the window without widgets: the workspace, its undo history and the background worker.

Decision (architecture 11.3): long work runs in one spawned process behind a pipe, not in a thread. numba's
compiler and scipy's distance transforms hold the interpreter lock when they share a process with the
window; from another process they cost it nothing, and a file that crashes its reader takes only that
process with it.
"""
