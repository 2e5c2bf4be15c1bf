"""Export: a solved case leaves the program in formats that every other tool opens; whole or not at all."""
