"""The laws: what holds for every request, in every order, on every machine."""
