"""The identity of bars: their content and the contract they were placed by."""

from dataclasses import fields
from hashlib import blake2b

import numpy as np

from farm.bars.frame import Bars
from farm.bars.instrument import Instrument


def fingerprint(bars: Bars, instrument: Instrument) -> str:
    """Digest (32 hex characters) of the bars' values, names and types, and of the instrument they belong to.

    The same values give the same digest on every machine; one changed tick gives another. What cannot change a panel is
    left out, so that it does not cost a fit: the instrument's costs, its patterns and the source of its figures.
    """
    digest = blake2b(digest_size=16)
    contract = instrument.model_dump_json(exclude={"symbols", "commission", "slippage", "source"})
    for text in (bars.symbol, bars.timeframe, contract):
        digest.update(f"{len(text)}:{text};".encode())
    for column in fields(bars):
        values = getattr(bars, column.name)
        # A mark that stands nowhere says nothing: bars without any keep the identity they had before marks were known.
        if isinstance(values, np.ndarray) and (values.dtype != np.bool_ or values.any()):
            little = np.ascontiguousarray(values, dtype=values.dtype.newbyteorder("<"))
            digest.update(f"{column.name}:{little.dtype.str}:{little.shape};".encode())
            digest.update(little.data)
    return digest.hexdigest()
