import hashlib
import pickle
import sys
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from fsspec.registry import _registry
from hypothesis import given
from hypothesis import strategies as st

from farm.errors import BadInput
from farm.store import Damaged, Store

KEY = "00c0ffee" * 4
OTHER = "ab0badca" * 4


@pytest.fixture(params=["local", "object store"])
def store(request, tmp_path):
    home = str(tmp_path / "home") if request.param == "local" else f"memory://{uuid.uuid4().hex}/home"
    return Store(home, cache=str(tmp_path / "cache")).create()


@pytest.fixture
def local(tmp_path):
    return Store(str(tmp_path)).create()


def table(n_rows=5):
    return pa.table({"decided_at": np.arange(n_rows), "p_up": np.linspace(0, 1, n_rows)}).replace_schema_metadata(
        {"trial": "boosted"}
    )


def key_of(number):
    return hashlib.blake2b(str(number).encode(), digest_size=16).hexdigest()


def file_of(store, form):
    (path,) = Path(store.home).rglob(f"{KEY}.{form}")
    return path


def test_what_is_put_comes_back(store):
    assert store.put_table("fits", KEY, table())
    assert store.put_bytes("models", KEY, b"\x00pickle")
    assert store.put_json("records", KEY, {"rows": 3, "score": 0.1})
    assert store.get_table("fits", KEY).equals(table(), check_metadata=True)
    assert store.get_bytes("models", KEY) == b"\x00pickle"
    assert store.get_json("records", KEY) == {"rows": 3, "score": 0.1}


@given(st.binary(max_size=200))
def test_any_bytes_come_back(tmp_path_factory, content):
    store = Store(str(tmp_path_factory.mktemp("home")))
    store.put_bytes("models", KEY, content)
    assert store.get_bytes("models", KEY) == content


def test_an_existing_key_is_left_as_it_is(store):
    assert store.put_json("records", KEY, 1)
    assert not store.put_json("records", KEY, 2)
    assert store.get_json("records", KEY) == 1


def test_a_local_file_that_exists_is_not_even_touched(local):
    local.put_table("fits", KEY, table())
    before = file_of(local, "arrow").stat()
    local.put_table("fits", KEY, table(9))
    after = file_of(local, "arrow").stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


def test_a_result_is_a_file_named_by_its_key(local):
    local.put_table("fits", KEY, table())
    assert file_of(local, "arrow") == Path(local.home) / "fits" / "00" / f"{KEY}.arrow"
    assert pa.ipc.open_file(file_of(local, "arrow")).read_all().equals(table())  # anybody's Arrow reads it


def test_equal_tables_make_equal_bytes_however_they_were_put_together(tmp_path):
    whole, halves = Store(str(tmp_path / "a")), Store(str(tmp_path / "b"))
    whole.put_table("fits", KEY, table())
    halves.put_table("fits", KEY, pa.concat_tables([table().slice(0, 2), table().slice(2)]))
    assert file_of(whole, "arrow").read_bytes() == file_of(halves, "arrow").read_bytes()


def test_have_keys_has_and_size_agree_on_what_is_stored(store):
    stored = {key_of(number) for number in range(40)}
    for key in stored:
        store.put_json("records", key, key)
    store.put_json("other", OTHER, 1)
    assert store.have("records", [*stored, OTHER]) == stored
    assert store.keys("records") == stored
    assert store.size("records") == sum(one.size for one in store.stored("records")) > 40 * 35
    assert {one.key for one in store.stored("records")} == stored
    assert [one.key for one in store.stored("other")] == [OTHER]
    assert set(store.kinds()) == {"records", "other"}
    assert store.has("records", min(stored))
    assert not store.has("records", OTHER)
    assert store.have("records", []) == set()
    assert (store.keys("nothing"), store.size("nothing")) == (set(), 0)


def test_an_absent_key_is_a_key_error_that_names_it(store):
    for read in (store.get_table, store.get_bytes, store.get_json, store.open_arrays, store.local_path):
        with pytest.raises(KeyError, match=f"no fits with key {KEY}"):
            read("fits", KEY)


def test_a_discarded_key_can_be_made_again(store):
    store.put_arrays("panels", KEY, {"x": np.zeros(3)})
    store.open_arrays("panels", KEY)
    assert store.discard("panels", KEY)
    assert not store.has("panels", KEY)
    assert not store.discard("panels", KEY)
    store.put_arrays("panels", KEY, {"x": np.ones(3)})
    assert store.open_arrays("panels", KEY)["x"].tolist() == [1, 1, 1]


def test_a_store_travels_and_holds_no_handles(store):
    store.put_json("records", KEY, 1)
    sent = pickle.dumps(store)
    assert len(sent) < 500
    assert pickle.loads(sent).get_json("records", KEY) == 1


