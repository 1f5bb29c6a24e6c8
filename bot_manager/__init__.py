"""The brain: events of a call in, commands out; flows, slots, one task per call, call records."""
