"""Calls from web pages: the sound of a WebSocket into RTP, its frames into events, commands into sound for the page."""
