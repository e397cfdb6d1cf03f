"""Valid session descriptions, so that a test has to break exactly one thing; and what stands in those that come out."""

from collections.abc import Sequence


def sdp(address: str, *lines: str, user: str = "-", version: int = 1) -> str:
    """A session description of a phone at that address: the session part, and these lines."""
    family = "IP6" if ":" in address else "IP4"
    head = ("v=0", f"o={user} 1 {version} IN {family} {address}", "s=-", f"c=IN {family} {address}", "t=0 0")
    return joined((*head, *lines))


def audio(address: str, port: int = 4000, *attributes: str, formats: str = "0", version: int = 1) -> str:
    """A session description with one audio media of plain RTP."""
    return sdp(address, f"m=audio {port} RTP/AVP {formats}", *attributes, version=version)


def joined(lines: Sequence[str]) -> str:
    return "".join(f"{line}\r\n" for line in lines)


def parts(text: str) -> list[list[str]]:
    """The lines of the session part, then those of each media."""
    assert text.endswith("\r\n")
    found: list[list[str]] = [[]]
    for line in text[:-2].split("\r\n"):
        if line.startswith("m="):
            found.append([])
        found[-1].append(line)
    return found


def media(text: str, place: int = 0) -> list[str]:
    """The lines of a media, by its place from 0."""
    return parts(text)[place + 1]


def port(text: str, place: int = 0) -> int:
    """The port that a media tells."""
    return int(media(text, place)[0].split(" ")[1])


def ports(text: str) -> list[int]:
    """The ports that all medias tell."""
    return [int(part[0].split(" ")[1]) for part in parts(text)[1:]]


def address(text: str, place: int = 0) -> str:
    """The address that a media tells."""
    found = [line for line in media(text, place) if line.startswith("c=")]
    assert len(found) == 1
    return found[0].split(" ")[2]


def attribute(text: str, name: str, place: int = 0) -> str | None:
    """The value of an attribute of a media, "" for a flag; None where it does not have it."""
    for line in media(text, place):
        if line == f"a={name}":
            return ""
        if line.startswith(f"a={name}:"):
            return line[len(name) + 3 :]
    return None


def direction(text: str, place: int = 0) -> str:
    """The direction that a media tells."""
    found = [line[2:] for line in media(text, place) if line[2:] in ("sendrecv", "sendonly", "recvonly", "inactive")]
    assert len(found) == 1
    return found[0]
