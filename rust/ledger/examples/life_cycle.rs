//! Prints the order life cycle as a Mermaid state diagram; `make generate` puts it into ARCHITECTURE.md.

fn main() {
    print!("{}", tradecore_ledger::diagram());
}
