import signal
import subprocess
import sys

from farm.ledger import Ledger
from farm.testing.ledger import a_trial

WRITER = """
import sys
from farm.ledger import Ledger
from farm.testing.ledger import a_trial
ledger = Ledger(sys.argv[1], "study")
for number in range(100_000):
    ledger.start([a_trial(f"{number:08x}")])
    print(number, flush=True)
"""


def test_a_killed_writer_leaves_a_whole_chain_that_goes_on(tmp_path):
    with subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE, text=True) as writer:
        said = [int(writer.stdout.readline()) for _ in range(20)]
        writer.send_signal(signal.SIGKILL)
    ledger = Ledger(str(tmp_path), "study")
    assert ledger.verify() == []
    known = {trial.identity for trial in ledger.replay()}
    assert known >= {f"{number:08x}" for number in said}  # what start() returned from is recorded
    ledger.start([a_trial("ffffffff")])
    assert ledger.verify() == []
