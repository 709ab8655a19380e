"""The SQLite read model keeps the promises of its ports."""

import pytest

from tradecore.testkit import ReadModelContract
from tradecore_sqlite import SqliteReadModel


class TestSqliteReadModel(ReadModelContract):
    """Every promise, on a file of its own."""

    @pytest.fixture
    async def read_model(self, tmp_path):
        """Make an empty read model."""
        model = await SqliteReadModel.open(str(tmp_path / "readmodel.sqlite"))
        yield model
        await model.aclose()
