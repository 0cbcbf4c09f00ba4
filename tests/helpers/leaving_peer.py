"""One of two gloo processes: the second leaves in the middle, the first prints whether it knows that from the error.

python leaving_peer.py RANK FILE    (a FILE that both can see and that is not there yet)
"""

import datetime
import os
import sys

import torch
from torch import distributed

from stvit_video.utils.compat import is_of_lost_process

rank, meeting = int(sys.argv[1]), sys.argv[2]
limit = datetime.timedelta(seconds=60)
distributed.init_process_group("gloo", init_method=f"file://{meeting}", rank=rank, world_size=2, timeout=limit)
distributed.all_reduce(torch.zeros(1))
if rank == 1:
    os._exit(0)
try:
    for _ in range(100):
        distributed.all_reduce(torch.zeros(1))
except RuntimeError as error:
    print(is_of_lost_process(error), error, flush=True)
os._exit(0)  # without a farewell to the other, which is gone
