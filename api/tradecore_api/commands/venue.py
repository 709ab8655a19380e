"""`tradecore venue serve`."""

import argparse
import asyncio
import signal
from contextlib import suppress

from tradecore_api import process_deadline, signals
from tradecore_api.event_loop import loop_factory
from tradecore_api.exit_codes import ExitCode
from tradecore_api.output import print_json_line, print_note
from tradecore_api.wiring import local_venue

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_SECONDS_PER_MS = 1e-3


def serve(arguments: argparse.Namespace) -> int:
    """Serve a venue until Ctrl-C, SIGTERM or the end of its time, and say what went wrong on purpose."""
    settings = local_venue.settings_of(arguments.settings, seed=arguments.seed, symbols=arguments.instruments)
    script = local_venue.script_of(arguments.faults)
    served = local_venue.new_keys(settings)

    async def until_told(url: str, query_url: str) -> None:
        local_venue.write_keys(arguments.keys, url, served, query_url)
        _say_start(arguments, url, [market.instrument.symbol for market in settings.markets])
        await _end(arguments.duration_ms)

    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        faults = runner.run(
            local_venue.serve(
                settings, script, served, host=arguments.host, port=arguments.port, on_start=until_told
            )
        )
    if arguments.json:
        print_json_line({"faults": dict(faults)})
    for name, count in faults:
        print_note(f"went wrong on purpose {'once' if count == 1 else f'{count} times'}: {name}")
    return ExitCode.OK


def _say_start(arguments: argparse.Namespace, url: str, symbols: list[str]) -> None:
    if arguments.json:
        print_json_line({"url": url, "keys": arguments.keys, "symbols": symbols})
        return
    print(f"The local venue listens on {url} and trades {', '.join(symbols)}.", flush=True)
    print(f"Its keys are in {arguments.keys}, which only you can read.", flush=True)
    end = f"It ends by itself after {arguments.duration_ms} ms, or" if arguments.duration_ms else "It ends"
    print(f"{end} with Ctrl-C. docs/local-venue.md shows how to ask it.", flush=True)


async def _end(duration_ms: int | None) -> None:
    """Return when a signal comes, or the time is over."""
    loop = asyncio.get_running_loop()
    told = asyncio.Event()
    handlers = {
        number: signals.install(number, lambda *_: loop.call_soon_threadsafe(told.set)) for number in _SIGNALS
    }
    process_deadline.wait_for(_SIGNALS, process_deadline.SECONDS, ExitCode.INTERRUPTED)
    try:
        with suppress(TimeoutError):
            async with asyncio.timeout(duration_ms * _SECONDS_PER_MS if duration_ms is not None else None):
                await told.wait()
    finally:
        signals.let_go()
        for number, handler in handlers.items():
            signals.install(number, handler)
