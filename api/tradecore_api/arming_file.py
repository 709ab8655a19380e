"""The file of a state directory that says what a person armed for live trading."""

import msgspec

from tradecore.domain.directories import sync_directory
from tradecore.domain.errors import StorageError
from tradecore.domain.quoted import printable
from tradecore.domain.times import iso_time
from tradecore.domain.unreadable import UNREADABLE
from tradecore.runtime.live.arming import Arming, SignedArming
from tradecore_api.state_dir import StateDir, read_small, write_atomically

# What a refused start tells a person to run.
ARM_COMMAND = "tradecore arm"


def write_arming(state: StateDir, signed: SignedArming) -> None:
    """Write down what is armed, durably, for its owner alone.

    Raises `StorageError` when the disk says no.
    """
    state.create()
    write_atomically(state.arming, msgspec.json.encode(signed), is_durable=True)


def read_arming(state: StateDir) -> SignedArming | None:
    """Return what is armed, its signature unlooked at; `None` where nothing is.

    Raises `StorageError` when it cannot be read.
    """
    try:
        return msgspec.json.decode(read_small(state.arming), type=SignedArming)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StorageError(str(state.arming), f"cannot be read: {error.strerror}") from error
    except UNREADABLE as error:
        raise StorageError(str(state.arming), f"is no arming: {error}; arm the engine again") from error


def remove_arming(state: StateDir) -> bool:
    """Take an arming back, durably; tell whether there was one.

    Raises `StorageError` when the disk says no.
    """
    try:
        state.arming.unlink()
        # A power cut would bring it back, and what nobody wants to trade any more would trade.
        sync_directory(state.path)
    except FileNotFoundError:
        return False
    except OSError as error:
        raise StorageError(str(state.arming), f"cannot be removed: {error.strerror}") from error
    return True


def armed_words(arming: Arming) -> str:
    """Say who armed what, when, and who answers for it."""
    names = ", ".join(strategy.name for strategy in arming.strategies)
    people = dict.fromkeys(account.person for account in arming.accounts)
    said = f"by {arming.person} at {iso_time(arming.time_ns, 0)}: {names}; {', '.join(people)} answers for it"
    # The file may have been written by anybody: its signature is looked at by a start alone.
    return printable(said.replace("\n", " "))
