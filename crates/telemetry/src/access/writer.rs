//! The thread that writes blocks of lines.

use super::{Block, Shared};
use crate::aside::Work;
use std::fs::File;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

pub(super) struct Writer {
    shared: Arc<Shared>,
    file: Option<File>,
    /// A write failed within a line.
    torn: bool,
}

impl Writer {
    pub fn new(shared: Arc<Shared>) -> Self {
        Writer { shared, file: None, torn: false }
    }

    fn follow_orders(&mut self) {
        if let Some(file) = self.shared.next().take() {
            (self.file, self.torn) = (file, false);
        }
    }
}

impl Work<Block> for Writer {
    fn take(&mut self, mut block: Block) {
        self.follow_orders();
        // What was formatted before the log was switched off goes nowhere, and is not missed.
        if let Some(file) = &mut self.file {
            if self.torn {
                // Half a line stands there: what follows begins on a line of its own.
                block.text.insert(0, '\n');
            }
            self.torn = file.write_all(block.text.as_bytes()).is_err();
            if self.torn {
                self.shared.lost.fetch_add(block.lines, Relaxed);
            }
        }
        block.text.clear();
        block.lines = 0;
        // Where there are spare blocks enough, this one is not needed.
        let _ = self.shared.spare.push(block);
    }

    fn settle(&mut self) {
        self.follow_orders();
    }
}
