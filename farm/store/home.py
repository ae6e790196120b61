"""The files of a home, by what its setting says."""

from farm.store.files import Files, full_home
from farm.store.local import LocalFiles
from farm.store.remote import RemoteFiles


def files_of(home: str, cache: str | None = None) -> Files:
    """The files of a home, a local path or an fsspec URI."""
    root = full_home(home)
    return RemoteFiles(root, cache) if "://" in root else LocalFiles(root)
