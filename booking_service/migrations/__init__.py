"""Revisions of the business data's tables, oldest first in `versions/`."""
