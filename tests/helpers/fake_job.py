"""A job for the tests of the launcher; it looks for its folder among its arguments, as a training does.

`do=fail`: ends with an error; `do=hang`: never ends; `do=stubborn`: neither do it nor its child, and both ignore
SIGTERM; `do=once`: hangs when it is started for the first time; else it writes a result.
"""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

words = dict(argument.lstrip("+").split("=", 1) for argument in sys.argv[1:] if "=" in argument)
folder, what = Path(words["hydra.run.dir"].strip("'")), words.get("do", "")
starts = folder / "starts"
with starts.open("a") as file:
    file.write(f"{os.getpid()} {os.environ.get('CUDA_VISIBLE_DEVICES', '')} {time.monotonic()}\n")
print("words of the job", flush=True)
if what == "fail":
    sys.exit("error: this job fails, as it was asked to")
if what == "stubborn":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    code = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"
    )
    child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, start_new_session=True)
    child.stdout.readline()
    (folder / "child").write_text(str(child.pid))
    time.sleep(60)
if what == "hang" or (what == "once" and len(starts.read_text().splitlines()) == 1):
    time.sleep(60)
time.sleep(float(words.get("seconds", "0")))
(folder / "result.json").write_text(json.dumps({"result": f"result of {' '.join(sys.argv[1:-1])}"}))
