"""Imports of people from a table: read, checked as a whole, written in short transactions, undoable."""
