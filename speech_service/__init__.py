"""Text in, audio out, a piece at a time: engines in processes of their own, a cache, voices that fall in."""
