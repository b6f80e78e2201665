"""Record what a program does while it trains, as a log of typed events; reads no source, decides nothing."""
