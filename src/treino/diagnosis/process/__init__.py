"""A script or a module that runs to its own end, in this process, under the doctor."""
