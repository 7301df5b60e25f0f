"""Files of other programs: what one may say about them, and what was understood."""

import steer.v1 as pb
from steer.foreign import Account, Options
from steer.wire.check import Check
from steer.wire.enums import POINT
from steer.wire.operands import build_site, parse_site

# Fields that have one name and one plain type in both worlds.
_SAID = ("format", "model", "choice", "kind")
_MAYBE = ("layer", "index_offset", "strength", "scale", "k")
_ACCOUNT = ("format", "writer", "kind", "model", "d_model", "convention", "scale", "detail")


def build_import_options(options: Options) -> pb.ImportOptions:
    """What one says about files."""
    return pb.ImportOptions(
        **{name: getattr(options, name) for name in (*_SAID, *_MAYBE)},
        point=None if options.point is None else POINT.build(options.point),
    )


def read_import_options(message: pb.ImportOptions, check: Check) -> Options:
    """What one says about files. Nothing said is None, so that a format can refuse what is."""
    maybe = {name: getattr(message, name) for name in _MAYBE if message.HasField(name)}
    for name in ("strength", "scale"):
        if name in maybe:
            check.at(name).finite(maybe[name])
    return Options(
        **{name: getattr(message, name) for name in _SAID},
        **maybe,
        point=POINT.parse(message.point, check.at("point")) if message.point else None,
    )


def build_account(account: Account) -> pb.ImportAccount:
    """What was understood."""
    return pb.ImportAccount(
        **{name: getattr(account, name) for name in _ACCOUNT},
        sites=map(build_site, account.sites),
        norms=account.norms,
        dropped=account.dropped,
        folded=account.folded,
        warnings=account.warnings,
    )


def parse_account(message: pb.ImportAccount) -> Account:
    """What was understood."""
    return Account(
        **{name: getattr(message, name) for name in _ACCOUNT},
        sites=tuple(parse_site(site, Check.begin()) for site in message.sites),
        norms=tuple(message.norms),
        dropped=tuple(message.dropped),
        folded=tuple(message.folded),
        warnings=tuple(message.warnings),
    )
