"""The engine that runs a network on images of any size: row streams, receptive fields, colour lock, precision."""
