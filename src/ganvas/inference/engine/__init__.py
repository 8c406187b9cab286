"""How a network enlarges a picture of any size: its layers row by row, what they see, colours, precision, models."""
