"""Simulated callers: SIP and RTP, what they say by script, what they hear and when. For tests and measurements only."""
