"""An example of a plugin: alerts as lines of a file."""
