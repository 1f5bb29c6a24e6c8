"""The control plane of a call: the only code that speaks ARI. Commands come in, Asterisk acts, events go out."""
