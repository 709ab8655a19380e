"""What a person armed: written down and signed, and nothing else trades."""

import argparse
import json
import stat
import sys
import tomllib

import msgspec
import pytest

from support.armed import STRATEGY, Armed
from support.deep import DEEP
from tradecore.domain.errors import ConfigError, InvalidValueError, StorageError, VenueError
from tradecore.domain.venue_keys import QueryKey, TradingKey
from tradecore_api.arming_file import read_arming, remove_arming, write_arming
from tradecore_api.commands import arm as arm_commands
from tradecore_api.commands import status as status_command
from tradecore_api.embedding import EmbeddedEngine
from tradecore_api.exit_codes import ExitCode
from tradecore_api.last_words import of_error
from tradecore_api.state_dir import StateDir
from tradecore_api.wiring import arming, live
from tradecore_api.wiring.live_keys import live_key
from tradecore_api.wiring.strategies import strategies


@pytest.fixture
def ground(tmp_path, monkeypatch):
    """Return a live configuration in a folder, and a state directory of its own."""
    monkeypatch.setenv("TRADECORE_STATE_DIR", str(tmp_path / "state"))
    return Armed(tmp_path)


def refused(ground, *options):
    """Return why the configuration is not armed."""
    with pytest.raises(ConfigError) as caught:
        arming.armed(ground.config(*options))
    return str(caught.value)


def test_what_nobody_armed_is_refused_with_the_command(ground):
    """A start says what to do."""
    said = refused(ground)
    assert "is not armed: nothing trades with money that nobody armed" in said
    assert f"`tradecore arm {ground.folder / 'live.toml'} --by PERSON`" in said
    assert said.endswith("--by PERSON`")
    assert refused(ground, "strategy.step=4").endswith("--by PERSON`, with the same --set and variables")


def test_what_is_armed_and_unchanged_may_trade(ground):
    """Who armed it and when is known from then on."""
    signed = arming.arm(ground.config(), "Bob")
    proof = arming.armed(ground.config())
    assert proof.by == signed.by
    assert proof.by.person == "Bob"
    assert len(proof.by.digest) == 64
    assert proof.config.tables.account.name == "main"
    assert proof.words.startswith("by Bob at ")
    assert proof.words.endswith(": Own; Ada answers for it")
    proof.require_code()


@pytest.mark.skipif(sys.platform == "win32", reason="modes of POSIX")
def test_the_arming_is_a_file_for_its_owner_alone(ground):
    """It has no secret, and it decides what trades."""
    signed = arming.arm(ground.config(), "Bob")
    state = StateDir("main")
    assert stat.S_IMODE(state.arming.stat().st_mode) == 0o600
    assert msgspec.json.encode(read_arming(state)) == msgspec.json.encode(signed)
    assert "never told" not in state.arming.read_text()


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ("step = 3", "step = 4", "parameter step of strategy Own was 3, is 4"),
        ("step = 3", "", "parameter step of strategy Own was 3, is not set"),
        ("step = 3", 'step = 3\nbars = "1m"', 'setting bars of strategy Own was "input", is "1m"'),
        ("step = 3", 'step = 3\nname = "new"', "strategy new is new; strategy Own is gone"),
        ('person = "Ada"', 'person = "Eve"', "the person who answers of account main was Ada, is Eve"),
        ("_value_max = 500", "_value_max = 501", "canary setting order_value_max of account main was"),
        ("a_day_max = 20", "a_day_max = 21", "canary setting orders_a_day_max of account main was 20, is 21"),
        (" = 1_000", " = 999", 'canary setting position_value_max of account main was "1000", is "999"'),
        ('["BTC-USD"]', '["BTC-USD", "ETH-USD"]', "canary setting instruments of account main was"),
        (
            "canary.order",
            'canary.venues = ["a"]\ncanary.order',
            "canary setting venues of account main was []",
        ),
        (
            "[feed]",
            'symbols = { BTC-USD = "BTC-USD-PERP" }\n[feed]',
            'setting symbols of account main was {}, is {"BTC-USD":"BTC-USD-PERP"}',
        ),
        ("[feed]", 'assign = { BTC-USD = "Own" }\n[feed]', "setting assign of account main was {}"),
        ("[feed]", 'foreign = "adopt"\n[feed]', 'setting foreign of account main was "report", is "adopt"'),
    ],
)
def test_what_was_changed_is_named(ground, before, after, says):
    """And so is the command that arms it again."""
    arming.arm(ground.config(), "Bob")
    ground.change(before, after)
    said = refused(ground)
    assert says in said
    assert "is not as it was armed" in said
    assert "tradecore arm" in said


