"""What makes sound of text, behind one port: each engine in a process of its own, or on another server."""
