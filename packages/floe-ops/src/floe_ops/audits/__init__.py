"""Checks that can fail, each with its findings as data."""