def test_another_class_is_named(ground):
    """A file may hold several."""
    ground.write("own.py", "class Own:\n    step: int = 1\n\n\nclass Two(Own):\n    pass\n")
    ground.change('class = "own.py:Own"', 'class = "own.py:Own"\nname = "it"')
    arming.arm(ground.config(), "Bob")
    ground.change('class = "own.py:Own"', 'class = "own.py:Two"')
    assert "the class of strategy it was own.py:Own, is own.py:Two" in refused(ground)


@pytest.mark.parametrize("name", ["own.py", "beside.py"])
def test_changed_code_is_not_armed(ground, name):
    """One byte of the strategy's file, or of one beside it that it imports."""
    arming.arm(ground.config(), "Bob")
    proof = arming.armed(ground.config())
    with (ground.folder / name).open("a") as file:
        file.write("\n")
    assert f"the code of strategy Own: {name} was changed" in refused(ground)
    # Code that changes while it is loaded is found then.
    with pytest.raises(ConfigError, match=f"{name} was changed"):
        proof.require_code()


def test_a_folder_that_was_moved_is_armed_still(ground, tmp_path):
    """It is the code that counts, not where it lies."""
    arming.arm(ground.config(), "Bob")
    moved = tmp_path / "moved"
    moved.mkdir()
    for name in ("own.py", "beside.py", "live.toml", "keys.json"):
        (tmp_path / name).rename(moved / name)
    ground.folder = moved
    arming.armed(ground.config())


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        (
            {"url": "http://127.0.0.1:2"},
            "the venue of account main was http://127.0.0.1:1, is http://127.0.0.1:2",
        ),
        ({"key_id": "k2"}, "it is signed with the key 'k1-trade', and the key that trades now is 'k2-trade'"),
        ({"secret": "s2"}, "its signature is wrong"),
    ],
)
def test_another_venue_or_key_is_not_armed(ground, changes, says):
    """Orders would go somewhere else, or for somebody else."""
    arming.arm(ground.config(), "Bob")
    ground.keys(**changes)
    assert says in refused(ground)


def test_an_arming_that_somebody_wrote_is_none(ground):
    """Who cannot read the key that trades cannot arm."""
    signed = arming.arm(ground.config(), "Bob")
    forged = msgspec.structs.replace(signed, arming=msgspec.structs.replace(signed.arming, person="Eve"))
    write_arming(StateDir("main"), forged)
    assert "its signature is wrong: it was changed after it was armed" in refused(ground)
    write_arming(StateDir("main"), msgspec.structs.replace(signed, mac="é" * 64))
    assert "its signature is wrong: it was changed after it was armed" in refused(ground)


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff", b"[1]", DEEP], ids=len)
def test_a_file_that_is_no_arming_is_an_error(ground, content):
    """With its name, and what to do."""
    state = StateDir("main")
    state.create()
    state.arming.write_bytes(content)
    with pytest.raises(StorageError, match=r"arming.json.*arm the engine again"):
        arming.armed(ground.config())


