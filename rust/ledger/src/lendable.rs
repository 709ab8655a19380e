//! A value that readers may keep while its owner goes on.

use std::sync::Arc;

/// A value of one owner, who lends it to readers as it is at that moment.
///
/// **Invariant:** what was lent never changes: the owner's next change is made to a copy when somebody still
/// keeps it, and in place when nobody does. Before the first lending a change costs one branch more.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct Lendable<T>(Held<T>);

#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
enum Held<T> {
    Alone(T),
    Lent(Arc<T>),
}

impl<T: Clone + Default> Lendable<T> {
    /// Wraps a value that is to be shown to others while it grows.
    pub const fn new(value: T) -> Self {
        Self(Held::Alone(value))
    }

    /// Returns the value as it is now.
    pub fn get(&self) -> &T {
        match &self.0 {
            Held::Alone(value) => value,
            Held::Lent(value) => value,
        }
    }

    /// Returns the value to be changed; a reader who keeps it keeps what it was.
    pub fn get_mut(&mut self) -> &mut T {
        match &mut self.0 {
            Held::Alone(value) => value,
            Held::Lent(value) => Arc::make_mut(value),
        }
    }

    /// Lends the value; nothing is copied.
    pub fn lend(&mut self) -> Arc<T> {
        if let Held::Alone(value) = &mut self.0 {
            self.0 = Held::Lent(Arc::new(std::mem::take(value)));
        }
        match &self.0 {
            Held::Lent(value) => Arc::clone(value),
            Held::Alone(value) => Arc::new(value.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_lent_stays_as_it_was_and_the_owner_goes_on() {
        let mut numbers = Lendable::new(vec![1, 2]);
        let first = numbers.lend();
        numbers.get_mut().push(3);
        let second = numbers.lend();
        numbers.get_mut().push(4);
        assert_eq!((&*first, &*second, numbers.get()), (&vec![1, 2], &vec![1, 2, 3], &vec![1, 2, 3, 4]));
    }

    #[test]
    fn lending_moves_nothing_and_what_nobody_keeps_is_changed_in_place() {
        let mut numbers = Lendable::new(Vec::with_capacity(4));
        numbers.get_mut().push(1);
        let place = numbers.get().as_ptr();
        let lent = numbers.lend();
        assert_eq!(lent.as_ptr(), place);
        drop(lent);
        numbers.get_mut().push(2);
        assert_eq!((numbers.get().as_ptr(), numbers.lend().as_ptr()), (place, place));
    }
}
