//! Where entries are shown.

use std::io::{self, ErrorKind, Write};

use super::super::super::Message;
use crate::logs::{ReadFormat, ReadRenderer, StoredEntry};

/// Stdout, in one form.
pub(super) struct Screen {
    renderer: ReadRenderer,
    buffer: Vec<u8>,
    is_closed: bool,
}

impl Screen {
    /// Shows what stands before the first entries, and them, in columns that suit them.
    pub(super) fn begin(format: ReadFormat, entries: &[StoredEntry]) -> Result<Self, Message> {
        let mut screen = Self {
            renderer: ReadRenderer::for_entries(format, entries),
            buffer: Vec::new(),
            is_closed: false,
        };
        screen.renderer.header(&mut screen.buffer);
        screen.show(entries)?;
        Ok(screen)
    }

    /// Shows `entries`. A reader that has seen enough is no failure.
    pub(super) fn show(&mut self, entries: &[StoredEntry]) -> Result<(), Message> {
        for entry in entries {
            self.renderer.render(entry, &mut self.buffer);
        }
        let mut stdout = io::stdout().lock();
        let shown = stdout.write_all(&self.buffer).and_then(|()| stdout.flush());
        self.buffer.clear();
        match shown {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {
                self.is_closed = true;
                Ok(())
            }
            shown => shown.map_err(|error| format!("cannot write to stdout: {error}")),
        }
    }

    /// Whether nobody reads any more, also if there is nothing to be read.
    pub(super) fn is_gone(&self) -> bool {
        use rustix::event::{PollFd, PollFlags, Timespec, poll};
        let stdout = io::stdout();
        let mut watched = [PollFd::new(&stdout, PollFlags::empty())];
        let at_once = Timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        let polled = poll(&mut watched, Some(&at_once));
        let is_broken = watched[0].revents().contains(PollFlags::ERR);
        self.is_closed || (polled.is_ok() && is_broken)
    }
}
