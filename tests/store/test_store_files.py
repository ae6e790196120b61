import errno
import os
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path

import pytest

from farm.store import HomeFailed, Store, files_of
from farm.store.remote import RemoteFiles

KEY = "00c0ffee" * 4

DIES_HALFWAY = """
import os, signal, sys
from farm.store import files_of
def parts():
    yield b"x" * 100_000
    os.kill(os.getpid(), signal.SIGKILL)
files_of(sys.argv[1]).write(sys.argv[2], parts())
"""

WRITES_ON = """
import sys
import numpy as np
from farm.store import Store
store = Store(sys.argv[1])
for number in range(100_000):
    store.put_arrays("panels", f"{number:08x}", {"x": np.full(50_000, number)})
    print(number, flush=True)
"""


@pytest.fixture(params=["local", "object store"])
def files(request, tmp_path):
    home = str(tmp_path) if request.param == "local" else f"memory://{uuid.uuid4().hex}"
    return files_of(home, cache=str(tmp_path / "cache"))


def test_a_file_is_made_once(files):
    assert files.write("a/b/c", [b"one", b"two"])
    assert not files.write("a/b/c", [b"three"])
    assert files.read("a/b/c") == b"onetwo"
    assert files.exists("a/b/c")


def test_a_file_that_appears_while_another_is_written_stays(tmp_path):
    files = files_of(str(tmp_path))

    def parts():
        yield b"late"
        assert files.write("a", [b"first"])

    assert not files.write("a", parts())
    assert files.read("a") == b"first"


def test_a_created_file_is_created_by_one(files):
    files.create("a/b", b"mine")
    with pytest.raises(FileExistsError):
        files.create("a/b", b"yours")
    assert files.read("a/b") == b"mine"


def test_a_folder_lists_its_files_and_its_folders(files):
    for path in ("a/2", "a/1", "a/c/3", "d"):
        files.write(path, [b"12345"])
    assert files.names("a") == ["1", "2"]
    assert files.folders("a") == ["c"]
    assert files.sizes("a") == {"1": 5, "2": 5}
    assert (files.names("e"), files.folders("e"), files.sizes("e")) == ([], [], {})


def test_a_replaced_file_has_the_new_content_and_is_never_half_there(files):
    files.replace("a/b", b"old")
    files.replace("a/b", b"the new one")
    assert files.read("a/b") == b"the new one"
    assert files.names("a") == ["b"]


def test_a_file_knows_when_it_was_written(files):
    before = time.time()
    files.write("a", [b"1"])
    assert before - 2 <= files.modified("a") <= time.time() + 2
    with pytest.raises(FileNotFoundError):
        files.modified("b")


def test_a_copy_is_pulled_anew_and_pushed_whole(files):
    files.replace("run/a", b"theirs")
    files.pull("run/a")
    assert files.here("run/a").read_bytes() == b"theirs"
    files.here("run/a").write_bytes(b"mine")
    files.push("run/a")
    assert files.read("run/a") == b"mine"
    files.replace("run/a", b"theirs again")
    files.pull("run/a")
    assert files.here("run/a").read_bytes() == b"theirs again"
    with pytest.raises(FileNotFoundError):
        files.pull("run/b")


def test_a_file_is_removed_once(files):
    files.write("a", [b"1"])
    assert files.remove("a")
    assert not files.remove("a")
    with pytest.raises(FileNotFoundError):
        files.read("a")


def test_a_writer_killed_halfway_leaves_no_result_and_the_next_one_writes_it(tmp_path):
    store = Store(str(tmp_path)).create()
    store.put_bytes("models", "ab" * 8, b"before")
    path = f"models/00/{KEY}.bin"
    died = subprocess.run([sys.executable, "-c", DIES_HALFWAY, store.home, path], check=False)
    assert died.returncode == -signal.SIGKILL
    assert len(list(Path(store.home, "models", "00").iterdir())) == 1  # its draft is there
    assert not store.has("models", KEY)
    assert store.keys("models") == {"ab" * 8}
    assert store.put_bytes("models", KEY, b"after")
    assert store.get_bytes("models", KEY) == b"after"


def test_a_writer_killed_anywhere_leaves_only_whole_results(tmp_path):
    with subprocess.Popen(
        [sys.executable, "-c", WRITES_ON, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as writer:
        said = [int(writer.stdout.readline()) for _ in range(10)]
        writer.send_signal(signal.SIGKILL)
    store = Store(str(tmp_path))
    stored = store.keys("panels")
    assert stored >= {f"{number:08x}" for number in said}
    for key in stored:
        x = store.open_arrays("panels", key)["x"]
        assert (x == int(key, 16)).all()


def test_a_write_that_fails_leaves_nothing(tmp_path):
    def parts():
        yield b"half"
        raise OSError("no space left")

    with pytest.raises(OSError, match="no space left"):
        files_of(str(tmp_path)).write("a/b", parts())
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_taken_name_is_told_alike_whatever_the_library_calls_it(monkeypatch):
    class OwnError(Exception):
        """What gcsfs does: an error of its own for a name that is taken."""

    class Library:
        taken = True

        def pipe_file(self, path, content, mode):
            raise OwnError

        def exists(self, path):
            return self.taken

    library = Library()
    monkeypatch.setattr(RemoteFiles, "_fs", lambda self: library)
    with pytest.raises(FileExistsError):
        files_of("gs://bucket").create("a", b"1")
    library.taken = False
    with pytest.raises(HomeFailed, match=r"gs://bucket/a: the home failed \(OwnError"):
        files_of("gs://bucket").create("a", b"1")


def test_results_can_be_read_by_other_users(tmp_path):
    files = files_of(str(tmp_path))
    files.write("a", [b"1"])
    (tmp_path / "plain").write_bytes(b"1")
    assert (tmp_path / "a").stat().st_mode == (tmp_path / "plain").stat().st_mode


ASKED = {"exists": "stat", "read": "open", "modified": "stat", "remove": "unlink"}


@pytest.mark.parametrize("ask", [*ASKED, "names", "folders", "sizes", "drafts"])
def test_whatever_a_disk_refuses_is_the_homes_failure_and_says_where(tmp_path, monkeypatch, ask):
    files = files_of(str(tmp_path))
    files.write("a/b", [b"one"])

    def refuse(*_, **__):
        raise OSError(errno.EIO, "Input/output error")

    if ask in ASKED:
        monkeypatch.setattr(Path, ASKED[ask], refuse)
    else:
        monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(HomeFailed, match=rf"{tmp_path}/a.*Input/output error.*run the same command again"):
        getattr(files, ask)("a/b" if ask in ASKED else "a")


def test_a_file_where_a_folder_belongs_is_the_homes_failure(tmp_path):
    files = files_of(str(tmp_path))
    files.write("runs", [b"no folder"])
    with pytest.raises(HomeFailed, match="NotADirectoryError"):
        files.folders("runs")


def test_what_is_not_there_is_an_answer_and_no_failure(tmp_path):
    files = files_of(str(tmp_path))
    assert (files.names("a"), files.folders("a"), files.sizes("a"), files.drafts("a")) == ([], [], {}, {})
    assert not files.exists("a/b")
    assert not files.remove("a/b")
    for ask in (files.read, files.modified):
        with pytest.raises(FileNotFoundError):
            ask("a/b")
