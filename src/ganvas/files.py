"""The one writer of files: complete or not at all, never through a link, and safe beside other processes.

A kill, a full disk or a power cut leaves either the old file or the new one, never a partial one.
"""

from __future__ import annotations

import errno
import os
import re
import secrets
import stat
import sys
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ganvas.errors import InputError

TEMPORARY = ".part"
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
LONG = 200  # bytes; a longer name and the ending of a hidden file might exceed the usual maximum of 255
_RESERVED = '/\\:*?"<>|'  # in the names of files, on one system or another
_ROOM = "free some disk space or choose another location"
_RIGHTS = "choose another location, or change the permissions"
_REMEDIES = {
    errno.ENAMETOOLONG: "choose a shorter name",
    errno.ENOTDIR: "choose another location, since a part of the path is a file",
    errno.EISDIR: "give the name of a file, not of a folder",
    errno.ELOOP: "remove the symbolic link, or choose another location",
    errno.ENOENT: "check its path",
    **dict.fromkeys((errno.EACCES, errno.EPERM, errno.EROFS), _RIGHTS),
    **dict.fromkeys(NO_ROOM, _ROOM),
}
# Never through a link, and never waiting for the other end of a named pipe; Windows has neither flag.
_CAREFUL = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


class Busy(Exception):
    """Another process holds a lock."""


def expect_plain_name(name: str, what: str) -> None:
    """Reject a name that is a path.

    Raises:
        InputError: the name is empty or contains a path; the message begins with `what`, such as "--name".
    """
    if name in ("", "..") or Path(name).name != name or not name.isprintable():
        raise InputError(f"{what} {name!r} is not a plain name; use one without / or \\.")


def plain_name(name: str, most: int = 100) -> str:
    """A foreign name as part of a file name: no path, not hidden, valid anywhere, at most `most` bytes; maybe empty."""
    safe = "".join(one if one.isprintable() and one not in _RESERVED else "_" for one in name)
    return safe.encode()[:most].decode(errors="ignore").strip(" .")


def cannot(do: str, path: object, error: BaseException) -> InputError:
    """An error of the system as a sentence for the user: ``cannot write x.png (...); ..., then run ... again.``

    Args:
        do: what failed, such as "write".
    """
    number, said = (error.errno, error.strerror) if isinstance(error, OSError) else (None, None)
    reason = said or " ".join(str(error).split())
    remedy = _REMEDIES.get(number or 0) or (_ROOM if do == "write" else "check that it is what it should be")
    return InputError(f"cannot {do} {path} ({reason}); {remedy}, then run the same command again.")


def hidden(path: Path, ending: str) -> Path:
    """A hidden file beside a file, with a name that is not too long."""
    name = os.fsencode(path.name)
    short = path.name if len(name) <= LONG else f"{path.name[:40]}-{zlib.crc32(name):08x}"
    return path.with_name(f".{short}{ending}")


@contextmanager
def whole(path: Path, rename: Callable[[Path], object] | None = None) -> Iterator[Path]:
    """A temporary file to fill, which is flushed and renamed to `path` at the end, or deleted after an error.

    Its name is its own, so that two processes that write the same file each leave a complete one.

    Args:
        rename: called with the complete temporary file in order to rename it to `path`.

    Raises:
        OSError: the file cannot be created or renamed; an existing file at `path` is left untouched.
        InputError: `path` is a folder or a device.
    """
    _expect_file(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = hidden(path, f".{secrets.token_hex(4)}{TEMPORARY}")
    os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _CAREFUL, 0o666))
    try:
        mode = part.stat().st_mode
        yield part
        part.chmod(mode)  # safetensors creates files that only the owner may read
        with part.open("rb") as file:
            os.fsync(file.fileno())
        if rename:
            rename(part)
        else:
            part.replace(path)
    except BaseException:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise


def kept_in(variable: str, name: str) -> Path:
    """Where files are kept between commands: the folder of an environment variable, or else one in the user's cache."""
    try:
        home = Path.home() / ".cache"
    except RuntimeError:  # a service may have no home
        home = Path(tempfile.gettempdir())
    return Path(os.environ.get(variable) or home / "ganvas" / name)


def expect_ending(path: Path, *endings: str, flag: str = "") -> str:
    """The ending of a path, in lower case: in whatever case it is written, it says the format of the file.

    Raises:
        InputError: it is none of these endings; the message begins with `flag`, such as "--out".
    """
    found = path.suffix.lower()
    if found not in endings:
        named = f"{flag} {path}".strip()
        raise InputError(
            f"{named} is not of a format that can be written here; use a name that ends in {' or '.join(endings)}."
        )
    return found


