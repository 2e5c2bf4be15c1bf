"""Patient: an image and its structures, and the file that keeps them."""
