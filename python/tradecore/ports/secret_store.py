"""Port: where secrets come from."""

from typing import Protocol

from tradecore.domain.secret import Secret


class SecretStore(Protocol):
    """What the runtime needs from whatever keeps secrets.

    `tradecore.testkit.SecretStoreContract` states the same promises as tests. `tradecore.runtime.keys` makes
    keys of what a store gives, each of a type of its own.
    """

    def secret(self, name: str) -> Secret:
        """Return the secret of this name as it is now.

        Nothing but the answer has its text: no message, no `repr`, no traceback.

        Raises
        ------
        InvalidValueError
            When the name is none that `domain.secret.checked_name` takes; nothing is looked up then.
        ConfigError
            When there is no such secret, it is empty, it cannot be read, or others than its owner could
            read it. The message says where it was looked for and what to do.
        """
        ...