@pytest.mark.parametrize(
    ("before", "after", "named"),
    [
        ('lot_size = "0.0001"', 'lot_size = "0.0001"\nmultiplier = "0.001"', "instrument BTC-USD"),
        ('lot_size = "0.0001"', 'lot_size = "0.0001"\nkind = "inverse"', "instrument BTC-USD"),
        ('lot_size = "0.0001"', 'lot_size = "1"', "instrument BTC-USD"),
        ('tick_size = "0.01"', 'tick_size = "1"', "instrument BTC-USD"),
        ('cash = "10000"', 'cash = "10000"\nconversions = { EUR = "1000" }', "conversions"),
        ('cash = "10000"', 'cash = "10000"\ncurrency = "JPY"', "currency"),
        ('kind = "local"', 'kind = "simulated"', "feed"),
        ("[strategy]", "[risk]\nday_start_ns = 3600000000000\n[strategy]", "day_start_ns"),
    ],
)
def test_what_a_bound_is_counted_by_is_armed_with_it(ground, before, after, named):
    """A thousandth of the multiplier is a thousand times the order, within the same profile."""
    arming.arm(ground.config(), "Bob")
    ground.change(before, after)
    assert f"setting {named} of account main was" in refused(ground)


def test_a_file_without_end_takes_no_memory(ground):
    """A gigabyte of holes takes no room on the disk, and would be read whole by each look at the account."""
    state = StateDir("main")
    state.create()
    with state.arming.open("wb") as file:
        file.truncate(1 << 36)
    with pytest.raises(StorageError, match=r"arming.json: cannot be read: is too large"):
        arming.armed(ground.config())


@pytest.mark.parametrize("mode", ["paper", "shadow"])
def test_only_a_live_configuration_is_armed_and_has_a_key_that_trades(ground, mode):
    """The same file in another mode opens nothing: not even its key is read."""
    arming.arm(ground.config(), "Bob")
    config = ground.config(f"mode={mode}")
    for call in (lambda: arming.armed(config), lambda: arming.arm(config, "Bob")):
        with pytest.raises(ConfigError, match=f"this one is of {mode} mode"):
            call()
    with pytest.raises(ConfigError, match=f"this configuration is of {mode} mode"):
        live_key(config, config.tables.live, TradingKey)
    assert live_key(config, config.tables.live, QueryKey).key_id == "k1-query"


async def test_who_is_not_armed_opens_no_connection_that_trades(ground):
    """Neither a configuration nor anything made by hand is the proof."""
    config = ground.config()
    signed = arming.arm(config, "Bob")
    for proof in (None, config, object()):
        with pytest.raises(InvalidValueError, match="what is not armed opens no connection that trades"):
            await live.open_venue(proof)
    with pytest.raises(InvalidValueError, match=r"must come from `wiring.arming.armed`"):
        arming.Armed(config, signed, object())
    with pytest.raises(AttributeError):
        arming.armed(config).config = ground.config("mode=paper")


@pytest.mark.parametrize(
    "url",
    [
        "http://venue.example.com",
        "http://10.0.0.1:18777",
        "http://127.0.0.1.example.com",
        "http://127.0.0.1@example.com",
        "http://127.0.0.1:80@example.com/",
        "http://example.com\\@127.0.0.1/",
        "http://example.com#@127.0.0.1",
        "http://[::2]:80",
        "ftp://127.0.0.1",
        "file:///etc/hosts",
        "127.0.0.1:80",
        "",
    ],
)
def test_an_unknown_host_is_refused_before_a_key_is_read(ground, url):
    """Keys that nobody could read are no matter then; the same holds for the key that only asks."""
    ground.keys(url=url, rights=())
    config = ground.config()
    for kind in (TradingKey, QueryKey):
        with pytest.raises(ConfigError, match=r"live.keys.*(host that is not known|must be an address)"):
            live_key(config, config.tables.live, kind)
    assert "live.keys" in refused_to_arm(config)


def refused_to_arm(config):
    """Return why it is not armed."""
    with pytest.raises(ConfigError) as caught:
        arming.arm(config, "Bob")
    return str(caught.value)


@pytest.mark.parametrize(
    ("url", "venues"),
    [
        ("http://localhost:5", "[]"),
        ("http://127.1.2.3", "[]"),
        ("http://[::1]:80/", "[]"),
        ("https://venue.example.com/api", '["venue.example.com"]'),
        ("https://venue.example.com:8443", '["other", "venue.example.com:8443"]'),
    ],
)
def test_known_hosts_are_this_machine_and_those_of_the_profile(ground, url, venues):
    """With any port, or with the one that is named."""
    ground.keys(url=url)
    ground.change("canary.order", f"canary.venues = {venues}\ncanary.order")
    config = ground.config()
    assert live_key(config, config.tables.live, TradingKey).key_id == "k1-trade"