def test_a_relative_home_is_made_absolute(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert Store("./.farm").home == str(tmp_path / ".farm")
    assert Store(f"file://{tmp_path}").home == str(tmp_path)


@pytest.mark.parametrize("put", ["put_table", "put_bytes", "put_json", "put_arrays"])
def test_every_cut_of_a_file_is_found(local, put):
    value = {
        "put_table": table(),
        "put_bytes": b"some bytes",
        "put_json": {"rows": 3},
        "put_arrays": {"x": np.arange(20)},
    }[put]
    read = {"put_arrays": local.open_arrays}.get(put) or getattr(local, put.replace("put", "get"))
    getattr(local, put)("fits", KEY, value)
    path = file_of(local, "*")
    content = path.read_bytes()
    for length in {*range(0, len(content), 7), len(content) - 1}:
        path.write_bytes(content[:length])
        with pytest.raises(Damaged, match=f"{KEY}.* is damaged"):
            read("fits", KEY)
    path.write_bytes(content)
    read("fits", KEY)


PUTS = {
    "arrow": lambda store: store.put_table("fits", KEY, table()),
    "bin": lambda store: store.put_bytes("fits", KEY, b"some bytes"),
    "json": lambda store: store.put_json("fits", KEY, {"rows": 3, "scores": [0.1, 0.2]}),
    "arrays": lambda store: store.put_arrays("fits", KEY, {"x": np.arange(20), "none": np.zeros(0)}, {"symbol": "A"}),
}
READS = {"arrow": "get_table", "bin": "get_bytes", "json": "get_json", "arrays": "open_arrays"}


@given(form=st.sampled_from(sorted(PUTS)), data=st.data())
def test_any_flipped_bit_of_any_form_is_found(tmp_path_factory, form, data):
    store = Store(str(tmp_path_factory.mktemp("home")))
    PUTS[form](store)
    (result,) = store.stored("fits")
    assert store.damage(result) is None
    path = file_of(store, form)
    content = bytearray(path.read_bytes())
    content[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    path.write_bytes(content)
    assert store.damage(result) is not None
    if form != "arrays":  # they are read in place, and proved by `damage` alone
        with pytest.raises(Damaged, match=f"{KEY}.* is damaged"):
            getattr(store, READS[form])("fits", KEY)


def test_a_changed_header_of_arrays_is_found_when_they_are_opened(local):
    PUTS["arrays"](local)
    path = file_of(local, "arrays")
    path.write_bytes(path.read_bytes().replace(b'"symbol":"A"', b'"symbol":"B"'))
    with pytest.raises(Damaged, match="checksum of its header"):
        local.open_arrays("fits", KEY)


def test_what_lies_beside_results_is_no_result(local):
    local.put_json("records", KEY, 1)
    for name in ("README", f"{KEY}.json.bak", f"{OTHER}.json"):
        (Path(local.home) / "records" / KEY[:2] / name).write_text("{}")
    (Path(local.home) / "runs" / "ab").mkdir(parents=True)
    (Path(local.home) / "runs" / "ab" / "index.html").write_text("")
    assert [one.key for one in local.stored("records")] == [KEY]
    assert list(local.stored("runs")) == []


def test_a_home_that_cannot_be_written_is_named_before_any_work(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(BadInput, match=r"home .*/file/home cannot be written .* give one that can, with `home:`"):
        Store(str(tmp_path / "file" / "home")).create()


def test_creating_a_home_leaves_nothing_but_the_home(tmp_path):
    Store(str(tmp_path / "a" / "home")).create()
    assert list((tmp_path / "a" / "home").iterdir()) == []


@pytest.mark.parametrize(
    ("home", "message"), [("sftp://host/farm", "'sftp' is not a store"), ("", "is empty"), ("file://", "is empty")]
)
def test_a_home_that_is_none_is_refused(home, message):
    with pytest.raises(BadInput, match=message):
        Store(home)


def test_a_home_without_its_driver_is_refused(monkeypatch):
    monkeypatch.setitem(sys.modules, "s3fs", None)
    monkeypatch.delitem(_registry, "s3", raising=False)  # an earlier test may have found it
    with pytest.raises(BadInput, match="s3fs"):
        Store("s3://bucket/farm").create()


def test_keys_and_kinds_that_would_leave_the_store_are_refused(local):
    with pytest.raises(ValueError, match="is not a digest"):
        local.put_json("records", "../../etc", 1)
    with pytest.raises(ValueError, match="is not a digest"):
        local.have("records", [KEY, KEY.upper()])
    with pytest.raises(ValueError, match="is not a folder's name"):
        local.has("../records", KEY)


def test_nan_is_no_json(local):
    with pytest.raises(ValueError, match="not JSON compliant"):
        local.put_json("records", KEY, {"score": float("nan")})
    assert not local.has("records", KEY)


def test_of_many_writers_of_a_key_one_makes_it_and_all_read_it_whole(local):
    content = b"x" * 200_000

    def put(_):
        made = local.put_bytes("models", KEY, content)
        return made, local.get_bytes("models", KEY) == content

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(put, range(16)))
    assert sum(made for made, _ in outcomes) == 1
    assert all(whole for _, whole in outcomes)
    assert len(list(Path(local.home).rglob("*"))) == 3  # two folders, one file, no drafts


def test_twenty_thousand_keys_are_looked_up_in_a_moment(tmp_path):
    store = Store(str(tmp_path))
    keys = [key_of(number) for number in range(20_000)]
    for prefix in range(256):
        (tmp_path / "fits" / f"{prefix:02x}").mkdir(parents=True)
    for key in keys[:10_000]:
        (tmp_path / "fits" / key[:2] / f"{key}.arrow").touch()
    began = time.perf_counter()
    assert store.have("fits", keys) == set(keys[:10_000])
    assert time.perf_counter() - began < 2  # measured: about 0.07 s
