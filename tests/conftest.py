"""Settings for every test."""

import os

import hypothesis

# Tiny models gain nothing from threads, and on a busy machine two threads that wait for each
# other in every small product are slower than one by orders of magnitude.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# How long an example takes says more about the machine's neighbours than about the code.
hypothesis.settings.register_profile("steer", deadline=None)
hypothesis.settings.load_profile("steer")
