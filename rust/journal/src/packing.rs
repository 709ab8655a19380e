//! Packs older segments beside the writer, in a thread of its own.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use crate::folder::pack_until;

/// The thread that packs, when there is something to pack.
///
/// The writer never waits for it. When the writer is dropped it stops by itself.
#[derive(Debug, Default)]
pub(crate) struct Packing {
    stop: Arc<AtomicBool>,
    problem: Arc<Mutex<String>>,
    thread: Option<JoinHandle<()>>,
}

impl Packing {
    /// Begins to pack what is older than the newest segment; one that is at it takes it along, or the next one does.
    pub(crate) fn begin(&mut self, path: &Path, newest: u64) {
        let is_at_it = self.thread.as_ref().is_some_and(|thread| !thread.is_finished());
        if newest < 2 || is_at_it {
            return;
        }
        let (path, stop, problem) = (path.to_path_buf(), Arc::clone(&self.stop), Arc::clone(&self.problem));
        let work = move || {
            let said = loop {
                match pack_until(&path, &stop) {
                    Ok(done) if done.segments == 0 => break String::new(),
                    Ok(_) => {}
                    Err(error) => break error.to_string(),
                }
            };
            *problem.lock().unwrap_or_else(PoisonError::into_inner) = said;
        };
        // Without a thread the segments stay plain, and the next rotation tries again.
        self.thread = thread::Builder::new().name("journal-pack".into()).spawn(work).ok();
    }

    /// Stops what is packed just now and waits for it.
    pub(crate) fn end(mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }

    /// Says why segments are not packed, nothing when they are.
    pub(crate) fn problem(&self) -> String {
        self.problem.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Packing {
    /// A child of this process has no such thread, so nobody waits for it here.
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}
