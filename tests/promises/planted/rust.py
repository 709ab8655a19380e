"""Bugs of Rust: each is in the source as `is_planted("its_name")`, and the extra build lets one be chosen."""

from promises.planted.bug import Bug, Language, Seed, Test

BESIDE, BOOKS = (
    "tests/unit/audit/test_beside_engines.py",
    "test_books_worked_out_from_records_are_those_of_the_engine",
)
EACH, ENGINE = "tests/unit/test_limits_each.py", "tests/replay/test_one_engine.py"
LIMITS, LIVE = "tests/unit/test_limits.py", "tests/contract/test_live_session.py"
OUTSIDE, UNIT = "tests/contract/test_outside_venue.py", "tests/unit/test_limits_to_the_unit.py"
# Name, promise, what it breaks, the file below `rust`, and who is to notice it.
_ROWS = (
    (
        "checksum_not_compared",
        "P20",
        "A book that has another checksum than its venue stays valid.",
        "book/src/instrument_book.rs",
        Test("adapters/files/tests/test_book_capture.py::test_a_flipped_size_is_found_at_that_message"),
    ),
    (
        "old_book_stays_valid",
        "P20",
        "A book of which nothing is heard stays valid.",
        "book/src/instrument_book.rs",
        Test(f"{ENGINE}::test_a_silence_longer_than_a_book_may_have_is_counted"),
    ),
    (
        "doubled_message_applied",
        "P20",
        "A message of before is applied again.",
        "book/src/rule.rs",
        Test(f"{ENGINE}::test_a_damaged_sequence_is_seen_at_once_and_nothing_trades_on_the_book[doubled]"),
    ),
    (
        "gap_passed_over",
        "P20",
        "A message that is missing leaves the book valid.",
        "book/src/rule.rs",
        Test(f"{ENGINE}::test_a_damaged_sequence_is_seen_at_once_and_nothing_trades_on_the_book[dropped]"),
    ),
    (
        "backup_ends_anywhere",
        "P11",
        "A copy ends within a block.",
        "journal/src/folder/backup.rs",
        Test("tests/unit/test_journal_segments.py::test_a_copy_is_whole_and_goes_on"),
    ),
    (
        "journal_not_locked",
        "P13",
        "Two engines write one journal.",
        "journal/src/folder/lock.rs",
        Test("tests/unit/test_journal.py::test_a_second_writer_is_refused"),
    ),
    (
        "torn_tail_not_kept",
        "P7",
        "What a crash has torn is thrown away.",
        "journal/src/recover.rs",
        Test("tests/unit/test_journal.py::test_a_torn_tail_is_cut_kept_and_reported"),
    ),
    (
        "damage_taken_for_a_torn_tail",
        "P7",
        "Any damage counts as a torn tail and is cut off.",
        "journal/src/scan.rs",
        Test("tests/unit/test_journal.py::test_damage_names_offset_records_and_what_to_do"),
    ),
    (
        "hash_chain_not_checked",
        "P7",
        "The hash of a block is not compared.",
        "journal/src/scan.rs",
        Test("tests/unit/test_journal.py::test_damage_names_offset_records_and_what_to_do"),
    ),
    (
        "acknowledged_before_the_sync",
        "P2",
        "A durable group is told before it is on the disk.",
        "journal/src/writer.rs",
        Test(
            "tests/faults/test_what_is_synced.py::test_a_durable_group_is_synced_after_it_was_written_and_another_is_not"
        ),
    ),
    (
        "on_after_a_failed_write",
        "P4",
        "The journal goes on after the disk has said no.",
        "journal/src/writer.rs",
        Test("tests/faults/test_journal_faults.py::test_a_full_disk_is_one_clear_error_and_loses_nothing"),
    ),
    (
        "reserve_never_spent",
        "P5",
        "The room that is kept for a full disk is not used.",
        "journal/src/writer.rs",
        Test(
            "tests/faults/test_reserve_on_a_full_disk.py::test_room_is_kept_when_there_is_room_and_spent_once"
        ),
    ),
    (
        "late_fill_left_out",
        "P18",
        "A trade that is told after the end of its order is not booked.",
        "kernel/src/books/outside.rs",
        Test(f"{OUTSIDE}::test_answers_are_events_and_whoever_reads_the_journal_sees_what_was_booked"),
    ),
    (
        "surprise_halts_nothing",
        "P19",
        "What cannot be true of the books halts nothing.",
        "kernel/src/books/outside.rs",
        Test(f"{OUTSIDE}::test_what_cannot_be_true_halts_new_orders_until_the_books_are_compared"),
    ),
    (
        "trade_told_twice_counts_twice",
        "P27",
        "A trade that is told twice is booked twice.",
        "kernel/src/books/outside.rs",
        Test(f"{OUTSIDE}::test_answers_are_events_and_whoever_reads_the_journal_sees_what_was_booked"),
    ),
    (
        "kill_leaves_orders_open",
        "C12",
        "A kill leaves orders in the market.",
        "kernel/src/control/commands.rs",
        Test(f"{UNIT}::test_a_kill_ends_every_order_and_a_pause_that_ends_takes_it_back_from_nobody"),
    ),
    (
        "resume_releases_a_kill",
        "P24",
        "A pause that ends lets a killed engine trade.",
        "kernel/src/control/commands.rs",
        Test(f"{UNIT}::test_a_kill_ends_every_order_and_a_pause_that_ends_takes_it_back_from_nobody"),
    ),
    (
        "kill_of_a_part_ignored",
        "C11",
        "A strategy that was killed goes on.",
        "kernel/src/control/stops.rs",
        Test(f"{UNIT}::test_a_strategy_that_was_killed_asks_in_vain"),
    ),
    (
        "person_not_asked",
        "C10",
        "A wish that is to wait for a person goes out at once.",
        "kernel/src/gates/asking.rs",
        Test("tests/unit/test_approvals.py::test_the_strategy_is_told_that_it_waits_and_under_which_number"),
    ),
    (
        "child_outgrows_its_entry",
        "P35",
        "An exit is as large as it was asked for, whatever its entry has filled.",
        "kernel/src/groups/child.rs",
        Test(
            "tests/unit/test_order_groups.py::test_an_order_that_waits_for_another_can_be_cancelled_and_expires"
        ),
    ),
    (
        "last_source_comes_first",
        "P53",
        "Of events at one time the last source comes first.",
        "kernel/src/input/tournament.rs",
        Test(
            "tests/unit/test_order_of_events.py::test_of_events_at_one_time_those_of_the_lower_source_come_first"
        ),
    ),
    (
        "sent_without_a_record",
        "P30",
        "A request leaves for the venue without its record.",
        "kernel/src/outgoing/dispatch.rs",
        Test(f"{OUTSIDE}::test_a_request_is_seen_outside_when_it_is_durable_and_never_before"),
    ),
    (
        "snapshot_forgets_what_was_fed",
        "P8",
        "An engine that goes on from a snapshot takes events of before.",
        "kernel/src/snapshot.rs",
        Test(
            "tests/unit/test_order_of_events.py::test_an_engine_that_goes_on_from_a_snapshot_takes_nothing_from_before"
        ),
    ),
    (
        "snapshot_not_checked",
        "P10",
        "A state that is not the one that was written is gone on from.",
        "kernel/src/snapshot.rs",
        Test("tests/property/test_snapshots.py::test_a_changed_byte_of_a_body_is_an_error_or_the_same_state"),
    ),
    (
        "fee_not_booked",
        "P28",
        "No fee reaches the accounts of the ledger.",
        "ledger/src/ledger.rs",
        Test("tests/property/test_fee_tiers.py::test_every_fill_pays_the_rates_of_the_volume_before_it"),
    ),
    (
        "fee_share_counted_twice",
        "P28",
        "Of a fill that closes several lots each share of the fee is of the whole.",
        "ledger/src/ledger.rs",
        Test(
            "tests/unit/test_lot_methods.py::test_the_fee_of_a_fill_that_closes_several_lots_is_shared_among_them"
        ),
    ),
    (
        "rounding_left_behind",
        "P29",
        "What rounding leaves of a lot is booked nowhere.",
        "ledger/src/ledger.rs",
        Test(f"{BESIDE}::{BOOKS}[inverse, fifo-exchange]"),
    ),
    ("doubt_not_counted", "C6", "An order in doubt counts in no limit.", "ledger/src/orders.rs", Seed(3)),
    (
        "late_acknowledgement_undoes_a_cancel",
        "P18",
        "An acknowledgement that comes late makes the order forget its cancel.",
        "ledger/src/orders.rs",
        Test(f"{OUTSIDE}::test_an_acknowledgement_that_comes_late_leaves_the_cancel_asked_for"),
    ),
    (
        "lost_outcome_ends_the_order",
        "P16",
        "An order whose outcome is lost counts as rejected.",
        "ledger/src/orders.rs",
        Test(f"{LIVE}::test_whatever_becomes_of_a_request_the_order_is_there_once_or_not_at_all[after]"),
    ),
    (
        "overfill_taken_for_a_fill",
        "P17",
        "An order fills more than it has open.",
        "ledger/src/orders.rs",
        Test(f"{OUTSIDE}::test_a_trade_of_more_than_was_asked_for_is_booked_whole_and_said"),
    ),
    (
        "part_fill_ends_a_doubt",
        "P16",
        "A part of a fill makes an order in doubt a filled one.",
        "ledger/src/orders.rs",
        Seed(1),
    ),
    (
        "fee_rounded_down",
        "P29",
        "A fee is rounded in favour of the account.",
        "matching/src/fees.rs",
        Test(f"{BESIDE}::{BOOKS}[inverse, fifo-bars]"),
    ),
    (
        "canary_orders_off_by_one",
        "C16",
        "One order a day more than its canary profile allows passes.",
        "risk/src/canary.rs",
        Test(f"{LIMITS}::test_a_canary_profile_refuses_with_its_rule_and_no_limit_lifts_it"),
    ),
    (
        "canary_value_off_by_one",
        "C16",
        "An order of one atto unit more than its canary profile allows passes.",
        "risk/src/canary.rs",
        Test(f"{UNIT}::test_an_order_is_worth_as_much_as_it_may_and_not_one_atto_unit_more[by_canary]"),
    ),
    (
        "halt_forgotten_by_a_new_journal",
        "C25",
        "A new journal trades on where the old one was halted.",
        "risk/src/guards.rs",
        Test(f"{UNIT}::test_a_loss_counts_on_in_a_new_journal_and_so_does_a_halt"),
    ),
    (
        "collar_not_checked",
        "C1",
        "A price far from the market passes.",
        "risk/src/instrument_checks.rs",
        Test(
            f"{EACH}::test_an_amendment_to_a_price_that_no_new_order_may_have_is_refused[risk0-price_collar]"
        ),
    ),
    (
        "drift_not_checked",
        "C2",
        "A price that has drifted too far in a while passes.",
        "risk/src/instrument_checks.rs",
        Test(
            f"{EACH}::test_an_amendment_to_a_price_that_no_new_order_may_have_is_refused[risk2-price_drift]"
        ),
    ),
    (
        "invalid_book_passes",
        "P20",
        "An order passes while its book is INVALID.",
        "risk/src/instrument_checks.rs",
        Test(f"{UNIT}::test_nothing_passes_on_a_book_that_is_invalid"),
    ),
    (
        "kill_latch_ignored",
        "P24",
        "A killed engine sends new orders.",
        "risk/src/instrument_checks.rs",
        Test("tests/unit/test_engine.py::test_kill_and_pause_stop_new_orders[kill]"),
    ),
    (
        "missing_price_passes",
        "C1",
        "An order without a reference price passes the collar.",
        "risk/src/instrument_checks.rs",
        Test(f"{UNIT}::test_without_a_price_of_the_market_nothing_passes_a_collar"),
    ),
    (
        "open_orders_not_counted",
        "C25",
        "Any number of orders may be open.",
        "risk/src/instrument_checks.rs",
        Test(f"{UNIT}::test_as_many_orders_are_open_as_may_be"),
    ),
    (
        "position_off_by_one",
        "C25",
        "A position of one lot too many passes.",
        "risk/src/instrument_checks.rs",
        Test(
            f"{EACH}::test_an_amendment_to_a_size_that_no_new_order_may_have_is_refused[risk2-position_max-said2]"
        ),
    ),
    (
        "quantity_off_by_one",
        "C4",
        "An order of one lot too many passes.",
        "risk/src/instrument_checks.rs",
        Test(
            f"{EACH}::test_an_amendment_to_a_size_that_no_new_order_may_have_is_refused[risk0-quantity_max-said0]"
        ),
    ),
    (
        "reduce_only_may_turn",
        "P33",
        "An order that may only close opens a position.",
        "risk/src/instrument_checks.rs",
        Test("tests/unit/test_order_kinds.py::test_a_stop_that_was_set_off_closes_already[kind0-0]"),
    ),
    (
        "stale_price_passes",
        "P33",
        "An order passes with a reference price that is too old.",
        "risk/src/instrument_checks.rs",
        Test(f"{EACH}::test_an_amendment_needs_a_price_as_fresh_as_a_new_order[risk0]"),
    ),
    (
        "unreconciled_ignored",
        "P19",
        "New risk is taken before books and venue agree.",
        "risk/src/instrument_checks.rs",
        Test(f"{LIVE}::test_before_books_and_venue_are_compared_nothing_new_is_risked"),
    ),
    (
        "value_off_by_one",
        "C3",
        "An order of one atto unit too much passes.",
        "risk/src/instrument_checks.rs",
        Test(f"{UNIT}::test_an_order_is_worth_as_much_as_it_may_and_not_one_atto_unit_more[by_instrument]"),
    ),
    (
        "day_begins_at_midnight",
        "P32",
        "The loss of a day begins at midnight UTC, whatever was set.",
        "risk/src/loss_guard.rs",
        Test(f"{UNIT}::test_a_loss_counts_until_the_day_of_the_account_ends"),
    ),
    (
        "loss_of_the_day_forgotten",
        "P32",
        "A new journal begins the day without its loss.",
        "risk/src/loss_guard.rs",
        Test(f"{UNIT}::test_a_loss_counts_on_in_a_new_journal_and_so_does_a_halt"),
    ),
    (
        "refusal_without_its_value",
        "P34",
        "A refusal names the limit and not the value that broke it.",
        "risk/src/measures.rs",
        Test(f"{LIMITS}::test_limits_of_a_specification_refuse_with_rule_limit_and_value[risk0-said0]"),
    ),
    (
        "doubled_order_passes",
        "C20",
        "The same order passes twice in a moment.",
        "risk/src/recent_orders.rs",
        Test(f"{UNIT}::test_the_same_order_does_not_pass_twice_in_a_moment"),
    ),
    (
        "executions_never_halt",
        "C7",
        "A strategy that trades without end is not halted.",
        "risk/src/scope_checks.rs",
        Test(f"{LIMITS}::test_a_halt_stands_in_the_summary_until_a_person_releases_it"),
    ),
    (
        "halt_passed_over",
        "C7",
        "What was halted goes on.",
        "risk/src/scope_checks.rs",
        Test(f"{LIMITS}::test_a_halt_stands_in_the_summary_until_a_person_releases_it"),
    ),
    (
        "permission_not_asked",
        "C9",
        "An instrument that is not allowed is traded.",
        "risk/src/scope_checks.rs",
        Test(f"{LIMITS}::test_limits_of_a_specification_refuse_with_rule_limit_and_value[risk4-said4]"),
    ),
    (
        "reserve_for_everybody",
        "C5",
        "New orders use the messages that are kept for cancels.",
        "risk/src/scope_checks.rs",
        Test(f"{LIMITS}::test_limits_of_a_specification_refuse_with_rule_limit_and_value[risk3-said3]"),
    ),
    (
        "gross_not_added_up",
        "C8",
        "What is held in several instruments is not added up.",
        "risk/src/scopes.rs",
        Test(f"{LIMITS}::test_limits_of_a_specification_refuse_with_rule_limit_and_value[risk0-said0]"),
    ),
    (
        "own_orders_may_meet",
        "C23",
        "Orders of the account trade with each other.",
        "risk/src/scopes.rs",
        Test(f"{LIMITS}::test_self_trades_can_be_prevented_from_a_moment_on"),
    ),
    (
        "exits_not_added_up",
        "P31",
        "Several exits of one position may close more than it has.",
        "risk/src/stake.rs",
        Test("tests/unit/test_order_kinds.py::test_a_stop_that_was_set_off_closes_already[kind0-0]"),
    ),
    (
        "orders_under_way_not_counted",
        "P31",
        "Orders under way count in no position.",
        "risk/src/stake.rs",
        Test(f"{UNIT}::test_orders_under_way_count_in_a_position_limit"),
    ),
)
RUST: dict[str, Bug] = {
    name: Bug(
        name=name,
        promise=promise,
        breaks=breaks,
        path=f"rust/{path}",
        language=Language.RUST,
        catcher=catcher,
    )
    for name, promise, breaks, path, catcher in _ROWS
}
