"""The metadata of image files, and the mark that a model upscaled an image."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import escape

# The IPTC's term for images modified by a trained model.
SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
_IPTC = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
_EMPTY = (
    b'<?xpacket begin="\xef\xbb\xbf" id="W5M0MpCehiHzreSzNTczkc9d"?>\n<x:xmpmeta xmlns:x="adobe:ns:meta/">\n'
    b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">\n</rdf:RDF>\n</x:xmpmeta>\n'
    b'<?xpacket end="w"?>'
)


@dataclass(frozen=True)
class Metadata:
    """The blocks of metadata in a file; None or empty if missing.

    Attributes:
        icc: colour profile.
        exif: EXIF block without the prefix "Exif".
        xmp: XMP packet.
        iptc: IPTC block of a JPEG or TIFF file.
        text: names and contents of a PNG file's text chunks.
        dpi: dots per inch, horizontal and vertical.
        orientation: 1 (upright) to 8, as in EXIF.
    """

    icc: bytes | None = None
    exif: bytes | None = None
    xmp: bytes | None = None
    iptc: bytes | None = None
    text: tuple[tuple[bytes, bytes], ...] = ()
    dpi: tuple[float, float] | None = None
    orientation: int = 1


def mark_upscaled(xmp: bytes | None, how: str) -> bytes:
    """Add to an XMP packet that a trained model upscaled the image, and how.

    An existing source type is replaced, and the orientation set to upright. A packet that cannot be parsed is returned
    unchanged.
    """
    packet = xmp or _EMPTY
    packet = re.sub(rb'(tiff:Orientation(?:="|>\s*))[1-8]', rb"\g<1>1", packet)
    replaced = SOURCE_TYPE.encode()
    packet = re.sub(rb'(DigitalSourceType=")[^"]*', rb"\g<1>" + replaced, packet)
    packet = re.sub(rb"(<\w+:DigitalSourceType\s*>)[^<]*", rb"\g<1>" + replaced, packet)
    packet = re.sub(rb'(<\w+:DigitalSourceType\s+rdf:resource=")[^"]*', rb"\g<1>" + replaced, packet)
    source = (
        b""
        if replaced in packet
        else f' xmlns:Iptc4xmpExt="{_IPTC}" Iptc4xmpExt:DigitalSourceType="{SOURCE_TYPE}"'.encode()
    )
    packet = re.sub(rb' xmlns:ganvas="urn:ganvas#" ganvas:(?:Enlarged|Upscaled)="[^"]*"', b"", packet)
    note = f' xmlns:ganvas="urn:ganvas#" ganvas:Upscaled="{escape(how)}"'.encode()
    about = re.search(rb'rdf:about="[^"]*"', packet)  # all descriptions of one image name the same subject
    description = b"<rdf:Description " + (about[0] if about else b'rdf:about=""') + source + note + b"/>\n"
    head, end, tail = packet.rpartition(b"</rdf:RDF>")
    return head + description + end + tail if end else packet


def is_marked(xmp: bytes | None) -> bool:
    """Whether a packet says that a trained model modified the image."""
    return SOURCE_TYPE.encode() in (xmp or b"")


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
