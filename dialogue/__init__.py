"""The dialogue: flows, what callers mean, and what is said next. Values in, values out: no bus, no clock, no socket."""
