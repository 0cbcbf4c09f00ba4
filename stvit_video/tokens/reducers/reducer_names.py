"""The reducers by name: what `reducer=` of a model, and a stage of a plan, may say."""

from stvit_video.tokens.reducers.pool import PoolReducer
from stvit_video.tokens.reducers.random import RandomReducer
from stvit_video.tokens.reducers.semantic import SemanticTokenGenerator
from stvit_video.tokens.reducers.token_learner import TokenLearner
from stvit_video.tokens.reducers.token_reducer import TokenReducer
from stvit_video.tokens.reducers.tome import ToMeReducer

REDUCERS: dict[str, type[TokenReducer]] = {
    "semantic": SemanticTokenGenerator,
    "random": RandomReducer,
    "pool": PoolReducer,
    "tome": ToMeReducer,
    "token_learner": TokenLearner,
}
