"""Find settings of optimizer, model and trainer that contradict each other, before anything is read."""

from collections.abc import Collection

from stvit_video.config.setting_checks import Check, run_checks
from stvit_video.factories.network import meta_model
from stvit_video.models.parameter_groups import learned_reducers
from stvit_video.settings.train_settings import TaskSettings, TrainSettings


def optim_faults(settings: TrainSettings, *, wrong: Collection[str] = ()) -> list[str]:
    """List the contradictions in the groups optim and model, and in trainer where these depend on it.

    Args:
        settings: of the training.
        wrong: settings of a wrong type or out of their range; what depends on them is not looked at.

    Returns:
        A sentence for each fault.
    """
    return run_checks(CHECKS, settings, wrong)


def schedule_faults(settings: TaskSettings, *, wrong: Collection[str] = ()) -> list[str]:
    """List the contradictions in the schedule, the optimizer and its precision, which all tasks have.

    Args:
        settings: of the training, of any task.
        wrong: as for `optim_faults`.
    """
    return run_checks(SCHEDULE_CHECKS, settings, wrong)


def _warmup_faults(settings: TaskSettings) -> list[str]:
    warmup, epochs = settings.optim.warmup_epochs, settings.trainer.max_epochs
    probe = settings.optim.probe_epochs
    if warmup is None or warmup < epochs - probe or probe >= epochs:  # the last is another check's
        return []
    if probe:
        return [
            f"optim.warmup_epochs={warmup} must be below {epochs - probe}, the epochs of trainer.max_epochs={epochs} "
            f"after the optim.probe_epochs={probe}; shorten the warm-up, or leave it out"
        ]
    return [
        f"optim.warmup_epochs={warmup} must be below trainer.max_epochs={epochs}; shorten the warm-up, or leave it out"
    ]


def _probe_faults(settings: TrainSettings) -> list[str]:
    optim, epochs = settings.optim, settings.trainer.max_epochs
    faults = []
    if optim.probe_epochs and optim.train != "all":
        faults.append(
            f"optim.probe_epochs={optim.probe_epochs} is followed by a training of the whole model, which "
            f"optim.train={optim.train} rules out; use optim.train=all, or optim.probe_epochs=0"
        )
    if settings.init_from and optim.probe_epochs >= epochs:
        faults.append(
            f"optim.probe_epochs={optim.probe_epochs} must be below trainer.max_epochs={epochs}; shorten the probe, or "
            "for a probe alone use optim.train=head"
        )
    if optim.probe_lr is not None and not optim.probe_epochs:
        faults.append(f"optim.probe_lr={optim.probe_lr} is for optim.probe_epochs above 0; leave it out")
    return faults


def _rate_faults(settings: TaskSettings) -> list[str]:
    lowest, lr = settings.optim.min_lr, settings.optim.lr
    return [f"optim.min_lr={lowest} must be at most optim.lr={lr}"] if lowest > lr else []


def _warmup_rate_faults(settings: TaskSettings) -> list[str]:
    warmup, lr = settings.optim.warmup_lr, settings.optim.lr
    return [f"optim.warmup_lr={warmup} must be at most optim.lr={lr}"] if warmup > lr else []


def _layer_rate_faults(settings: TrainSettings) -> list[str]:
    decay, factor = settings.optim.layer_decay, settings.optim.backbone_lr_factor
    if decay is None or factor == 1:
        return []
    return [
        f"optim.layer_decay={decay} and optim.backbone_lr_factor={factor} both lower the learning rate before the "
        "head; use one of them"
    ]


def _milestone_faults(settings: TaskSettings) -> list[str]:
    milestones, schedule = settings.optim.milestones, settings.optim.schedule
    if milestones and schedule != "step":
        return [f"optim.milestones={list(milestones)} are for optim.schedule=step, not for {schedule}; leave them out"]
    if not milestones and schedule == "step":
        return ["optim.schedule=step needs optim.milestones, such as [11,14]; optim.milestones=[] has none"]
    if milestones and not max(milestones) < (max_epochs := settings.trainer.max_epochs):
        return [f"optim.milestones={list(milestones)} must be below trainer.max_epochs={max_epochs}"]
    return []


def _momentum_faults(settings: TaskSettings) -> list[str]:
    optim = settings.optim
    if optim.nesterov and (optim.optimizer != "sgd" or not optim.momentum):
        return ["optim.nesterov=true needs optim.optimizer=sgd and optim.momentum above 0"]
    return []


def _half_precision_faults(settings: TaskSettings) -> list[str]:
    optimizer, precision = settings.optim.optimizer, settings.trainer.precision
    if optimizer != "adamw" or precision != "16-true":
        return []
    return [
        "optim.optimizer=adamw divides by zero in trainer.precision=16-true, float16 has no 1e-8; use 16-mixed, "
        "bf16-true or optim=sgd"
    ]


def _part_faults(settings: TrainSettings) -> list[str]:
    optim, model = settings.optim, settings.model
    part, faults = optim.train, []
    if part != "all" and not settings.init_from:
        faults.append(
            f"optim.train={part} freezes the rest of the model, but without init_from that is randomly initialised; "
            "set init_from=/path or optim.train=all"
        )
    reducer = model.options.get("reducer")
    if part == "semantic" and (not model.name.startswith("stvit_") or reducer not in learned_reducers()):
        faults.append(
            f"optim.train=semantic needs a stvit_ model with model.reducer={' or '.join(learned_reducers())}, not "
            f"{model.name} with model.reducer={reducer}; use optim.train=head or all"
        )
    if part != "all" and (optim.layer_decay is not None or optim.backbone_lr_factor != 1):
        faults.append(
            f"optim.train={part} freezes the layers that optim.layer_decay and optim.backbone_lr_factor are for; "
            "leave these out"
        )
    return faults


def _sandwich_faults(settings: TrainSettings) -> list[str]:
    optim, options, faults = settings.optim, settings.model.options, []
    if optim.sandwich and not (options.get("elastic") or options.get("elastic_generate_at")):
        faults.append(
            "optim.sandwich=true needs choices to train; set model.elastic_generate_at=[1,2,4] or "
            "model.elastic=[8,16,32], or optim.sandwich=false"
        )
    if optim.sandwich_distill and not optim.sandwich:
        faults.append(
            f"optim.sandwich_distill={optim.sandwich_distill} needs optim.sandwich=true; set it, or sandwich_distill=0"
        )
    return faults


def _sharding_faults(settings: TaskSettings) -> list[str]:
    optim, trainer = settings.optim, settings.trainer
    if trainer.strategy != "fsdp":
        return []
    faults = []
    if optim.ema_decay is not None:
        faults.append(
            "optim.ema_decay does not work with trainer.strategy=fsdp, whose weights are spread over processes; use "
            "trainer.strategy=ddp, or optim.ema_decay=null"
        )
    if trainer.compile:
        faults.append("trainer.compile does not work with trainer.strategy=fsdp; use trainer.strategy=ddp, or false")
    return faults


def _model_faults(settings: TrainSettings) -> list[str]:
    """Report what `create_model` refuses, such as an elastic count above the number of image tokens."""
    try:
        meta_model(settings.model)
    except ValueError as error:
        return [f"model={settings.model.name}: {error}"]
    return []


SCHEDULE_CHECKS: tuple[Check, ...] = (
    _warmup_faults,
    _rate_faults,
    _warmup_rate_faults,
    _milestone_faults,
    _momentum_faults,
    _half_precision_faults,
    _sharding_faults,
)
CHECKS: tuple[Check, ...] = (_probe_faults, _layer_rate_faults, _part_faults, _sandwich_faults, _model_faults)
