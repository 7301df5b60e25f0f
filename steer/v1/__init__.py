"""The wire contract, generated from ``protos/steer/v1``. ``scripts/proto.sh`` rewrites all but
this file, which gathers the names so that nobody needs to know which file a message is in."""

from steer.v1.intervention_pb2 import *
from steer.v1.making_pb2 import *
from steer.v1.recipe_pb2 import *
from steer.v1.recipe_pb2_grpc import *
from steer.v1.run_pb2 import *
from steer.v1.run_pb2_grpc import *
from steer.v1.steering_pb2 import *
from steer.v1.steering_pb2_grpc import *
from steer.v1.sweep_pb2 import *
from steer.v1.task_pb2 import *
from steer.v1.trial_pb2 import *
from steer.v1.vector_pb2 import *
from steer.v1.vector_pb2_grpc import *
