"""Revisions: answer, critique, revised answer."""

import steer.v1 as pb
from steer.critiquing import CritiqueTemplates, check_templates
from steer.specs import Revision
from steer.wire.check import Check
from steer.wire.enums import STAGE


def build_revision(revision: Revision) -> pb.Revision:
    """A revision; the default stages are written out."""
    return pb.Revision(
        stages=[STAGE.build(stage) for stage in revision.stages],
        critique_template=revision.templates.critique,
        revise_template=revision.templates.revise,
        critique_tokens=revision.critique_tokens or None,
    )


def read_revision(message: pb.Revision, check: Check) -> Revision:
    """A revision with every default filled in."""
    default = Revision()
    templates = CritiqueTemplates(message.critique_template, message.revise_template)
    check_templates(templates, check.found, f"{check.path}.", "_template")
    stages = tuple(
        STAGE.parse(number, check.at("stages", i)) for i, number in enumerate(message.stages)
    )
    tokens = default.critique_tokens
    if message.HasField("critique_tokens"):
        tokens = check.at("critique_tokens").positive(message.critique_tokens)
    check.at("stages").distinct(stages, "holds a stage twice; give each once")
    return Revision(stages or default.stages, templates, tokens)
