//! Writes the seeds of every target to `<directory>/<target>/`, for cargo-fuzz to start from.

use std::path::PathBuf;
use std::{env, fs, io};

use tradecore_fuzzing::{TARGETS, seeds};

fn main() -> io::Result<()> {
    let directory = env::args_os().nth(1).map_or_else(|| PathBuf::from("fuzz/corpus"), PathBuf::from);
    for (name, _) in TARGETS {
        let directory = directory.join(name);
        fs::create_dir_all(&directory)?;
        for (number, seed) in seeds(name).into_iter().enumerate() {
            fs::write(directory.join(format!("seed-{number}")), seed)?;
        }
    }
    Ok(())
}
