"""Settings for every test."""

import os

# Tiny models gain nothing from threads, and on a busy machine two threads that wait for each
# other in every small product are slower than one by orders of magnitude.
os.environ.setdefault("OMP_NUM_THREADS", "1")
