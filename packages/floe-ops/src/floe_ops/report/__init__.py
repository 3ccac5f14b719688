"""The verdict for people: a table on the terminal and one self-contained page."""
