"""Every request leaves the engine through one function, and nobody overlooks where requests may go."""

import re

from support.tree import files, name_of

KERNEL = "rust/kernel/src"


def lines_with(pattern: str, below: str = "rust") -> list[str]:
    """Return the files that have the pattern outside tests, each as often as it does."""
    return [
        name_of(path)
        for path in files(".rs", below=below)
        if "/tests/" not in name_of(path)
        for _ in re.finditer(pattern, path.read_text(encoding="utf-8"))
    ]


def test_one_function_plans_an_arrival_at_the_venue():
    """The schedule's one way to do so has one caller, and so has the record that something was sent."""
    door = [f"{KERNEL}/outgoing/dispatch.rs"]

    assert lines_with(r"\bschedule\s*\.arrival\(") == door
    assert (
        lines_with(r"\barrivals\s*\.(push_\w+|insert|extend|append)\(")
        == [f"{KERNEL}/outgoing/schedule.rs"] * 2
    )
    assert set(lines_with(r"\brecorder\s*\.sent\(")) == set(door)
    assert lines_with(r"\bencode_sent\(&mut") == [f"{KERNEL}/recorder.rs"]


def test_a_destination_is_matched_with_every_arm():
    """A comparison with one of them would take a new one for one of the others, silently."""
    assert lines_with(r"[!=]= *(\w+::)*Destination::\w+") == []
    assert lines_with(r"matches!\([^)]*Destination::") == []
    assert lines_with(r"if let (\w+::)*Destination::") == []
    for path in files(".rs", below="rust"):
        for arms in arms_of(path.read_text(encoding="utf-8"), "Destination::"):
            assert "_ =>" not in arms, name_of(path)


def arms_of(code: str, name: str) -> list[str]:
    """Return the arms of each `match` of Rust code whose patterns begin with a name."""
    found = re.findall(rf"\bmatch [^{{}}]+{{\s*{name}(?:[^{{}}]|{{(?:[^{{}}]|{{[^{{}}]*}})*}})*}}", code)
    return [arms for arms in found if name in arms]


def test_the_patterns_find_what_they_look_for():
    """A pattern that never matches would prove nothing."""
    assert re.search(r"[!=]= *(\w+::)*Destination::\w+", "if self.to == Destination::Nowhere {")
    assert re.search(r"[!=]= *(\w+::)*Destination::\w+", "to != crate::Destination::Nowhere")
    assert re.search(r"\bschedule\s*\.arrival\(", "self.schedule\n            .arrival(now, None)")
    code = "match self.to { Destination::Nowhere => { one({ 2 }) } _ => {} }"
    assert arms_of(code, "Destination::") == [code]