def test_a_host_with_another_port_is_not_the_one_that_is_named(ground):
    """The message says what to write if it is right."""
    ground.keys(url="https://venue.example.com:1")
    ground.change("canary.order", 'canary.venues = ["venue.example.com:8443"]\ncanary.order')
    said = refused_to_arm(ground.config())
    assert "orders go to this machine and to venue.example.com:8443" in said
    assert "write 'venue.example.com:1' into `venues`" in said


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('person = "Ada"\n', 'live.person: is missing: write who answers for it, e.g. person = "Ada"'),
        ("canary.orders_a_day_max = 20\n", "live.canary.orders_a_day_max"),
        ('canary.instruments = ["BTC-USD"]\n', "live.canary.instruments"),
    ],
)
def test_a_live_configuration_says_who_answers_and_what_bounds_it(ground, line, says):
    """Each part of it; what is missing is named with what to write."""
    ground.change(line, "")
    with pytest.raises(ConfigError) as caught:
        ground.config()
    assert any(says in str(each) for each in (caught.value, *caught.value.others))


def test_a_live_configuration_without_a_profile_is_told_what_to_write(ground):
    """It can be copied."""
    text = (ground.folder / "live.toml").read_text()
    ground.write("live.toml", "\n".join(line for line in text.splitlines() if "canary" not in line))
    with pytest.raises(ConfigError) as caught:
        ground.config()
    assert 'live.canary: is missing: bound what is traded with money, e.g. instruments = ["BTC-USD"' in str(
        caught.value
    )


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ('instruments = ["BTC-USD"]', 'instruments = ["XRP-USD"]', "live.canary.instruments"),
        ("order_value_max = 500", "order_value_max = -1", "live.canary.order_value_max"),
        ("order_value_max = 500", 'order_value_max = "a lot"', "live.canary.order_value_max"),
        ("orders_a_day_max = 20", "orders_a_day_max = 0", "live.canary.orders_a_day_max"),
        ('["BTC-USD"]', "[]", "live.canary.instruments"),
    ],
)
def test_a_profile_that_makes_no_sense_is_refused_by_its_key(ground, before, after, says):
    """Before anything is armed."""
    ground.change(before, after)
    with pytest.raises(ConfigError) as caught:
        ground.config()
    assert any(says in str(each) for each in (caught.value, *caught.value.others))


def test_the_profile_is_part_of_the_engine_and_of_its_journal(ground):
    """So a start with another one on the same journal is refused, and a replay has the same."""
    (canary,) = ground.config().engine_spec().canaries
    assert (canary.account, canary.instruments, canary.orders_a_day_max) == ("main", ("BTC-USD",), 20)
    assert (canary.order_value_max, canary.position_value_max) == ("500", "1000")
    assert ground.config("mode=paper").engine_spec().canaries == ()


@pytest.mark.parametrize("person", ["", " Bob", "x" * 33])
def test_somebody_with_a_name_arms(ground, person):
    """Nobody answers for an empty one."""
    with pytest.raises(ConfigError, match="must be a name of 1 to 32 bytes"):
        arming.arm(ground.config(), person)


def test_a_strategy_that_cannot_be_made_is_not_armed(ground):
    """The message is that of its parameter."""
    ground.change("step = 3", "steps = 3")
    assert "did you mean step?" in refused_to_arm(ground.config())
    assert read_arming(StateDir("main")) is None


