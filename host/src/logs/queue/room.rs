//! Who may take up how much of a queue's room.

use std::collections::HashMap;
use std::sync::Arc;

/// A function that holds no more than this part of the room is let in as long as there is any.
const SMALL_SHARE: usize = 64;
/// This part of the room is for those with a small share, however many others print all they can.
const RESERVE: usize = 4;
/// From this part of the room on it is filling.
const FILLING: usize = 8;
/// How many functions are remembered that hold no room at the moment.
const MOST_HELD: usize = 1000;

/// An amount of room: all that there is, or what is taken up of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::logs) struct Bounds {
    pub(in crate::logs) batches: usize,
    pub(in crate::logs) bytes: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            batches: 65_536,
            bytes: 32 * 1024 * 1024,
        }
    }
}

impl Bounds {
    const NONE: Self = Self {
        batches: 0,
        bytes: 0,
    };

    /// One batch of so many bytes.
    pub(super) fn batch(bytes: usize) -> Self {
        Self { batches: 1, bytes }
    }

    fn part(self, parts: usize) -> Self {
        Self {
            batches: self.batches / parts,
            bytes: self.bytes / parts,
        }
    }

    fn plus(self, more: Self) -> Self {
        Self {
            batches: self.batches.saturating_add(more.batches),
            bytes: self.bytes.saturating_add(more.bytes),
        }
    }

    fn minus(self, less: Self) -> Self {
        Self {
            batches: self.batches.saturating_sub(less.batches),
            bytes: self.bytes.saturating_sub(less.bytes),
        }
    }

    fn fits(self, bounds: Self) -> bool {
        self.batches <= bounds.batches && self.bytes <= bounds.bytes
    }
}

/// What is taken up of a room: in all, and by each function.
#[derive(Debug)]
pub(super) struct Room {
    bounds: Bounds,
    taken: Bounds,
    held: HashMap<Arc<str>, Bounds>,
}

impl Room {
    pub(super) fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            taken: Bounds::NONE,
            held: HashMap::new(),
        }
    }

    /// Whether there is room for `batch` of `function`.
    ///
    /// Who holds little is let in as long as there is room at all. Others leave the reserve to those; and once half of
    /// the room is taken, none of them gets more than a quarter, so that one which prints without end leaves something
    /// to other busy ones as well.
    pub(super) fn has_place(&self, function: &str, batch: Bounds) -> bool {
        let held = self.held.get(function).copied().unwrap_or(Bounds::NONE);
        let (own, all) = (held.plus(batch), self.taken.plus(batch));
        let is_fair = || self.taken.fits(self.bounds.part(2)) || own.fits(self.bounds.part(4));
        let unreserved = self.bounds.minus(self.bounds.part(RESERVE));
        let is_small = own.fits(self.bounds.part(SMALL_SHARE));
        all.fits(self.bounds) && (is_small || all.fits(unreserved) && is_fair())
    }

    /// Whether there is room for a `batch` that is left out last, whosever it is: half of the reserve is for these as well.
    pub(super) fn has_last_place(&self, batch: Bounds) -> bool {
        let reserved = self.bounds.part(2 * RESERVE);
        self.taken.plus(batch).fits(self.bounds.minus(reserved))
    }

    /// Whether so much is taken that its reader should not wait for more.
    pub(super) fn is_filling(&self) -> bool {
        !self.taken.fits(self.bounds.part(FILLING))
    }

    /// Takes up room for `batch` of `function`.
    pub(super) fn take(&mut self, function: &Arc<str>, batch: Bounds) {
        self.taken = self.taken.plus(batch);
        match self.held.get_mut(function) {
            Some(held) => *held = held.plus(batch),
            None => drop(self.held.insert(Arc::clone(function), batch)),
        }
    }

    /// Gives back the room of what is `done`.
    pub(super) fn give_back(&mut self, done: &Done) {
        for (function, room) in &done.rooms {
            self.taken = self.taken.minus(*room);
            if let Some(held) = self.held.get_mut(function) {
                *held = held.minus(*room);
            }
        }
        // Functions come and go.
        if self.held.len() > MOST_HELD {
            self.held.retain(|_, held| *held != Bounds::NONE);
        }
    }
}

/// What a thread is done with.
#[derive(Clone, Debug, Default)]
pub(in crate::logs) struct Done {
    pub(in crate::logs) batches: u64,
    pub(in crate::logs) entries: u64,
    /// By the function whose room it took up.
    rooms: Vec<(Arc<str>, Bounds)>,
}

impl Done {
    /// An entry of this weight, in a batch that took up the room of `function`.
    pub(in crate::logs) fn entry(&mut self, function: &Arc<str>, weight: usize) {
        self.entries += 1;
        self.room(
            function,
            Bounds {
                batches: 0,
                bytes: weight,
            },
        );
    }

    /// The rest of a batch that took up the room of `function`.
    pub(in crate::logs) fn batch(&mut self, function: &Arc<str>) {
        self.batches += 1;
        self.room(function, Bounds::batch(0));
    }

    fn room(&mut self, function: &Arc<str>, more: Bounds) {
        match self.rooms.last_mut() {
            Some((last, room)) if last == function => *room = room.plus(more),
            _ => self.rooms.push((Arc::clone(function), more)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: Bounds = Bounds {
        batches: 640,
        bytes: 640_000,
    };

    /// Pushes batches of these bytes until one finds no place; tells how many did.
    fn fill(room: &mut Room, function: &str, bytes: usize) -> usize {
        let batch = Bounds::batch(bytes);
        (0..)
            .take_while(|_| {
                let has_place = room.has_place(function, batch);
                if has_place {
                    room.take(&function.into(), batch);
                }
                has_place
            })
            .count()
    }

    #[test]
    fn one_function_alone_gets_half_of_the_room_and_not_more() {
        // What is large and what is many are bounded alike.
        for bytes in [1_000, 1] {
            let mut room = Room::new(BOUNDS);
            assert_eq!(fill(&mut room, "loud", bytes), 321);
        }
    }

    #[test]
    fn a_function_with_a_small_share_has_room_beside_any_that_print_without_end() {
        for bytes in [1_000, 1, 64_000] {
            let mut room = Room::new(BOUNDS);
            for loud in ["a", "b", "c", "d"] {
                fill(&mut room, loud, bytes);
            }
            for quiet in 0..8 {
                assert!(fill(&mut room, &format!("quiet {quiet}"), 1_000) >= 10);
            }
        }
    }

    #[test]
    fn a_batch_larger_than_all_the_room_has_no_place() {
        let room = Room::new(BOUNDS);
        assert!(!room.has_place("a", Bounds::batch(640_001)));
        assert!(room.has_place("a", Bounds::batch(480_000)));
    }

    #[test]
    fn what_is_done_takes_no_room() {
        let mut room = Room::new(BOUNDS);
        let (name, mut done): (Arc<str>, _) = ("loud".into(), Done::default());
        for _ in 0..fill(&mut room, "loud", 1_000) {
            done.entry(&name, 400);
            done.entry(&name, 600);
            done.batch(&name);
        }
        room.give_back(&done);
        assert_eq!(room.taken, Bounds::NONE);
        assert_eq!(fill(&mut room, "loud", 1_000), 321);
    }
}
