"""The commands, one file each that hands in a click command called `command`; the group finds them by file name."""
