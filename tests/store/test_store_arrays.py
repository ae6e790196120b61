import uuid
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from farm.store import Damaged, Store, files_of

KEY = "00c0ffee" * 4
ARRAYS = hnp.arrays(
    st.one_of(hnp.boolean_dtypes(), hnp.integer_dtypes(), hnp.floating_dtypes(), hnp.datetime64_dtypes()),
    hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4),
)


def stored_file(home):
    (path,) = Path(home).rglob("*.arrays")
    return path


@given(st.dictionaries(st.text(max_size=5), ARRAYS, max_size=4), st.dictionaries(st.text(max_size=3), st.integers()))
def test_any_arrays_come_back_bit_for_bit(tmp_path_factory, arrays, meta):
    store = Store(str(tmp_path_factory.mktemp("home")))
    store.put_arrays("panels", KEY, arrays, meta)
    opened = store.open_arrays("panels", KEY)
    assert opened.meta == meta
    assert set(opened) == set(arrays)
    for name, array in arrays.items():
        assert opened[name].shape == array.shape
        assert opened[name].dtype == array.dtype.newbyteorder("<")
        assert opened[name].astype(array.dtype).tobytes() == array.tobytes()


def test_opened_arrays_are_read_only_aligned_and_not_copied(tmp_path):
    store = Store(str(tmp_path))
    store.put_arrays("panels", KEY, {"x": np.arange(1000.0).reshape(100, 10), "flag": np.ones(3, dtype=bool)})
    opened = store.open_arrays("panels", KEY)
    for array in opened.values():
        assert not array.flags.writeable
        assert not array.flags.owndata
        assert array.ctypes.data % 64 == 0
    with pytest.raises(ValueError, match="read-only"):
        opened["x"][0, 0] = 1


def test_views_and_orders_are_stored_as_what_they_show(tmp_path):
    store = Store(str(tmp_path))
    base = np.arange(24.0).reshape(4, 6)
    store.put_arrays("panels", KEY, {"every second": base[::2], "columns": np.asfortranarray(base), "back": base[::-1]})
    opened = store.open_arrays("panels", KEY)
    assert np.array_equal(opened["every second"], base[::2])
    assert np.array_equal(opened["columns"], base)
    assert np.array_equal(opened["back"], base[::-1])


def test_equal_arrays_make_equal_bytes_in_any_order(tmp_path):
    x, t = np.arange(5.0), np.arange(3)
    Store(str(tmp_path / "a")).put_arrays("panels", KEY, {"x": x, "t": t}, {"symbol": "NIFTY", "bars": 5})
    Store(str(tmp_path / "b")).put_arrays("panels", KEY, {"t": t, "x": x}, {"bars": 5, "symbol": "NIFTY"})
    assert stored_file(tmp_path / "a").read_bytes() == stored_file(tmp_path / "b").read_bytes()


def test_arrays_outlive_their_file_and_their_store(tmp_path):
    store = Store(str(tmp_path))
    store.put_arrays("panels", KEY, {"x": np.arange(1000.0)})
    x = store.open_arrays("panels", KEY)["x"]
    store.discard("panels", KEY)
    assert x.sum() == 499_500


def test_remote_arrays_are_fetched_once_and_read_from_the_copy(tmp_path):
    home = f"memory://{uuid.uuid4().hex}/home"
    store = Store(home, cache=str(tmp_path / "cache"))
    store.put_arrays("panels", KEY, {"x": np.arange(10.0)})
    assert store.open_arrays("panels", KEY)["x"].sum() == 45
    copy = stored_file(tmp_path / "cache")
    before = copy.stat().st_ino
    Store(home, cache=str(tmp_path / "cache")).open_arrays("panels", KEY)
    assert copy.stat().st_ino == before
    assert store.local_path("panels", KEY) == copy


def test_a_damaged_copy_is_found_by_its_checksum_and_fetched_anew(tmp_path):
    home = f"memory://{uuid.uuid4().hex}/home"
    store = Store(home, cache=str(tmp_path / "cache"))
    store.put_arrays("panels", KEY, {"x": np.arange(10.0)})
    store.open_arrays("panels", KEY)
    copy = stored_file(tmp_path / "cache")
    content = bytearray(copy.read_bytes())
    for damaged in (content[:-1], content[:-8] + b"\1" * 8, b""):
        copy.write_bytes(damaged)
        assert store.open_arrays("panels", KEY)["x"].tolist() == list(range(10))
        assert copy.read_bytes() == content


def test_a_remote_file_that_is_damaged_itself_is_named(tmp_path):
    home = f"memory://{uuid.uuid4().hex}/home"
    store = Store(home, cache=str(tmp_path / "cache"))
    store.put_arrays("panels", KEY, {"x": np.arange(10.0)})
    (result,) = store.stored("panels")
    files = files_of(home)
    files.replace(result.file, files.read(result.file)[:-8] + b"\1" * 8)
    with pytest.raises(Damaged, match=f"stored file {home}/{result.file} is damaged: the checksum"):
        store.open_arrays("panels", KEY)


def test_the_copies_of_a_remote_home_are_a_store_that_can_be_emptied(tmp_path):
    home = f"memory://{uuid.uuid4().hex}/home"
    store = Store(home, cache=str(tmp_path / "cache"))
    store.put_arrays("panels", KEY, {"x": np.arange(10.0)})
    store.open_arrays("panels", KEY)
    copies = store.copies()
    (copy,) = copies.stored("panels")
    assert copies.remove(copy)
    assert list(copies.stored("panels")) == []
    assert store.has("panels", KEY)
    assert store.open_arrays("panels", KEY)["x"].sum() == 45
    assert Store(str(tmp_path / "home")).copies() is None


def test_two_homes_do_not_share_copies(tmp_path):
    for value in (1.0, 2.0):
        store = Store(f"memory://{uuid.uuid4().hex}/home", cache=str(tmp_path))
        store.put_arrays("panels", KEY, {"x": np.full(3, value)})
        assert store.open_arrays("panels", KEY)["x"].tolist() == [value] * 3


def test_what_cannot_be_read_in_place_is_refused_by_name(tmp_path):
    for array in (np.array(["a", None]), np.zeros(2, dtype=[("a", int)])):
        with pytest.raises(ValueError, match="array 'x' has type"):
            Store(str(tmp_path)).put_arrays("panels", KEY, {"x": array})
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_something_else_is_damaged(tmp_path):
    store = Store(str(tmp_path))
    store.put_arrays("panels", KEY, {"x": np.arange(10)})
    path = stored_file(tmp_path)
    content = path.read_bytes()
    for wrong in (b"PAR1" + content[4:], content + b"\x00", content[:16] + b"?" + content[17:]):
        path.write_bytes(wrong)
        with pytest.raises(Damaged):
            store.open_arrays("panels", KEY)