def test_the_command_shows_what_it_arms_and_disarm_takes_it_back(ground, capsys):
    """In words, and as JSON."""
    given = {"config": str(ground.folder / "live.toml"), "settings": [], "person": "Bob"}
    assert arm_commands.arm(argparse.Namespace(**given, json=False)) == ExitCode.OK
    shown = capsys.readouterr().out
    for words in ("main, by Bob at ", "own.py:Own", "(own.py, beside.py)", "step 3", "Ada", "127.0.0.1:1"):
        assert words in shown
    assert "order value max" in shown
    assert "no entry waits for a person" in shown
    ground.write("live.toml", (ground.folder / "live.toml").read_text() + "[live.approval]\nabove = 50\n")
    arm_commands.arm(argparse.Namespace(**given, json=False))
    approval = "an entry worth more than 50 USD waits for a person's yes, 1 min at most"
    assert approval in capsys.readouterr().out

    assert arm_commands.arm(argparse.Namespace(**given, json=True)) == ExitCode.OK
    told = json.loads(capsys.readouterr().out)
    assert told["arming"]["accounts"][0]["canary"]["orders_a_day_max"] == 20
    assert told["digest"] == arming.armed(ground.config()).by.digest

    arguments = argparse.Namespace(account="main", json=False)
    assert arm_commands.disarm(arguments) == ExitCode.OK
    assert "disarmed: its next live start is refused" in capsys.readouterr().out
    assert "is not armed" in refused(ground)
    assert arm_commands.disarm(arguments) == ExitCode.NOT_RUNNING
    assert "was not armed" in capsys.readouterr().err
    assert remove_arming(StateDir("main")) is False


def test_a_start_that_nobody_had_armed_is_forgotten_when_somebody_does(ground, capsys):
    """Its advice is carried out; a start that failed for another reason is still told."""
    given = {"config": str(ground.folder / "live.toml"), "settings": [], "person": "Bob", "json": False}
    path = StateDir("main").failed_start
    for words in ("the venue is gone", refused(ground)):
        StateDir("main").create()
        of_error(ConfigError("live.toml", "live", None, words), 1, []).write(path)
        arm_commands.arm(argparse.Namespace(**given))
        assert path.exists() == (words == "the venue is gone")
    status_command.status(argparse.Namespace(account="main", json=False))
    assert "failed start" not in capsys.readouterr().out


def test_status_says_who_armed_what_also_when_nothing_runs(ground, capsys):
    """It is what the next start is held against."""
    arming.arm(ground.config(), "Bob")
    status_command.status(argparse.Namespace(account="main", json=False))
    (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("armed")]
    assert "by Bob at " in line
    assert "Ada answers for it" in line
    StateDir("main").arming.write_text("x")
    status_command.status(argparse.Namespace(account="main", json=False))
    assert "not known: " in capsys.readouterr().out


async def test_an_embedded_engine_is_armed_by_a_call(ground):
    """And refused without it, before a venue is asked."""
    engine = EmbeddedEngine(ground.folder / "live.toml")
    with pytest.raises(ConfigError, match="is not armed"):
        await engine.run()
    assert engine.arm("Bob").startswith("by Bob at ")
    assert arming.armed(ground.config()).by.person == "Bob"


async def test_an_embedded_engine_is_armed_where_it_was_made(ground, monkeypatch):
    """Its state directory is that of then, also when the environment names another one later."""
    settings = tomllib.loads((ground.folder / "live.toml").read_text())
    settings["live"]["keys"] = str(ground.folder / "keys.json")
    settings["strategy"]["class"] = str(ground.folder / "own.py:Own")
    engine = EmbeddedEngine(settings)
    there = StateDir("main").arming
    monkeypatch.setenv("TRADECORE_STATE_DIR", str(ground.folder / "another"))
    with pytest.raises(ConfigError, match=r"is not armed.*call `EmbeddedEngine.arm`"):
        await engine.run()
    engine.arm("Bob")
    assert there.is_file()
    # Armed, it goes on to the venue, which is not there.
    with pytest.raises(VenueError):
        await engine.run()


