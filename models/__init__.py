"""Speech models that ship with Pronto, and how they are made."""
