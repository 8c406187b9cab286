"""Upscale image files, folders of them and videos; depth, alpha, profile and metadata are preserved."""
