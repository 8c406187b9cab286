"""Images as arrays: grids, PNG and GIF files, plots of 2-D points, MATLAB's resize."""
