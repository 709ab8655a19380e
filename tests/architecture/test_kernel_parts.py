"""The kernel is made of parts, each of which keeps what it promises; the kernel knows their order."""

import re

from support.tree import ROOT

KERNEL = ROOT / "rust" / "kernel" / "src"
# What is not a part of its own: settings, the time, and what is asked too often to look it up.
BESIDES = {"config", "recorder", "now_ns", "opened_ns", "has_margin"}
PARTS = {"input", "markets", "books", "gates", "outgoing", "control", "calls"}


def test_the_kernel_holds_its_parts_and_little_besides():
    """A new field belongs to one of them; each part stands in the file of its name."""
    text = (KERNEL / "kernel.rs").read_text()
    body = re.search(r"^pub struct Kernel \{\n(.*?)^\}", text, re.MULTILINE | re.DOTALL)
    assert body is not None
    fields = set(re.findall(r"^    (?:pub\(crate\) )?(\w+):", body[1], re.MULTILINE))

    assert fields == PARTS | BESIDES
    for part in PARTS:
        file = (KERNEL / f"{part}.rs").read_text()
        assert re.search(rf"^pub(\(crate\))? struct {part.capitalize()} \{{", file, re.MULTILINE), part
        assert "**Invariant:**" in file, part


def test_what_each_part_promises_is_looked_at_after_every_step():
    """In builds for tests: random runs are what tries it."""
    text = (KERNEL / "advance.rs").read_text()
    assert "debug_assert!(self.are_parts_sound());" in text
    for part in ("input", "markets", "outgoing", "calls"):
        assert f"self.{part}.is_sound()" in text
