//! Control: what operators tell the engine, and what they changed.

pub(crate) mod changes;
pub(crate) mod commands;
