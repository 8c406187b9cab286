"""How a network upscales an image of any size: its layers row by row, what they see, colours, precision, models."""
