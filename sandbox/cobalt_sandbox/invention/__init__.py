"""Invention: a whole practice made up from a seed, with Faker. No server imports it when it starts."""
