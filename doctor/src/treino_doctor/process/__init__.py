"""Run a script or a module to its end, in this process, under the doctor."""
