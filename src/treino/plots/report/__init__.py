"""Reports: sections about runs and sweeps, written as HTML or Markdown."""
