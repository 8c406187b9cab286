"""What an image file says besides its pixels, and the note that a model upscaled it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import escape

# The term of the IPTC's vocabulary for images that a trained model has changed.
SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
_IPTC = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
_EMPTY = (
    b'<?xpacket begin="\xef\xbb\xbf" id="W5M0MpCehiHzreSzNTczkc9d"?>\n<x:xmpmeta xmlns:x="adobe:ns:meta/">\n'
    b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">\n</rdf:RDF>\n</x:xmpmeta>\n'
    b'<?xpacket end="w"?>'
)


@dataclass(frozen=True)
class Metadata:
    """Blocks as they stand in a file; None or empty where it has none.

    Attributes:
        icc: colour profile.
        exif: EXIF block without the prefix "Exif".
        xmp: XMP packet.
        iptc: IPTC block of a JPEG or TIFF file.
        text: names and contents of a PNG file's text chunks.
        dpi: dots per inch, across and down.
        orientation: 1 upright ... 8, as in EXIF.
    """

    icc: bytes | None = None
    exif: bytes | None = None
    xmp: bytes | None = None
    iptc: bytes | None = None
    text: tuple[tuple[bytes, bytes], ...] = ()
    dpi: tuple[float, float] | None = None
    orientation: int = 1


def noted(xmp: bytes | None, how: str) -> bytes:
    """An XMP packet that says, besides what it said before, that a trained model made part of the image, and how.

    A source type that it names is replaced, and its orientation set to upright. A packet that cannot be understood
    comes back as it is.
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


def is_noted(xmp: bytes | None) -> bool:
    """Whether a packet says that a trained model made part of the image."""
    return SOURCE_TYPE.encode() in (xmp or b"")


def kind_of_profile(icc: bytes) -> str:
    """The colours that a profile is for: RGB, GRAY, CMYK, ...; empty if it is none."""
    return icc[16:20].decode("ascii", "replace").strip() if len(icc) >= 128 and icc[36:40] == b"acsp" else ""


def name_of_profile(icc: bytes) -> str:
    """The name that a profile gives itself."""
    import io

    from PIL import ImageCms

    try:
        return (ImageCms.getProfileDescription(ImageCms.ImageCmsProfile(io.BytesIO(icc))) or "").strip()
    except (ImageCms.PyCMSError, OSError):
        return ""
