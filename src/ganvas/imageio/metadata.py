"""The metadata of image files."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Metadata:
    """The blocks of metadata in a file; None or empty if missing.

    Attributes:
        icc: colour profile.
        exif: EXIF block without the prefix "Exif".
        xmp: XMP packet.
        iptc: the IPTC's records of a JPEG or TIFF file.
        photoshop: Photoshop's other resources of a JPEG or TIFF file, as `photoshop.split` returns them.
        text: names and contents of a PNG file's text chunks.
        coded: names and contents of the PNG chunks that describe colours by code numbers; `icc` says the same.
        dpi: dots per inch, horizontal and vertical.
        orientation: 1 (upright) to 8, as in EXIF.
    """

    icc: bytes | None = None
    exif: bytes | None = None
    xmp: bytes | None = None
    iptc: bytes | None = None
    photoshop: bytes | None = None
    text: tuple[tuple[bytes, bytes], ...] = ()
    coded: tuple[tuple[bytes, bytes], ...] = ()
    dpi: tuple[float, float] | None = None
    orientation: int = 1


def kind_of_profile(icc: bytes) -> str:
    """The colour space of a profile: RGB, GRAY, CMYK, ...; empty if the profile is not valid."""
    return icc[16:20].decode("ascii", "replace").strip() if len(icc) >= 128 and icc[36:40] == b"acsp" else ""


def name_of_profile(icc: bytes) -> str:
    """The description in a profile, or an empty string."""
    import io

    from PIL import ImageCms

    try:
        return (ImageCms.getProfileDescription(ImageCms.ImageCmsProfile(io.BytesIO(icc))) or "").strip()
    except (ImageCms.PyCMSError, OSError):
        return ""
