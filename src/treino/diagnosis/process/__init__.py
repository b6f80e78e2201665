"""Run a script or a module to its own end, in this process, under the doctor."""
