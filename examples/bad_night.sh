#!/bin/sh
# A bad night: a venue stops answering in the middle of an order, the engine is killed, and both come back.
#
#   sh examples/bad_night.sh
#
# It takes about a minute, in a folder of its own that it removes, at a venue on this machine that plays with
# money. docs/how-to/bad-night.md explains it line by line.
set -eu
night=$(mktemp -d)
cd "$night"
export TRADECORE_STATE_DIR="$night/state" NO_COLOR=1
venue='' engine=''

clean_up() {
    for process in $engine $venue; do
        kill -KILL "$process" 2>/dev/null || true
    done
    cd /
    rm -rf "$night"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

# What the running engine says of itself; `e` is all of it, `v` how the line to the venue stands.
engine_says() {
    tradecore status night --json 2>/dev/null | python3 -c "
import json, sys
e = json.load(sys.stdin).get('engine') or {}
v = e.get('venue') or {}
print($1)"
}

wait_until() {
    tries=0
    while [ "$(engine_says "bool($1)" 2>/dev/null)" != True ]; do
        tries=$((tries + 1))
        [ "$tries" -lt 200 ] || { echo "never so: $1" >&2; tail -20 engine.log >&2; exit 1; }
        sleep 0.2
    done
}

start_engine() {
    tradecore run night.toml >engine.out 2>>engine.log &
    engine=$!
}

# A venue that loses its 40th order on the way: it comes a minute late, and is too old by then.
cat >venue.toml <<'END'
validity_window_ns = 15_000_000_000

[[accounts]]
name = "demo"
balances = { USD = "1000000" }

[[markets]]
base = "BTC"
quote = "USD"
is_margin = true
leverage = 5
instrument = { symbol = "BTC-USD", tick_size = "0.01", lot_size = "0.0001" }
END
cat >faults.toml <<'END'
[[rules]]
kind = "request_late"
endpoint = "submit"
counts = [40]
delay_ms = 60_000
END
cat >night.toml <<'END'
mode = "live"
feed = { kind = "local" }
instruments = [{ symbol = "BTC-USD", tick_size = "0.01", lot_size = "0.0001" }]
account = { name = "night", cash = "1000000" }
venue = { matching = "book" }
strategy = { class = "tradecore_api.demo_strategies:Quoter" }
journal = { path = "night.journal" }

[live]
person = "Ada"
keys = "venue-keys.json"
answer_timeout_ms = 1_000

[live.canary]
instruments = ["BTC-USD"]
order_value_max = 1_000_000
orders_a_day_max = 100_000
position_value_max = 1_000_000
END

tradecore venue serve --port 0 --settings venue.toml --faults faults.toml --duration-ms 300000 >venue.out 2>&1 &
venue=$!
while [ ! -e venue-keys.json ]; do
    kill -0 "$venue" 2>/dev/null || { cat venue.out >&2; exit 1; }
    sleep 0.1
done
tradecore arm night.toml --by Ada >armed.out
start_engine
wait_until "v.get('step') == 'agreed' and e.get('fills', 0) > 0"
echo "1. It trades: books and venue agree, and orders fill."

wait_until "v.get('unknown')"
kill -STOP "$venue"
echo "2. An order has no answer, and then the venue has none at all: nobody knows what became of the order."

wait_until "not v.get('is_connected')"
echo "3. No new risk is taken. What is in doubt counts as open, and nothing is sent again."

kill -KILL "$engine"
wait "$engine" 2>/dev/null || true
engine=''
code=0
tradecore status night >status.out || code=$?
echo "4. The engine is killed, as by a power cut. Status says so (exit code $code)."

code=0
timeout 60 tradecore run night.toml >engine.out 2>early.log || code=$?
echo "5. A start without a venue sends nothing and ends with exit code $code."

kill -CONT "$venue"
sleep 3
code=0
tradecore reconcile night.toml >reconcile.out || code=$?
grep -q 'is in doubt in the books' reconcile.out
echo "6. The venue is back. Compared with it the journal has an order in doubt (exit code $code)."

start_engine
wait_until "v.get('step') == 'agreed' and e.get('start_report')"
tradecore start-report night.toml >report.out
grep -q 'genuine' report.out
echo "7. The engine starts again, goes on from its journal, and signs what it found."

wait_until "not v['unknown']"
tradecore orders night --state rejected --all | grep -q never_arrived
echo "8. It is proved that the order never arrived; it was not sent a second time."

tradecore pause night >/dev/null
tradecore flatten night >/dev/null
wait_until "v.get('step') == 'agreed' and not e['open_orders'] and not e['positions'] and not v['unknown']"
tradecore reconcile night.toml >reconcile.out
echo "9. Paused and flattened: no order, no position, and books and venue agree."

tradecore stop night >/dev/null
wait "$engine"
engine=''
tradecore journal verify night.journal >verify.out
tradecore journal replay night.journal >replay.out
echo "10. Stopped. The journal is intact, and a replay makes every byte of the night again."
