"""Conformance suites that ship with Farm: inherit one and give it what you made."""