def write_atomically(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` fill a temporary file beside `path`, flush it to disk, then rename it to `path`.

    Raises:
        InputError: the disk is full or not writable, or `path` is a folder or a device; an existing file at `path` is
            left untouched.
    """
    try:
        with whole(path) as part:
            write(part)
    except Exception as error:
        # Libraries that write through native code wrap the system's error in one of their own.
        if isinstance(error, OSError) or "I/O error" in str(error):
            raise cannot("write", path, error) from error
        raise


def write_text(path: Path, text: str) -> None:
    """Write a small text file atomically, as UTF-8; a name that is no UTF-8 is escaped."""
    write_atomically(path, lambda part: part.write_text(text, encoding="utf-8", errors="backslashreplace"))


def append_line(path: Path, line: bytes, sync: bool = False) -> None:
    """Append a line to a file, which need not exist; after a line that a kill left incomplete, on a new one.

    Args:
        line: without its end.
        sync: return when it is on disk.

    Raises:
        OSError: it cannot be written, or `path` is a link, which might lead anywhere, or a device.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | _CAREFUL, 0o666)
    with open(descriptor, "r+b", buffering=0) as file:  # noqa: PTH123 -- a descriptor
        about = os.fstat(descriptor)
        if not stat.S_ISREG(about.st_mode):
            raise OSError(errno.EINVAL, "not a regular file", str(path))
        file.seek(max(0, about.st_size - 1))
        torn = about.st_size and file.read(1) != b"\n"
        left = memoryview(b"\n" * bool(torn) + line + b"\n")
        while left:  # one write of a short line, so that lines are never mixed; more only where the disk is full
            left = left[file.write(left) or 0 :]
        if sync:
            os.fsync(descriptor)


def remove_leftovers(folder: Path) -> None:
    """Delete the temporary files that a killed process left behind."""
    for leftover in folder.rglob(f".*{TEMPORARY}"):
        with suppress(IsADirectoryError, PermissionError):
            leftover.unlink(missing_ok=True)


def remove_leftovers_of(path: Path) -> None:
    """Delete the temporary files of one file; call it where no other process can be writing that file."""
    with suppress(OSError):
        for other in path.parent.iterdir():
            if is_temporary(other, path):
                other.unlink(missing_ok=True)


def is_temporary(part: Path, path: Path) -> bool:
    """Whether `part` is named like a temporary file of the file `path`, of this version or an earlier one."""
    start = hidden(path, "").name
    middle = part.name.removeprefix(start).removesuffix(TEMPORARY)
    return f"{start}{middle}{TEMPORARY}" == part.name and re.fullmatch(r"(\.[0-9a-f]{8})?", middle) is not None


@contextmanager
def locked(path: Path, keep: bool = True) -> Iterator[None]:
    """Hold the lock file `path`; the lock of a killed process is released automatically.

    Args:
        keep: leave the file there afterwards.

    Raises:
        Busy: another process holds it.
        OSError: the file cannot be created, or is a link.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(path)
    while True:
        try:
            lock.acquire(timeout=0)
            break
        except Timeout:
            if is_locked(path):
                raise Busy from None
            time.sleep(1e-3)  # somebody was looking
    try:
        yield
    finally:
        if not keep:
            with suppress(OSError):  # before the release, after which another process may create its own
                path.unlink(missing_ok=True)
        lock.release()


def is_locked(path: Path) -> bool:
    """Whether a process holds the lock file `path`; looking never keeps another process from locking it.

    It takes no lock but a shared one for an instant, which others who look may share and `locked` waits for.
    """
    if sys.platform == "win32":  # has no shared locks
        from filelock import FileLock, Timeout

        try:
            with FileLock(path, timeout=0):
                return False
        except Timeout:
            return True
    import fcntl

    try:
        descriptor = os.open(path, os.O_RDONLY | _CAREFUL)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # a file system without locks
        return False
    finally:
        os.close(descriptor)
    return False


def _expect_file(path: Path) -> None:
    """Refuse what must not be replaced by a file; a path that does not exist yet may become one.

    Raises:
        InputError: it is a folder or a device.
        OSError: the path is impossible.
    """
    try:
        mode = path.stat().st_mode if path.name else stat.S_IFDIR
    except FileNotFoundError:
        return
    if stat.S_ISDIR(mode):
        raise InputError(f"{path} is a folder; give the name of a file to write.")
    if not stat.S_ISREG(mode):
        raise InputError(f"{path} is not a regular file; give the name of a file to write.")
