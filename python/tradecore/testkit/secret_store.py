"""What every store of secrets promises, as tests: derive a test class and give it a fixture `store_of`."""

# ruff: noqa: S101 - contracts are tests

import traceback
from collections.abc import Callable, Mapping

from tradecore.domain.errors import ConfigError, InvalidValueError
from tradecore.domain.secret import Secret
from tradecore.ports.secret_store import SecretStore

_CANARY = "canary-5f1d"
_SECRETS = {
    "main_trading": f'{{"key_id": "k", "secret": "{_CANARY}"}}',
    "main_trading_2": f"{_CANARY} = with blanks, 'quotes', \"more\", a \\ and $HOME",
    "main": f"{_CANARY} é € 𝄞",
    "other": f"two\nlines of {_CANARY}",
}
StoreOf = Callable[[Mapping[str, str]], SecretStore]


class SecretStoreContract:
    """The promises of the `SecretStore` port.

    A subclass has the pytest fixture `store_of`: a function that makes a store with these texts under these
    names. It is called once in a test.
    """

    async def test_each_secret_comes_back_as_it_was_put_in(self, store_of: StoreOf) -> None:
        """Letter by letter, as often as asked, and each under its own name."""
        store = store_of(_SECRETS)
        for _ in range(2):
            for name, text in _SECRETS.items():
                found = store.secret(name)
                assert isinstance(found, Secret)
                assert found.reveal() == text

    async def test_a_secret_that_is_not_there_is_named_with_what_to_do(self, store_of: StoreOf) -> None:
        """The message is for the operator: which one, and where it was looked for."""
        store = store_of(_SECRETS)
        for name in ("main_query", "mai", "main_trading_3"):
            problem = _refusal(store, name)
            assert isinstance(problem, ConfigError)
            assert name in str(problem).lower()
            assert problem.source
            assert len(problem.rule) > 10

    async def test_an_empty_text_is_no_secret(self, store_of: StoreOf) -> None:
        """Whoever signs with it signs with nothing."""
        assert isinstance(_refusal(store_of({"main": ""}), "main"), ConfigError)

    async def test_a_name_that_is_none_is_refused_before_anything_is_read(self, store_of: StoreOf) -> None:
        """A name is no path and no other variable of the system."""
        store = store_of(_SECRETS)
        for name in ("", "../main", "/etc/hostname", "Main", "main trading", "a__b", "main\n", "é", "a" * 65):
            assert isinstance(_refusal(store, name), InvalidValueError), name

    async def test_nothing_shows_a_secret(self, store_of: StoreOf) -> None:
        """Neither the store, nor the secret, nor a refusal with its whole traceback."""
        store = store_of(_SECRETS)
        shown = [repr(store), str(store), repr(store.secret("main"))]
        for name in ("main_query", "../main"):
            problem = _refusal(store, name)
            told = traceback.TracebackException.from_exception(problem, capture_locals=True)
            shown += ["".join(told.format())]
        assert not [text for text in shown if _CANARY in text]


def _refusal(store: SecretStore, name: str) -> Exception:
    try:
        found = store.secret(name)
    except (ConfigError, InvalidValueError) as problem:
        return problem
    raise AssertionError(f"a secret {name!r} was found: {found!r}")
