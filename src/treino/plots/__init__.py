"""Drawing: pictures and pages out of numbers that ``inspection`` computed."""
