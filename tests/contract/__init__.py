"""The contracts and the code, held against each other."""
