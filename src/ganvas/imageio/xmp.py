"""XMP packets: what is true of the old image alone is set to the new one or removed (ISO 16684-1)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from xml.dom import minidom
from xml.parsers.expat import ExpatError

# The IPTC's term for images modified by a trained model.
SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
_RDF, _XMLNS = "http://www.w3.org/1999/02/22-rdf-syntax-ns#", "http://www.w3.org/2000/xmlns/"
_IPTC, _IPTC_CORE = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/", "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/"
_TIFF, _EXIF, _XAP = (f"http://ns.adobe.com/{name}/1.0/" for name in ("tiff", "exif", "xap"))
_PHOTOSHOP, _OWN = "http://ns.adobe.com/photoshop/1.0/", "urn:ganvas#"
_GOOGLE = "http://ns.google.com/photos/1.0/"
_CAMERA, _PANORAMA = _GOOGLE + "camera/", _GOOGLE + "panorama/"
_SIZE = "http://ns.adobe.com/xap/1.0/sType/Dimensions#"
_WIDTHS = {(_TIFF, "ImageWidth"), (_EXIF, "PixelXDimension"), (_SIZE, "w")}
_HEIGHTS = {(_TIFF, "ImageLength"), (_EXIF, "PixelYDimension"), (_SIZE, "h")}
# Namespaces, and below single properties, of data that the new file does not hold, and what to call it.
_GONE = {
    "http://ns.adobe.com/hdr-gain-map/1.0/": "gain map",
    "http://ns.apple.com/HDRGainMap/1.0/": "gain map",
    "http://ns.apple.com/pixeldatainfo/1.0/": "gain map",
    _GOOGLE + "container/": "",
    _GOOGLE + "depthmap/": "depth map",
    _GOOGLE + "image/": "further images",
    _GOOGLE + "audio/": "sound",
    "http://ns.google.com/photos/dd/1.0/device/": "depth map",
}
_GONE_PROPERTIES = {
    (_XAP, "Thumbnails"): "",
    ("http://ns.adobe.com/xmp/note/", "HasExtendedXMP"): "extended XMP",
    (_IPTC, "DigitalSourceType"): "",
}
_REGIONS = {
    ("http://www.metadataworkinggroup.com/schemas/regions/", "Regions"),
    ("http://ns.microsoft.com/photo/1.2/", "RegionInfo"),
}
_PLACES = {(_PHOTOSHOP, name) for name in ("City", "State", "Country")}
_PLACES |= {(_IPTC, "LocationCreated"), (_IPTC, "LocationShown")}
_PLACES |= {(_IPTC_CORE, "Location"), (_IPTC_CORE, "CountryCode")}
_BREAKS = {"\n": "\ue00a", "\r": "\ue00d", "\t": "\ue009"}  # XML would turn them into blanks in attributes
_EMPTY = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
    f'<rdf:RDF xmlns:rdf="{_RDF}"/></x:xmpmeta><?xpacket end="w"?>'
).encode()


Property = minidom.Element | minidom.Attr


class Malformed(Exception):
    """The bytes are not a packet."""


@dataclass(frozen=True)
class Change:
    """How an image was changed.

    Attributes:
        how: what did it, for people.
        size: width and height of the new image in pixels.
        factors: by which width and height grew.
        turned: whether it was turned upright.
        location: whether to keep the place where it was taken.
        past: what was done, as the property that says how: upscaled, repaired, changed.
    """

    how: str
    size: tuple[int, int]
    factors: tuple[float, float] = (1, 1)
    turned: bool = False
    location: bool = True
    past: str = "upscaled"


def changed(packet: bytes | None, change: Change) -> tuple[bytes, tuple[str, ...]]:
    """The packet of the new image, marked as changed by a model, and what of the old one does not apply to it.

    Everything else stays. Orientation and sizes are set, a panorama's pixels are multiplied.

    Raises:
        Malformed: it is not a packet.
    """
    document = _parse(packet or _EMPTY)
    try:
        gone = _adapt(document, change)
        _mark(document, change)
        for attribute in (one for element in _elements(document) for one in element.attributes.values()):
            for character, stand_in in _BREAKS.items():
                attribute.value = attribute.value.replace(character, stand_in)
        text = "".join(node.toxml() for node in document.childNodes)
    except (RecursionError, ValueError) as error:
        raise Malformed(str(error)) from None
    for character, stand_in in _BREAKS.items():
        text = text.replace(stand_in, f"&#{ord(character)};")
    return text.encode("utf-8", "replace"), gone


def is_marked(packet: bytes | None) -> bool:
    """Whether a packet says that a trained model modified the image."""
    return SOURCE_TYPE.encode() in (packet or b"")


def how(packet: bytes | None) -> str:
    """What a packet says of how ganvas changed the image last; empty if nothing."""
    try:
        marks = [one for element in _elements(_parse(packet or _EMPTY)) for one in _own_attributes(element)]
        return next((str(one.value) for one in reversed(marks) if one.namespaceURI == _OWN), "")
    except (Malformed, RecursionError):
        return ""


def has_place(packet: bytes | None) -> bool:
    """Whether a packet says where the photo was taken."""
    try:
        return any(_is_place(node) for node in _properties(_parse(packet or _EMPTY)))
    except (Malformed, RecursionError):
        return False


def _parse(packet: bytes) -> minidom.Document:
    try:
        document = minidom.parseString(packet.strip(b"\0 \t\r\n"))
        described = document.getElementsByTagNameNS(_RDF, "RDF")
    except (ExpatError, ValueError, RecursionError) as error:
        raise Malformed(str(error)) from None
    if document.doctype:  # which XMP forbids; expat limits how far entities expand
        raise Malformed("it has a document type")
    if not described:
        raise Malformed("it has no description")
    return document


def _adapt(document: minidom.Document, change: Change) -> tuple[str, ...]:
    gone = []
    for node in list(_properties(document)):
        name = node.namespaceURI or "", node.localName or ""
        label = "" if name == (_OWN, change.past.capitalize()) else _gone(name, change.turned)
        if label is not None:
            gone.append(label)
            _remove(node)
        elif not change.location and _is_place(node):
            _remove(node)
        elif name == (_TIFF, "Orientation"):
            _set(node, "1")
        elif name in _WIDTHS | _HEIGHTS and (name[0] != _SIZE or _is_of_image(node)):
            _set(node, str(change.size[name in _HEIGHTS]))
        elif name[0] == _PANORAMA and ("Pixels" in name[1] or name[1].startswith("LargestValid")):
            _scale(node, change.factors["Height" in name[1] or "Top" in name[1]])
    return tuple(dict.fromkeys(label for label in gone if label))


def _gone(name: tuple[str, str], turned: bool) -> str | None:
    """What a property that no longer applies described, empty if it need not be said; None for all others."""
    if name[0] == _CAMERA and name[1].startswith(("Motion", "MicroVideo")):
        return "motion photo's film"
    if turned and name in _REGIONS:
        return "regions of faces"
    if turned and name[0] == _PANORAMA:
        return "panorama's view"
    return _GONE.get(name[0], _GONE_PROPERTIES.get(name))


def _is_place(node: Property) -> bool:
    name = node.namespaceURI or "", node.localName or ""
    return name in _PLACES or (name[0] == _EXIF and name[1].startswith("GPS"))


def _mark(document: minidom.Document, change: Change) -> None:
    root = document.getElementsByTagNameNS(_RDF, "RDF")[-1]
    prefix = f"{root.prefix}:" if root.prefix else ""
    old = document.getElementsByTagNameNS(_RDF, "Description")
    about = old[0].getAttributeNS(_RDF, "about") if old else ""  # all descriptions of one image name one subject
    for element in old:
        names = {(one.namespaceURI, one.localName) for one in _own_attributes(element)}
        if not element.childNodes and names <= {(_RDF, "about")} and element.parentNode is root:
            root.removeChild(element)
    made = document.createElement(f"{prefix}Description")
    for name, value in (
        (f"{prefix}about", about),
        ("xmlns:Iptc4xmpExt", _IPTC),
        ("Iptc4xmpExt:DigitalSourceType", SOURCE_TYPE),
        ("xmlns:ganvas", _OWN),
        (f"ganvas:{change.past.capitalize()}", "".join(c if c.isprintable() else " " for c in change.how)),
    ):
        made.setAttribute(name, value)
    root.appendChild(made)


def _elements(document: minidom.Document) -> list[minidom.Element]:
    return list(document.getElementsByTagName("*"))


def _properties(document: minidom.Document) -> Iterator[Property]:
    for element in _elements(document):
        yield from _own_attributes(element)
        yield element


def _own_attributes(element: minidom.Element) -> list[minidom.Attr]:
    """Without the declarations of namespaces."""
    return [one for one in element.attributes.values() if one.namespaceURI != _XMLNS]


def _remove(node: Property) -> None:
    if isinstance(node, minidom.Attr):
        if node.ownerElement:
            node.ownerElement.removeAttributeNode(node)
    elif node.parentNode:
        node.parentNode.removeChild(node)


def _set(node: Property, value: str) -> None:
    if isinstance(node, minidom.Attr):
        node.value = value
    elif len(node.childNodes) == 1 and isinstance(node.firstChild, minidom.Text):
        node.firstChild.data = value


def _scale(node: Property, factor: float) -> None:
    text = node.value if isinstance(node, minidom.Attr) else getattr(node.firstChild, "data", "")
    try:
        _set(node, str(round(float(text) * factor)))
    except (ValueError, OverflowError):
        return


def _is_of_image(node: Property) -> bool:
    """Whether a size is that of the image to which regions were applied, not of a page."""
    at = node.ownerElement if isinstance(node, minidom.Attr) else node
    for _ in range(3):
        if isinstance(at, minidom.Element):
            if at.localName == "AppliedToDimensions":
                return True
            at = at.parentNode  # type: ignore[assignment]
    return False
