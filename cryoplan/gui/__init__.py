"""The window: widgets that read the workspace and the view state, and write through their methods only."""
