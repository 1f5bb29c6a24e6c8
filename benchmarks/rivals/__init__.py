"""Programs of other projects' interpreters: they import what the benchmark installs, and nothing of ours."""