async def test_each_account_has_a_profile_of_its_own_or_the_common_one(ground):
    """Each is bounded by itself, in the instruments that it has."""
    ground.change(
        "[venue]",
        '[[accounts]]\nname = "other"\ncash = 1\n[accounts.live]\nkeys = "other.json"\nepoch = 1\n[venue]',
    )
    (ground.folder / "other.json").write_text((ground.folder / "keys.json").read_text())
    (ground.folder / "other.json").chmod(0o600)
    ground.change('symbol = "ETH-USD"', 'symbol = "ETH-USD"\naccount = "other"')
    ground.change('["BTC-USD"]', '["BTC-USD", "ETH-USD"]')
    config = ground.config()
    first, second = config.engine_spec().canaries
    assert (first.account, first.instruments) == ("main", ("BTC-USD",))
    assert (second.account, second.instruments) == ("other", ("ETH-USD",))
    assert config.person_of(config.tables.accounts[0].live) == "Ada"
    bounds = "order_value_max = 1, orders_a_day_max = 2, position_value_max = 3"
    own = f"canary = {{ instruments = ['ETH-USD'], {bounds} }}"
    ground.change("epoch = 1", f'epoch = 1\nperson = "Eve"\n{own}')
    config = ground.config()
    assert config.engine_spec().canaries[1].orders_a_day_max == 2
    assert config.person_of(config.tables.accounts[0].live) == "Eve"
    assert (config.key_of_canary(0), config.key_of_canary(1)) == ("live.canary", "accounts.0.live.canary")
    signed = arming.arm(config, "Bob")
    assert [each.person for each in signed.arming.accounts] == ["Ada", "Eve"]


FORGED = ["Ada\nkill switch off", "Ada\x1b[2J", "\u202eadA", " Ada", ""]


@pytest.mark.parametrize("name", FORGED)
def test_a_name_of_a_person_writes_no_line_of_its_own(ground, name):
    """Nor does it clear a terminal, or turn what follows round: status shows it beside the state."""
    with pytest.raises(
        ConfigError, match=r"command line: --by.*must be a name of 1 to 32 bytes, all printable"
    ):
        arming.arm(ground.config(), name)
    ground.change('person = "Ada"', f"person = {json.dumps(name)}")
    with pytest.raises(ConfigError, match=r"live\.person"):
        arming.arm(ground.config(), "Bob")


@pytest.mark.parametrize(
    ("key", "before"), [("instruments.1.symbol", "ETH-USD"), ("live.canary.venues", None)]
)
def test_no_other_name_that_is_armed_does_so_either(ground, key, before):
    """An instrument, or a host."""
    if before is None:
        ground.change("[feed]", 'canary.venues = ["a\\nb"]\n[feed]')
    else:
        ground.change(before, "ETH\\nUSD")
    with pytest.raises(ConfigError, match="must be one line of printable text"):
        arming.arm(ground.config(), "Bob")


def test_a_strategy_has_a_name_of_one_line(ground):
    """It is shown with every order."""
    ground.change('class = "own.py:Own"', 'class = "own.py:Own"\nname = "a\\nb"')
    with pytest.raises(ConfigError, match="must be one line of printable text"):
        arming.arm(ground.config(), "Bob")


def test_code_that_is_swapped_between_look_and_load_does_not_run(ground):
    """And is refused though it lies there again as it was armed."""
    arming.arm(ground.config(), "Bob")
    forget_loaded(ground)
    proof = arming.armed(ground.config())
    ground.write("own.py", STRATEGY.replace("class Own", "import sys\nsys.swapped = True\nclass Own"))
    with pytest.raises(ConfigError, match="is not as it was armed"):
        strategies(ground.config())
    assert not hasattr(sys, "swapped")
    ground.write("own.py", STRATEGY)
    strategies(ground.config())
    proof.require_code()


def test_code_that_a_process_has_loaded_before_is_not_what_was_armed_since(ground):
    """A program that arms its engine once more, after a change, would trade with the code of before."""
    engine = EmbeddedEngine(ground.folder / "live.toml")
    engine.arm("Bob")
    ground.write("beside.py", "STEP = 2\n")
    engine.arm("Bob")
    proof = arming.armed(ground.config())
    with pytest.raises(ConfigError, match=r"beside\.py was loaded by this process as it was before"):
        proof.require_code()


def forget_loaded(ground):
    """Let the modules of the folder be loaded anew, as a new process does."""
    for name in [name for name, module in sys.modules.items() if is_beside(module, ground.folder)]:
        del sys.modules[name]


def is_beside(module, folder):
    """Tell whether a module is of a file in the folder."""
    return str(getattr(module, "__file__", None) or "").startswith(f"{folder}/")
