"""The secrets of this run are its canaries: random, made for it alone, and looked for everywhere afterwards."""
